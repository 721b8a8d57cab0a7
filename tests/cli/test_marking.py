"""Tags, notes and removals from the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

Assay = Callable[..., Any]
Two = tuple[str, str]


def test_tags_are_given_and_taken_away(assay: Assay, two_runs: Two) -> None:
    """`ls`, `show` and expressions see them at once; the second run was tagged when it ran."""
    assert assay("tag", "first", "good", "paper", "--json").document["tags"] == ["good", "paper"]
    assert assay("tag", "second", "paper", "--remove").out.split() == [two_runs[1][:8], "no", "tags"]
    found = assay("ls", "--json", "--where", "'paper' in tags").document["runs"]
    assert [(run["id"], run["tags"]) for run in found] == [(two_runs[0], ["good", "paper"])]
    assert "good, paper" in assay("show", "first").out
    assert assay("tag", "first", "nonesuch", "--remove").code == 2
    assert assay("tag", "first", " blank").code == 2


def test_notes_stand_beside_a_run(assay: Assay, two_runs: Two) -> None:
    """In the order in which they were written; a secret in one is not kept."""
    assert assay("note", "first", "diverged after the change of optimiser").out.split()[1:] == ["1", "note"]
    notes = assay("note", "first", "token=" + "a1B2" * 9, "--json").document["notes"]
    assert notes[0]["text"] == "diverged after the change of optimiser" and "a1B2" not in notes[1]["text"]
    assert "diverged after" in assay("show", "first").out
    assert assay("show", "first", "--json").document["run"]["notes"] == notes
    assert assay("note", "first", "").code == 2


def test_a_run_that_others_build_on_is_not_removed(assay: Assay, two_runs: Two) -> None:
    """Unless one insists; with those that build on it, it goes; and it comes back."""
    assert assay("run", "--name", "eval", sys.executable, "-c", "open('model.json').read()").code == 0
    (child,) = (run["id"] for run in assay("ls", "--json", "--limit", "1").document["runs"])
    refused = assay("rm", "second")
    assert refused.code == 2 and child in refused.err
    assert assay("rm", "eval", "second", "--json").document == {"version": 1, "removed": [child, two_runs[1]], "built_on": []}
    assert [run["id"] for run in assay("ls", "--json").document["runs"]] == [two_runs[0]]
    assert assay("rm", "--undo", two_runs[1][:6]).code == 0
    assert assay("rm", "--undo", child, "--json").document["back"] == child
    assert assay("rm", "second", "--force", "--json").document["built_on"] == [child]
    assert assay("rm", "--undo", "zzzz").code == 2
    assert assay("rm").code == 2
