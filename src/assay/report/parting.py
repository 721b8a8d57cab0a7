"""Where two runs part first, for people."""

from __future__ import annotations

from assay.records.verdict import Divergence
from assay.report.layout import safe


def parting(divergence: Divergence) -> str:
    """The first point at which two runs part, as a sentence.

    >>> parting(Divergence(kind="layer", name="fc.weight", step=3, a=1.5, b=1.25))
    'The two runs part first in layer fc.weight at step 3: its norm is 1.5 against 1.25.'
    """
    where = f"{divergence.kind} {safe(divergence.name)}"
    if divergence.step is not None:
        where += f" at step {divergence.step}"
    elif divergence.position is not None:
        where += f" at point {divergence.position}"
    if divergence.kind == "layer":
        return f"The two runs part first in {where}: {_norms(divergence.a, divergence.b)}."
    values = f": {_short(divergence.a)} became {_short(divergence.b)}"
    return f"The two runs part first in {where}{values if divergence.a is not None or divergence.b is not None else ''}."


def _norms(a: float | str | None, b: float | str | None) -> str:
    if a is None or b is None:
        return f"only {'b' if a is None else 'a'} has it"
    if a == b:
        return f"its norm is {_short(a)} in both, and its bits differ"
    return f"its norm is {_short(a)} against {_short(b)}"


def _short(value: float | str | None) -> str:
    return repr(value) if isinstance(value, float) else "nothing" if value is None else safe(value[:12])
