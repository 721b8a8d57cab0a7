"""Rules of `.assayignore`: git itself says what they mean, and no content that they keep out comes into the store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from assay.capture.keep_out import KeepOut
from assay.records.trace import Trace
from assay.store.store import Store
from assay.tracking.supervise import supervise

NAMES = ["a", "a.py", "d.py", "a/b", "a/x/c", "x/a/b", "sub/q.md", "sub/r/q.md", "y/x.key", "!x", "b", "z/b", "y/z/a.py"]


PATTERNS = "*.key a/ /a a/b **/b a/** a/**/c [ab].py [!a].py ?.py !a.py \\!x sub/*.md b [a-c] **"


@pytest.mark.parametrize("pattern", [*PATTERNS.split(), "*.py\n!a.py", "# a"])
def test_a_rule_means_what_it_means_to_git(project: Path, pattern: str) -> None:
    """Asked of git without its index, for names that need not exist."""
    (project / ".gitignore").write_text(pattern + "\n")
    command = ["git", "check-ignore", "--no-index", "-z", "--stdin"]
    text = "".join(f"{name}\0" for name in NAMES)
    done = subprocess.run(command, cwd=project, input=text, capture_output=True, text=True, check=False)
    rules = KeepOut.of(pattern)
    assert [name for name in NAMES if rules.reason(name)] == done.stdout.split("\0")[:-1]


def test_rules_that_make_no_sense_are_taken_literally_or_not_at_all() -> None:
    """A file of rules is no reason to stop a run."""
    assert KeepOut.of("[z-a]\n/\n\n!\n").reason("[z-a]") and not KeepOut.of("[z-a]\n/\n").reason("z")


def test_what_is_kept_out_is_known_by_its_id_alone(project: Path) -> None:
    """A module that was loaded, a file that was read, one that was written: none of them is in the store."""
    (project / ".assayignore").write_text("private*\n")
    (project / "private_module.py").write_text("WORD = 'in the module'\n")
    (project / "private.txt").write_text("in the data")
    script = "import private_module\nopen('private_out.txt', 'w').write(open('private.txt').read() + private_module.WORD)\n"
    (project / "train.py").write_text(script)
    store = Store.open(project)
    run = supervise(store, project, [sys.executable, "train.py"], cwd=project, relay=False).run
    assert run.result is not None and run.state == "finished"
    trace = store.objects.record(run.result.trace or "", Trace)
    uses = {use.path: use for use in (*trace.loaded, *trace.read, *trace.written)}
    for name in ("private_module.py", "private.txt", "private_out.txt"):
        assert uses[name].id is not None and uses[name].id not in store.objects and not uses[name].kept
    assert any(gap.what == "private_out.txt" and "kept out by .assayignore" in gap.why for gap in run.result.fidelity.missing)
