"""`assay why`: which of the differences between two runs moved a metric."""

from __future__ import annotations

import math
import re

import click

from assay.cli.boundary import NO, YES
from assay.cli.bundles import both
from assay.cli.output import emit, hint, json_option, pairs, say, styled, title, width
from assay.errors import InvalidValue
from assay.project import documents
from assay.questions.why import Limits, why
from assay.records.attribution import Attribution, Cause, SetAside, Tried
from assay.records.finding import Finding
from assay.report.layout import Column, safe, text_table

_UNITS = {"s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}
_COLOURS = {"decided": "green", "within noise": "cyan", "no difference": "cyan"}
_MOST_NAMED = 4


@click.command(name="why", epilog="Returns 0 where the causes are found or there is nothing to find, 1 where it cannot tell.")
@click.argument("good", metavar="GOOD|BUNDLE")
@click.argument("bad", metavar="BAD|BUNDLE")
@click.option("--metric", required=True, metavar="METRIC", help="What differs: NAME, or NAME@min, NAME@max, NAME@mean.")
@click.option("--budget", metavar="N|TIME", help="Runs at most (40), or time (30min, 2h) after which no run is started.")
@click.option("--margin", type=float, metavar="DELTA", help="Effects below it are no causes.  [default: 5 % of the gap]")
@click.option(
    "--split", type=click.Choice(["auto", "files", "commits", "hunks"]), default="auto", show_default=True,
    help="How changed code is divided: by commits where there are several, else by files.",
)  # fmt: skip
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Runs at once.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Longest time for each run.")
@json_option
def command(
    good: str,
    bad: str,
    metric: str,
    budget: str | None,
    margin: float | None,
    split: str,
    workers: int,
    timeout: float | None,
    as_json: bool,
) -> int:
    """Find out which differences between the runs GOOD and BAD moved a metric, and by how much.

    Differences of code, parameters, data, packages, Python, flags and seed are flipped one by one and together, each time in a folder of
    its own, until it is clear. Noise is measured first. Either run may be in a file that `assay publish` wrote.
    """
    runs, seconds = budget_of(budget)
    project, first, second = both(good, bad)
    limits = Limits(runs, seconds, timeout, workers)
    found = why(
        project.store,
        project.root,
        first,
        second,
        metric,
        margin=margin,
        split=split,  # type: ignore[arg-type]
        limits=limits,
        report=_warn,
        progress=_Progress(),
    )
    if as_json:
        emit(documents.attribution(found))
    else:
        _print(found)
    return NO if found.verdict in ("cannot tell", "gone") else YES


def budget_of(text: str | None) -> tuple[int | None, float | None]:
    """Runs, or seconds, that a budget allows.

    Raises:
        InvalidValue: it is neither.

    >>> budget_of("40"), budget_of("90s"), budget_of("1.5h"), budget_of(None)
    ((40, None), (None, 90.0), (None, 5400.0), (None, None))
    """
    if text is None:
        return None, None
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)\s*", text)
    if found and not found[2] and "." not in found[1] and int(found[1]) > 0:
        return int(found[1]), None
    if found and found[2] in _UNITS and float(found[1]) > 0:
        return None, float(found[1]) * _UNITS[found[2]]
    raise InvalidValue("this is no budget", value=text, expected="a number of runs (40), or a time (90s, 30min, 2h)")


class _Progress:
    """A line on standard error for each run."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, tried: Tried) -> None:
        self._count += 1
        value = tried.why if tried.value is None else f"{tried.value:.6g}"
        seed = "" if tried.seed is None else f", seed {tried.seed}"
        note = " (a run that was there)" if tried.reused else ""
        hint(safe(f"assay: run {self._count}, {_state(tried.bad)}{seed}: {value}{note}"))


def _state(bad: tuple[str, ...]) -> str:
    if not bad:
        return "all as in the good run"
    shown = ", ".join(name.partition(" ")[2] for name in bad[:_MOST_NAMED])
    return f"as in the bad run: {shown}" + (f" and {len(bad) - _MOST_NAMED} more" if len(bad) > _MOST_NAMED else "")


def _warn(finding: Finding) -> None:
    hint(f"assay: {safe(finding.text)}")


def _print(found: Attribution) -> None:
    say(styled(safe(found.words), fg=_COLOURS.get(found.verdict, "yellow"), bold=True))
    noise = (
        "not measured"
        if math.isnan(found.noise)
        else "none"
        if found.noise == 0
        else f"{found.noise:.4g} (one run's standard deviation)"
    )
    fresh = sum(1 for tried in found.tried if tried.run is not None and not tried.reused)
    facts = [
        ("good", found.good),
        ("bad", found.bad),
        ("gap", f"{found.gap.value:+.6g}{_interval(found.gap.low, found.gap.high)}"),
        ("noise", noise),
        ("runs", f"{len(found.tried)} looked at, {fresh} carried out"),
    ]
    if not math.isnan(found.sure):
        facts.append(("how sure", f"{found.sure:.0%} that these are all causes, and the only ones"))
    pairs(facts)
    if found.causes:
        title("Causes")
        columns = [
            Column("what", wraps=True),
            Column("from", wraps=True),
            Column("to", wraps=True),
            Column("effect", "right"),
            Column("share", "right"),
        ]
        _table(columns, [_cause(cause) for cause in found.causes])
    if found.interactions:
        title("Together, beyond what they do apart")
        pairs(
            [
                (" and ".join(each.factors), f"{each.effect.value:+.4g}{_interval(each.effect.low, each.effect.high)}")
                for each in found.interactions
            ]
        )
    if found.minimal:
        title("Smallest set of changes that moves it as far")
        seen = "" if found.minimal_seen else "  (worked out from the others; not run by itself)"
        say(f"  {safe(', '.join(found.minimal))}{seen}")
    for heading, aside in (("Ruled out", found.ruled_out), ("Not tested", found.untested)):
        if aside:
            title(heading)
            pairs([(each.factor, f"{each.kind}: {each.why}") for each in _shortened(aside)])
    if found.findings:
        title("Findings")
        for finding in found.findings:
            say(f"  {safe(finding.kind)}: {safe(finding.text)}")


_MOST_LISTED = 12


def _shortened(aside: tuple[SetAside, ...]) -> list[SetAside]:
    """The first of a long list, and how many follow (`--json` has all)."""
    shown = list(aside[:_MOST_LISTED])
    rest = len(aside) - len(shown)
    return [*shown, SetAside(factor="…", kind=aside[-1].kind, why=f"and {rest} more; --json names them")] if rest else shown


def _cause(cause: Cause) -> tuple[str, ...]:
    share = "" if math.isnan(cause.share) else f"{cause.share:.0%}"
    effect = f"{cause.effect.value:+.4g}{_interval(cause.effect.low, cause.effect.high)}"
    return f"{cause.factor} ({cause.kind})", _short(cause.a), _short(cause.b), effect, share


def _short(value: str | None) -> str:
    if value is None:
        return "—"
    return value[:12] if re.fullmatch("[0-9a-f]{64}", value) else value


def _interval(low: float, high: float) -> str:
    return "" if math.isnan(low) or low == high else f" [{low:+.4g}, {high:+.4g}]"


def _table(columns: list[Column], rows: list[tuple[str, ...]]) -> None:
    head, _, *lines = text_table(columns, rows, width() - 2).split("\n")
    for line in (head, *lines):
        say(f"  {line}".rstrip())
