"""The designs by name. Pure: no parameter, no seed, no cost."""

from __future__ import annotations

from difflib import get_close_matches

from assay.ablation.design import Design
from assay.ablation.designs_factorial import FACTORIAL
from assay.ablation.designs_stepwise import STEPWISE
from assay.errors import InvalidStudy
from assay.records.plan import Plan

DESIGNS = {design.name: design for design in (*STEPWISE, *FACTORIAL)}

ADAPTIVE = "adaptive"
"""A design that looks at results: it has another life than these, and no entry among them (see `assay.ablation.adaptive.plans`)."""


def design_of(plan: Plan) -> Design:
    """The design of a plan; one without components compares named configurations with the first, as at a corner."""
    return DESIGNS.get(plan.design, DESIGNS["leave-one-out"])


def design_named(name: str) -> Design:
    """The design of this name.

    Raises:
        InvalidStudy: there is none; the message names those that exist.
    """
    if name not in DESIGNS:
        known = [*DESIGNS, ADAPTIVE]
        near = get_close_matches(str(name), known, n=1)
        raise InvalidStudy(
            "no design has this name",
            value=name,
            expected=", ".join(map(repr, known[:-1])) + f" or {known[-1]!r}",
            next_step=f"Did you mean {near[0]!r}?" if near else "",
        )
    return DESIGNS[name]
