"""`assay doctor`: what keeps a script from giving the same result twice."""

from __future__ import annotations

import click

from assay.cli.boundary import NO, YES
from assay.cli.output import emit, hint, json_option, pairs, say, styled, title, width
from assay.project.documents_doctor import diagnosis as document
from assay.project.project import Project
from assay.questions.doctor.diagnosis import Diagnosis, Mover
from assay.questions.doctor.grade import settings_named
from assay.questions.doctor.sources import BY_NAME, CPU, LEFT_OVER, THREADS, shown
from assay.records.verdict import Divergence
from assay.report.layout import Column, safe, text_table, wrap

_COLOURS = {"identical": "green", "identical under named settings": "green", "numerical": "yellow", "statistical": "red"}
_GRADES = {
    "identical": "identical: nothing that was varied moved the result",
    "identical under named settings": "identical under named settings: {settings}",
    "numerical": "numerical: runs differ, but no further than rounding",
    "statistical": "statistical only: runs of this script as it is have different results",
}
_MOVES = {
    "identical": "in no way",
    "numerical": "in the last digits",
    "statistical": "within its noise",
    "not reproduced": "beyond rounding",
}
_SHOWN = 3  # metrics and files of a cause that are named


@click.command(
    name="doctor",
    context_settings={"allow_interspersed_args": False},
    epilog="Returns 0 where the script can promise identical results, 1 where something moves them, 3 where the command fails by itself.",
)
@click.option(
    "--runs", type=click.IntRange(2, 1000), default=2, show_default=True, metavar="N",
    help="How often the same is run before anything is varied: more find what differs only sometimes.",
)  # fmt: skip
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="End each run after this time; it has then failed.",
)
@json_option
@click.argument("cmd", nargs=-1, required=True, type=click.UNPROCESSED)
def command(runs: int, timeout: float | None, as_json: bool, cmd: tuple[str, ...]) -> int:
    """Run CMD several times, vary one source of nondeterminism at a time, and say which of them moves which result.

    The first run is one as with `assay run`; the others take place in folders of their own. Sources that the script was not seen to use cost
    no run.
    """
    found = Project.open(create=True).diagnose(list(cmd), runs=runs, timeout=timeout, say=lambda text: hint(f"assay: {safe(text)}"))
    if as_json:
        emit(document(found))
    else:
        _print(found)
    return YES if found.grade == "identical" else NO


def _print(found: Diagnosis) -> None:
    settings = ", ".join(settings_named(found.movers, found.together))
    _paragraph(_GRADES[found.grade].format(settings=settings), fg=_COLOURS[found.grade], bold=True)
    _paragraph(_same_recipe(found))
    for mover in found.movers:
        _print_mover(mover)
    _print_rest(found)


def _same_recipe(found: Diagnosis) -> str:
    if found.equal:
        return (
            f"Runs of the same recipe were identical; {found.alike} comparisons found no difference where nothing that moves the result was "
            f"varied. What differs in less than {found.rarest:.0%} of runs may have gone unseen (95 %); --runs sees more."
        )
    where = f", first in {_parting(found.parting)}" if found.parting else ""
    if found.unknown and not found.movers:
        return (
            f"Runs of the same recipe differ{where}, and no source that can be held explains it. What is left: a race, a program that is no "
            "Python, the network, a device; or what shows only sometimes (--runs sees more)."
        )
    held = ", ".join(shown(mover.source) for mover in found.movers if mover.source not in (THREADS, CPU))
    if found.unknown:
        return f"Runs of the same recipe differ{where}. With {held} held they still do: something else moves the result too."
    if any(mover.source == LEFT_OVER for mover in found.movers):
        return f"The run in the project's folder differs from those in fresh folders, which are the same. They part{where.removeprefix(', first')}."
    return (
        f"Runs of the same recipe differ{where}. With this held and all else as it comes, the result came back each time: {held}."
    )


def _print_mover(mover: Mover) -> None:
    title(f"{shown(mover.source)}: moves the result {_MOVES[mover.sameness]}")
    lines = [("at", "; ".join(str(place) for place in mover.places[:_SHOWN]))] if mover.places else []
    if mover.failure:
        lines.append(("fails with", mover.failure))
    if mover.divergence:
        lines.append(("parts at", _parting(mover.divergence)))
    lines.append(("change", BY_NAME[mover.source].change))
    lines.append(("compare", f"assay diff {mover.reference[:8]} {mover.run[:8]}"))
    pairs(lines)
    rows = [(metric.name, _number(metric.a), _number(metric.b), metric.sameness) for metric in mover.metrics[:_SHOWN]]
    rows += [(file.path, (file.a or "—")[:12], (file.b or "—")[:12], file.sameness) for file in mover.files[:_SHOWN]]
    if rows:
        columns = [Column("result", wraps=True), Column("held", "right"), Column("varied", "right"), Column("verdict")]
        say(text_table(columns, rows, width()))
    more = len(mover.metrics[_SHOWN:]) + len(mover.files[_SHOWN:])
    if more:
        say(f"  and {more} more (--json names all)")


def _print_rest(found: Diagnosis) -> None:
    title("Otherwise")
    lines = [("moved it together", ", ".join(shown(name) for name in found.together))] if found.together else []
    lines.append(("moved nothing", ", ".join(shown(name) for name in found.cleared) or "—"))
    unseen = [each.source for each in found.untested if each.why == "the script was not seen to use it"]
    lines += [("not used", ", ".join(shown(name) for name in unseen))] if unseen else []
    reasons: dict[str, list[str]] = {}
    for each in found.untested:
        if each.source not in unseen:
            reasons.setdefault(each.why, []).append(shown(each.source))
    lines += [("not tested here", f"{', '.join(names)}: {why}") for why, names in reasons.items()]
    lines.append(("runs", f"{found.runs} (the first is {found.first[:8]}; all are tagged doctor)"))
    pairs(lines)


def _paragraph(text: str, **style: object) -> None:
    for line in wrap(safe(text), width()):
        say(styled(line, **style))


def _parting(divergence: Divergence) -> str:
    where = f"{divergence.kind} {safe(divergence.name)}"
    if divergence.step is not None:
        return f"{where}, step {divergence.step}"
    return f"{where}, point {divergence.position}" if divergence.position else where


def _number(value: float | None) -> str:
    return "—" if value is None else repr(value)
