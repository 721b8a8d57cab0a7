"""Whether a study's conclusions survive, as a table and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.records.sensitivity import Conclusion, Decomposition, SensitiveTo, Sensitivity, Source, Standing
from assay.report.layout import Column, Style, safe, text_table, unstyled, wrap
from assay.report.numbers import decimals_for, interval, number

DEFAULT_WIDTH = 100
OTHERS: Mapping[SensitiveTo, str] = {
    "seeds": "Other seeds",
    "params": "Other parameters",
    "splits": "Other splits",
    "metrics": "Other metrics",
    "data": "Other data",
}
VARIANCE_COLUMNS = (
    Column("source", wraps=True),
    Column("variance", "right"),
    Column("share", "right"),
    Column("95 %", "right"),
    Column("", wraps=True),
)
_LONG = 30
"""Names of conditions that are longer, of several parameters at once, are broken into lines."""


def sensitivity_in_words(found: Sensitivity, *, width: int = DEFAULT_WIDTH, style: Style = unstyled) -> str:
    """Every conclusion under every condition, a sentence for each conclusion, and where the variance comes from."""
    parts = [text_table(conclusion_columns(found), conclusion_rows(found), width, style)]
    parts.append(_section("Does it survive?", [one.words for one in found.conclusions], width))
    parts += [f"{variance_title(one)}\n{variance_table(one, width)}" for one in found.variance]
    parts.append(_section("Findings", [f"{finding.about}: {finding.text}" for finding in found.findings], width))
    parts.append(_section("How it was judged", list(found.notes), width))
    return "\n\n".join(part for part in parts if part)


def variance_table(one: Decomposition, width: int = DEFAULT_WIDTH) -> str:
    """Sources of variance with their shares and intervals."""
    return text_table(VARIANCE_COLUMNS, variance_rows(one), width)


def variance_rows(one: Decomposition) -> list[tuple[str, ...]]:
    """The cells of `variance_table`."""
    return [_source(source, one.sources[-1] is source) for source in one.sources]


def survival_words(found: Sensitivity) -> str:
    """In a sentence, how many conclusions survive, and which do not."""
    lost = [f"{one.component} on {one.metric}" for one in found.conclusions if one.survival == "does not survive"]
    kept = sum(one.survival == "survives" for one in found.conclusions)
    untested = sum(one.survival == "not tested" for one in found.conclusions)
    silent = len(found.conclusions) - kept - len(lost) - untested
    said = (
        [f"{kept} of {kept + len(lost)} conclusion{'s' * (kept + len(lost) != 1)} survive{'s' * (kept == 1)}"]
        if kept + len(lost)
        else []
    )
    said += [f"lost: {', '.join(lost)}"] if lost else []
    said += [f"{untested} not tested"] if untested else []
    said += [f"of {silent} effect{'s' * (silent != 1)} nothing had been concluded"] if silent else []
    return f"{OTHERS[found.to]}: {'; '.join(said)}."


def variance_title(one: Decomposition) -> str:
    """What stands above its table."""
    sizes = ", ".join(f"{count} of {name}" for name, count in one.sizes.items())
    return f"Where the variance of {safe(one.metric)} comes from ({safe(sizes)})"


def _source(source: Source, last: bool) -> tuple[str, ...]:
    note = "what is left: noise of a single trial" if last else ""
    if source.found < 0:
        note = f"estimated as {source.found:.2g}, shown as 0"
    interval = f"[{source.low:.2g}, {source.high:.2g}]"
    return (" × ".join(source.of), f"{source.variance:.2g}", f"{100 * source.share:.0f} %", interval, note)


def conclusion_columns(found: Sensitivity) -> list[Column]:
    """What stands above `conclusion_rows`."""
    long = max((len(one.name) for one in found.conditions), default=0) > _LONG
    return [
        Column("conclusion", wraps=True),
        Column("condition", wraps=long),
        Column("Δ [95 %]", "right"),
        *(Column("n", "right"), Column("verdict"), Column("sign"), Column("rank", "right")),
    ]


def conclusion_rows(found: Sensitivity) -> list[tuple[str, ...]]:
    """Each conclusion as the study has it, then under each condition."""
    rows = []
    for one in found.conclusions:
        spreads = [(one.high - one.low) / 2, *((side.high - side.low) / 2 for side in one.standings)]
        decimals = decimals_for(spreads, [one.estimate])
        rows.append(_own(one, decimals))
        rows += [_there(standing, decimals) for standing in one.standings]
    return rows


def _own(one: Conclusion, decimals: int) -> tuple[str, ...]:
    rank = str(one.rank) if one.rank is not None else ""
    value = _value(one.estimate, one.low, one.high, decimals)
    return (f"{one.component} on {one.metric}", "the study", value, str(one.n), one.verdict, "", rank)


def _there(one: Standing, decimals: int) -> tuple[str, ...]:
    sign = {True: "same", False: "other", None: ""}[one.same_sign]
    rank = f"{one.rank}{'' if one.same_rank else ' ≠'}" if one.rank is not None else ""
    verdict = one.verdict + (", against it" if one.contrary else ", depends" if one.depends else "")
    return ("", one.condition, _value(one.estimate, one.low, one.high, decimals), str(one.n), verdict, sign, rank)


def _value(estimate: float, low: float, high: float, decimals: int) -> str:
    return f"{number(estimate, decimals, signed=True)} {interval(low, high, decimals)}".strip()


def _section(title: str, sentences: Sequence[str], width: int) -> str:
    lines = []
    for sentence in sentences:
        first, *rest = wrap(safe(sentence), max(width - 4, 20))
        lines += [f"  - {first}", *(f"    {line}" for line in rest)]
    return "\n".join([title, *lines]) if lines else ""
