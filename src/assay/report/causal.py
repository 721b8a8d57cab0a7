"""The causal reading of a study in words."""

from __future__ import annotations

from assay.records.causal import CausalReading
from assay.report.layout import section

DEFAULT_WIDTH = 100


def causal_in_words(found: CausalReading, *, width: int = DEFAULT_WIDTH) -> str:
    """Average and conditional effects, mediation with its assumptions, placebo, the graph, and what cannot be said."""
    assumed = dict.fromkeys(text for one in found.mediation for text in one.assumptions)
    sections = [
        ("Average effects (of what the design sets)", [f"Estimand: {found.estimand}", *found.average]),
        ("Conditional effects (their intervals are corrected for all of them)", [one.words for one in found.conditional]),
        ("Through a measured variable (each interval at 95 % by itself)", [one.words for one in found.mediation]),
        ("What that assumes", [f"{text[0].upper()}{text[1:]}." for text in assumed]),
        ("Placebo", [one.words for one in found.refutation]),
        ("The declared graph", [*(one.words for one in found.identified), *(one.words for one in found.implications)]),
        ("What cannot be said", [finding.text for finding in found.findings]),
        ("What a causal reading assumes", list(found.assumptions)),
    ]
    return "\n\n".join(section(title, sentences, width) for title, sentences in sections if sentences)
