"""The graph of runs as text, Mermaid and Graphviz: the same graph gives the same text, and names cannot break out of it."""

from __future__ import annotations

import random
import shutil
import subprocess

from assay.lineage.graph import Edge
from assay.records.run import Run, Start
from assay.report.layout import width_of
from assay.report.lineage import dot, lineage_text, mermaid

A, B, C, D, GONE = (letter * 16 for letter in "abcde")


def run(run_id: str, name: str = "", command: str = "python train.py") -> Run:
    """A finished run; each began a minute after the one before it in the alphabet."""
    return Run(
        start=Start(id=run_id, recipe="", name=name, started=60.0 * ord(run_id[0]), command=tuple(command.split())),
        state="finished",
    )


RUNS = [run(A, "data"), run(B, "left"), run(C, "right"), run(D, "join")]
DIAMOND = [
    Edge(A, B, "read", "d"),
    Edge(A, C, "read", "d"),
    Edge(B, D, "read", "l"),
    Edge(C, D, "resume", "r"),
    Edge(C, D, "resume", "s"),
]


def shown(text: str) -> list[str]:
    """The lines with what identifies a run alone."""
    return [line.split("  finished")[0].replace("  python train.py", "") for line in text.splitlines()]


def test_a_line_of_runs_is_not_indented() -> None:
    """However long it is."""
    edges = [Edge(A, B, "resume", "c"), Edge(B, C, "resume", "c"), Edge(GONE, A, "read", "d")]
    assert shown(lineage_text([C], RUNS, edges)) == [
        "cccccccc  right", "│ resume c from", "bbbbbbbb  left", "│ resume c from", "aaaaaaaa  data", "│ read d from", "eeeeeeee  (not in this store)",
    ]  # fmt: skip


def test_branches_are_indented_and_opened_once() -> None:
    """Several files of one edge are one line."""
    assert shown(lineage_text([D], RUNS, DIAMOND)) == [
        "dddddddd  join",
        "├─ read l from",
        "│  bbbbbbbb  left",
        "│  │ read d from",
        "│  aaaaaaaa  data",
        "└─ resume r, s from",
        "   cccccccc  right",
        "   │ read d from",
        "   aaaaaaaa  data",
    ]
    down = lineage_text([A], RUNS, DIAMOND, direction="down")
    assert shown(down)[:3] == ["aaaaaaaa  data", "├─ read d by", "│  bbbbbbbb  left"]
    assert down.splitlines()[-1].endswith("(as above)") is False  # a leaf is whole where it stands


def test_a_circle_comes_to_an_end() -> None:
    """Parents that were said may say anything."""
    text = lineage_text([A], RUNS, [Edge(B, A, "resume"), Edge(A, B, "resume")])
    assert text.splitlines()[-1].endswith("(as above)")


def test_lines_keep_within_the_width() -> None:
    """Wide characters, long names and what would steer a terminal among them."""
    runs = [run(A, "名" * 60), run(B, "x\x1b[31m" * 30)]
    for width in (40, 80):
        lines = lineage_text([B], runs, [Edge(A, B, "read", "p" * 200)], width=width).splitlines()
        assert len(lines) == 3 and all(width_of(line) <= width for line in lines)
        assert "\x1b" not in "".join(lines)


def test_the_order_in_which_a_graph_is_given_does_not_matter() -> None:
    """For any of the forms."""
    forms = [lambda runs, edges: lineage_text([D], runs, edges), mermaid, dot]
    for form in forms:
        texts = set()
        for seed in range(5):
            runs, edges = list(RUNS), list(DIAMOND)
            random.Random(seed).shuffle(runs)
            random.Random(seed + 9).shuffle(edges)
            texts.add(form(runs, edges))
        assert len(texts) == 1


def test_mermaid_escapes_what_has_a_meaning_there() -> None:
    """Names are text."""
    chart = mermaid([run(A, 'a"]; click a "x"'), run(B)], [Edge(A, B, "read", "m|x")])
    assert chart.splitlines()[0] == "flowchart TD"
    assert f'{A}["a#34;#93;; click a #34;x#34; aaaaaaaa finished"]' in chart
    assert f'{A} -->|"read m#124;x"| {B}' in chart


def test_graphviz_takes_it() -> None:
    """Quotes and backslashes in names; runs that are not here; asked of Graphviz itself where it is installed."""
    graph = dot([run(A, 'quo"te\\'), run(B)], [Edge(A, B, "read", "x"), Edge(GONE, A, "resume")])
    assert f'"{A}" [label="quo\\"te\\\\ aaaaaaaa finished"];' in graph
    assert f'"{GONE}" [label="eeeeeeee (not in this store)"];' in graph
    assert graph.count("{") == graph.count("}") == 1
    if shutil.which("dot"):
        done = subprocess.run(["dot", "-Tsvg"], input=graph, capture_output=True, text=True, check=True)
        assert "eeeeeeee" in done.stdout
