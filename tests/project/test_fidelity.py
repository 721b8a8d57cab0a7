"""What a run's capture lacks, said for who wants to repeat it."""

from __future__ import annotations

import pytest

from assay.project.documents import fidelity
from assay.project.fidelity import GRADES, explained, judged
from assay.records.finding import Fidelity, Gap
from assay.records.run import Result, Run, Start

START = Start(id="a" * 16, recipe="")


def run(*missing: Gap, grade: str = "partial") -> Run:
    """A finished run that lacks these."""
    kept = Fidelity(captured=("code",), missing=missing, grade=grade)  # type: ignore[arg-type]  # the grades are parameters here
    return Run(start=START, state="finished", result=Result(state="finished", ended=1.0, fidelity=kept))


@pytest.mark.parametrize(
    ("what", "why", "told"),
    [
        ("m.pt", "too large to keep (over 100 MiB)", "compared, but not put back"),
        ("key.json", "not kept: a private key", "secret"),
        ("train.py", "kept without its secrets: the value of password (line 2)", "takes the secret from the project's own file"),
        ("ckpt", "the run changed it after reading it", "began from"),
        ("d.csv", "changed while the run read it", "nobody can say"),
        ("reads by h5py", "h5py 3.1 opens files in native code, unseen", "cannot check"),
        ("network", "the run talked to example.org:443; what it received is not recorded", "another the next time"),
        ("output", "standard output and standard error are the program's own", "cannot be compared"),
        ("7 more files", "for a reason that nobody foresaw", "same reason"),
        ("something", "for a reason that nobody foresaw", "cannot rely"),
    ],
)
def test_each_missing_thing_has_a_meaning_and_a_way_out(what: str, why: str, told: str) -> None:
    """Those that nobody foresaw, too."""
    found = explained(Gap(what=what, why=why))
    assert (found.what, found.why) == (what, why)
    assert told in found.means and found.do


def test_every_grade_says_what_it_means() -> None:
    """A run without a result has one of its own; blindness is itself a thing that is missing."""
    assert judged(run(grade="full")).missing == ()
    assert [gap.what for gap in judged(run(grade="blind")).missing] == ["reads and writes"]
    for state in ("crashed", "running"):
        found = judged(Run(start=START, state=state))  # type: ignore[arg-type]
        assert found.grade == "none" and [gap.what for gap in found.missing] == ["result"]
    assert {judged(run(grade=grade)).says for grade in ("full", "partial", "blind")} < set(GRADES.values())


def test_the_document_has_every_field() -> None:
    """As `assay show --fidelity --json` prints it."""
    document = fidelity(run(Gap(what="m.pt", why="too large to keep")))
    assert document.keys() == {"version", "run", "grade", "says", "captured", "missing"}
    assert document["missing"][0].keys() == {"what", "why", "means", "do"}
