"""The causal reading of a study, as a user asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from assay.errors import InvalidStudy
from assay.questions.causal import causal_reading
from assay.records.causal import CausalReading
from assay.records.evidence import StudyEvidence
from assay.records.finding import Finding
from assay.report.causal import causal_in_words

_ARROW = "->"


class CausalResult:
    """What a study says of causes. `print(result)` says it in words.

    Attributes:
        reading: all of it as one record.
    """

    def __init__(self, reading: CausalReading) -> None:
        self.reading = reading

    @property
    def refuted(self) -> bool:
        """Whether a placebo had an effect, or an effect was found where the declared graph has no way."""
        return any(one.passed is False for one in self.reading.refutation) or any(
            one.verdict == "contradicted" for one in self.reading.implications
        )

    def __repr__(self) -> str:
        return causal_in_words(self.reading)


def causal(
    evidence: StudyEvidence,
    *,
    mediator: str | Sequence[str] = (),
    through: Mapping[str, str] | None = None,
    placebo: str | Sequence[str] = (),
    graph: Mapping[str, Sequence[str]] | None = None,
    sealed: Mapping[str, Sequence[str]] | None = None,
) -> CausalResult:
    """The causal reading of a study.

    Args:
        evidence: the study.
        mediator: recorded variables that effects may go through.
        through: variable to the component that moves the metrics through it alone.
        placebo: components that do nothing.
        graph: what is taken to cause what, said now; by default `sealed`.
        sealed: the graph that was declared before the first trial.

    Raises:
        InvalidStudy: a component does not exist, or the graph cannot be.
        UnknownMetric: no trial recorded a variable.
    """
    reading = causal_reading(
        evidence,
        mediators=_several(mediator),
        through=through,
        placebos=_several(placebo),
        graph=graph or sealed,
    )
    if graph and dict(graph) != {**(sealed or {})}:
        text = "This graph was declared after the results were there; one in the study (graph:) is sealed before the first trial."
        late = Finding(kind="declared late", about="graph", text=text)
        reading = msgspec.structs.replace(reading, findings=(*reading.findings, late))
    return CausalResult(reading)


def graph_of(arrows: Sequence[str]) -> dict[str, list[str]]:
    """The graph that arrows make, each written "cause -> effect".

    Raises:
        InvalidStudy: one is no arrow.

    >>> graph_of(["a -> b", "a -> c"])
    {'a': ['b', 'c']}
    """
    graph: dict[str, list[str]] = {}
    for arrow in arrows:
        cause, found, effect = (part.strip() for part in arrow.partition(_ARROW))
        if not (cause and found and effect):
            raise InvalidStudy("an arrow of the graph cannot be read", value=arrow, expected=f'"CAUSE {_ARROW} EFFECT"')
        graph.setdefault(cause, []).append(effect)
    return graph


def _several(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)
