"""Stored formats: pinned ids, and one stored record of every kind that must be read for ever.

Where a pinned id moves, every store out there would change its ids: that is a new format version, never a new pin. The files under
tests/fixtures/formats/ are never written again; a new version adds a file.
"""

from __future__ import annotations

import math
from importlib import import_module
from pathlib import Path

import pytest

import assay
from assay.project.restore import Restoration
from assay.questions.study.definition import Definition
from assay.records.bundle import Absent, Bundle
from assay.records.canonical import Record, canonical, decode, digest
from assay.records.dataset import Card, DataEntry, DataVersion, Split
from assay.records.effect import Answer, Effect, Interaction
from assay.records.environment import Determinism, Environment, Gpu, Hardware, Package, Packages
from assay.records.evidence import StudyEvidence, TrialResult
from assay.records.factor import Factor, Hypothesis, Level, MetricGoal
from assay.records.finding import Fidelity, Finding, Gap
from assay.records.mark import Mark
from assay.records.plan import Block, Configuration, Plan, Trial
from assay.records.recipe import Recipe
from assay.records.remote import SavedRemote
from assay.records.run import Failure, Git, Host, Metric, Parent, Resources, Result, Start, TrialOf
from assay.records.snapshot import KeptSnapshot
from assay.records.trace import FileUse, Trace
from assay.store.parts import Parts
from assay.store.tree import Tree

FORMATS = Path(__file__).parent.parent / "fixtures" / "formats"
A, B, C = ("0123456789abcdef" * 4, "f" * 64, "00" * 32)

PLAN = Plan(
    design="leave-one-out",
    estimand="mean of the differences, variant minus baseline",
    configurations=(
        Configuration(name="baseline", params={"lr": 0.1}),
        Configuration(name="no x", levels={"x": "off"}, params={"lr": math.inf}),
    ),
    blocks=(Block(index=0, seed=0), Block(index=1, seed=2**63)),
    trials=(Trial(index=0, configuration="baseline", block=0, seed=0), Trial(index=1, configuration="no x", block=0, seed=0)),
    comparisons=1,
    aliases={"x": ("y:z",)},
    cannot_see=("interactions",),
    detectable=1.2,
    named=("no x",),
)
PLAN_FACTORS = (Factor(name="x", kind="remove", levels=(Level(name="removed", settings={"lr": 0.0}),)),)
HYPOTHESIS = Hypothesis(component="x", metric="loss", direction="lowers", by=0.05)
# Every field is set, nested records included, so that each is written and read.
EXAMPLES: dict[str, Record] = {
    "recipe": Recipe(
        code=A,
        command=("python", "train.py", "--lr", "0.1", "Grüße"),
        directory="src",
        function="module:train#0123456789abcdef",
        params={"lr": 0.1, "layers": [1, 2], "deep": {"none": None, "nan": math.nan, "flag": True, "big": 2**64 - 1}},
        seed=7,
        threads={"OMP_NUM_THREADS": "2"},
        flags={"PYTHONHASHSEED": "0"},
        python="CPython 3.11.7",
        packages=B,
        data={"data/x.csv": C},
    ),
    "start": Start(
        id="abcdefghijklmn27",
        recipe=A,
        name="baseline",
        tags=("paper", "é"),
        parents=(Parent(run="a" * 16, by="read", path="model.pt"),),
        trial=TrialOf(study=B, configuration="no x", levels={"x": "off"}, block=1, index=3, call=C),
        started=1789000000.25,
        command=("python", "train.py"),
        cwd="/home/u/project",
        root="/home/u/project",
        user="u",
        host=Host(name="elsewhere", boot="b", namespace="pid:[1]", pid=42, started=4242),
        environment=C,
        heartbeat=15.0,
        git=Git(commit="1a2b", branch="main", dirty=True),
        left_out={"big.bin": "larger than 1 MiB"},
    ),
    "result": Result(
        state="failed",
        ended=1789000100.5,
        exit_code=1,
        signal=9,
        metrics={
            "loss": Metric(last=math.nan, minimum=0.25, maximum=1.0, mean=math.nan, n=3, step=2, measured=True, source="output")
        },
        params={"lr": 0.1},
        trace=A,
        environment=B,
        determinism=Determinism(
            hash_seed="0", seed=7, seeded=("random",), frameworks={"torch": {"threads": "2"}}, threads={"omp": "2"}
        ),
        resources=Resources(wall=1.5, cpu_user=1.0, cpu_system=0.5, peak_memory=2**30, gpu_peak_memory=1, gpu_utilisation=0.5),
        output={"stdout": C},
        parents=(Parent(run="b" * 16, by="resume"),),
        fidelity=Fidelity(captured=("code",), missing=(Gap(what="reads", why="native"),), grade="partial"),
        findings=(Finding(kind="no-op", about="x", text="nothing changed"),),
        failure=Failure(kind="ValueError", text="bad", traceback="Traceback …"),
    ),
    "trace": Trace(
        loaded=(FileUse(path="train.py", id=A, size=3, mtime=1, kept=True),),
        read=(FileUse(path="/data/x.csv", id=None, size=4, mtime=2, by="declared", note="vanished"),),
        written=(FileUse(path="out/\\xff.pt", id=B, size=5, mtime=3, by="save", kept=True),),
        listed={"data": C},
        processes=2,
    ),
    "packages": Packages(
        packages=(Package(name="torch", version="2.13.0", origin="vcs", url="git+https://example.org/t", commit="1a", record=A),)
    ),
    "environment": Environment(
        python="CPython 3.11.7",
        executable="/usr/bin/python3",
        prefix="/usr",
        packages=A,
        os="Linux 6.1",
        libc="glibc 2.36",
        hardware=Hardware(
            machine="x86_64",
            cpu="c",
            cores=2,
            cpus=1,
            memory=2**33,
            features=("avx2",),
            gpus=(Gpu(name="H200", memory=2**37, uuid="GPU-1"),),
            gpu_driver="580",
            cuda="13.0",
        ),
        blas={"libopenblas.so": "0.3"},
        variables={"LANG": "C"},
        installed_by={"pip": "25"},
        sources={"assay": "/home/u/assay"},
    ),
    "plan": PLAN,
    "evidence": StudyEvidence(
        study=A,
        name="s",
        baseline={"lr": 0.1},
        factors=(Factor(name="x", kind="remove", levels=(Level(name="off", settings={"x": False}),)),),
        goals=(MetricGoal(name="loss", goal="minimize", margin=0.01, measured=True, source="output:loss", at="min"),),
        hypotheses=(HYPOTHESIS,),
        plan=PLAN,
        rows=(
            TrialResult(
                index=0,
                configuration="baseline",
                block=0,
                seed=0,
                run="a" * 16,
                state="finished",
                metrics={"loss": 0.5},
                seconds=1.0,
                reused=True,
                failure="none",
                resources=Resources(wall=1.0),
                measured=("seconds",),
            ),
        ),
        effects=(
            Effect(
                component="x",
                metric="loss",
                estimand="difference",
                estimate=0.1,
                low=0.0,
                high=0.2,
                n=5,
                verdict="matters",
                words="It matters.",
            ),
        ),
        interactions=(
            Interaction(
                components=("x", "y"),
                metric="loss",
                estimand="i",
                estimate=0.0,
                low=-1.0,
                high=1.0,
                n=5,
                verdict="cannot tell",
                words="Unclear.",
            ),
        ),
        answers=(Answer(hypothesis=HYPOTHESIS, answer="undecided", evidence="too few seeds"),),
        findings=(Finding(kind="no-op", about="x", text="t"),),
        notes=("n",),
        environment="CPython 3.11.7",
    ),
    "tree": Tree(entries=((b"a.py", "file", A), (b"link", "link", B), (b"run.sh", "exec", C), (b"\xff", "dir", A))),
    "parts": Parts(pieces=((A, 524288), (B, 131072), (A, 524288))),
    "data": DataVersion(
        content=A,
        kind="folder",
        policy="kept",
        sizes=(3, 0, 2**40),
        not_kept={".env": "named like a file of secrets"},
        left_out={"pipe\\xff": "a FIFO"},
        split=Split(source=B, part="train", fractions={"train": 0.75, "test": 0.25}, seed=7, unit="row", stratify="label"),
    ),
    "card": Card(
        title="Digits",
        description="é",
        source="https://example.org/digits",
        licence="CC-BY-4.0",
        access="open",
        privacy="no people",
        creators=("A. Person",),
        published="2026-11-21",
        cite="@misc{digits}",
        generation=("download", "resize"),
    ),
    "mark": Mark(run="abcdefghijklmnop", time=1789000000.5, kind="note", text="Grüße\nfrom the lab", user="me", host="vm"),
    "study": Definition(
        name="toy",
        subject="module:train",
        evaluation=None,
        baseline={"lr": 0.1, "deep": {"none": None}},
        factors=PLAN_FACTORS,
        goals=(MetricGoal(name="loss", goal="minimize", margin=0.01, measured=False, source="output:loss", at="min"),),
        seeds=(0, 1),
        design="full",
        configurations={"plain": {"lr": 1}},
        hypotheses=(HYPOTHESIS,),
    ),
    "restoration": Restoration(time=1789000000.5, root="/home/me/project", before=A, after=B, run="abcdefghijklmnop"),
    "snapshot": KeptSnapshot(tree=A, taken=1789000000.25, files=3, user="u", host="elsewhere"),
    "remote": SavedRemote(name="origin", address="s3://bucket/team", saved=1789000000.25),
    "dataset": DataEntry(name="digits", path="data/digits", version=A, content=B, added=1789000000.25, before=C, card=A),
    "bundle": Bundle(
        kind="study",
        subject=A,
        name="toy",
        runs=("abcdefghijklmnop",),
        objects={B: "code/train.py"},
        absent=(Absent(id=C, path="data/x.csv", kind="data", size=3, why="only hashed", access="on request"),),
        sealed={A: 1789000000.25},
    ),
}
PINNED: dict[str, str] = {
    "recipe": "92f92d464b91ee924ba4412a54e1ad66481ea68b73360be479eed6546e37ae03",
    "start": "cf116801d2bc28c831b6c5a9f1f7043a39a00a35188c9171f060e4cc4deb41fb",
    "result": "d3d53e36c936c64f1ff9569cdb2ce2a51c306539b267af1fa3bcac1de5aa1bf7",
    "trace": "2733f9333795cd3b78403393f8e130e40da16b51ec96381d5254fc98f0f1288d",
    "packages": "af2fd3674d1298e0e1e39d03bb8b964f2d4c61a1d20d81da1a609d473c07e306",
    "environment": "5210f3760b82d76d48b726fbf535c747f26cc0c03133e95407cecc39170c7c0b",
    "plan": "24d311993a440236ee2c28647d96700331c2509876220eed17a189a9b574870c",
    "evidence": "bff8466ec49fd6090962ecf41772bd318c0e1145be0453e95a453dc8e6e4ce07",
    "tree": "efbd170ab32833a02b00f329be77614eef1a23bea3b2760b79de084ef21cec53",
    "parts": "3150c8e8f2f689ac6afaf601bfcf09d250a10363281c9f67cf61cc000f548bb5",
    "data": "7adbff3e0d5b38e5122551ac92c7e2f1ac3f50a264e05040f6a4351a73f3d8a5",
    "card": "8d0c4eb5a7fc02e4ee71ebb3201af427985438d999d4f644ff39c9d173965843",
    "mark": "9cedfe832c7313b491587295d74e2ab900eab25401ea9c591c61a34819c68337",
    "study": "954e58f5ed2d7dc6c47cab1ab2ded65e9f137ef4f294f24f29f6a47da593816b",
    "restoration": "41f534d06f0e4c5a1ab7d612d91b5944da68ae4bbe5c37f1f421f52081067e8c",
    "snapshot": "8ca0cacd87433ed0c4ff0aa3980b18e0c968bf6e21c4ec008360110efc533f9f",
    "remote": "1f9b5a54274480350848bb8c906314ab5265b4c98db5448be47c5dadaaeb416f",
    "dataset": "d5915867708b495134851f857527250144abd498404036553186648b94579a74",
    "bundle": "9f89223dc95c6483e6454e0ee9d07fc9cfe15cbe154e0659a4c0362bc8b40634",
}


def stored_kinds() -> set[str]:
    """Tags of all records that are stored on their own, wherever in the package they are defined."""
    for file in Path(assay.__file__).parent.rglob("*.py"):
        if 'tag_field="assay"' in file.read_text(encoding="utf-8"):
            import_module(".".join(file.relative_to(Path(assay.__file__).parents[1]).with_suffix("").parts))
    return {kind.__struct_config__.tag for kind in Record.__subclasses__() if kind.__module__.startswith("assay.")} - {None}


def test_every_kind_has_an_example() -> None:
    """A kind of record that is added brings its golden file with it."""
    assert {str(type(record).__struct_config__.tag) for record in EXAMPLES.values()} == stored_kinds()


@pytest.mark.parametrize("name", EXAMPLES)
def test_ids_stay(name: str) -> None:
    """The id of a record is the same on every machine and in every year."""
    assert digest(canonical(EXAMPLES[name])) == PINNED[name]


@pytest.mark.parametrize("name", EXAMPLES)
def test_old_files_are_read(name: str) -> None:
    """A record of format 1 is read whole by every later version."""
    found = decode((FORMATS / f"{name}-1.msgpack").read_bytes(), type(EXAMPLES[name]))
    assert canonical(found) == canonical(EXAMPLES[name])


@pytest.mark.parametrize("name", EXAMPLES)
def test_round_trip(name: str) -> None:
    """Reading what was written gives an equal record, with the same id."""
    data = canonical(EXAMPLES[name])
    back = decode(data, type(EXAMPLES[name]))
    assert type(back) is type(EXAMPLES[name])
    assert canonical(back) == data
