"""Assay: version control for experiments.

Records what produced a result, gives the result back, says whether it really came back, and measures what every part contributes.

>>> import assay
>>> assay.remove("augmentation", augment=False).name
'augmentation'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

# Importing Assay must cost next to nothing, so each name is loaded when it is first used (PEP 562).
_WHERE = {
    "Run": "assay.project.live",
    "run": "assay.project.live",
    "start": "assay.project.live",
    "runs": "assay.project.project",
    "Project": "assay.project.project",
    "Study": "assay.project.study",
    "StudyResult": "assay.project.study",
    "sensitivity": "assay.project.sensitivity",
    "perform_ablation_study": "assay.project.protocol",
    "set_deterministic_seed": "assay.capture.seeds",
    "remove": "assay.ablation.components",
    "replace": "assay.ablation.components",
    "change": "assay.ablation.components",
    "placebo": "assay.ablation.components",
    "gate": "assay.ablation.gates",
    "add": "assay.ablation.components",
    "vary": "assay.ablation.components",
    "between": "assay.ablation.components",
    "requires": "assay.ablation.constraints",
    "excludes": "assay.ablation.constraints",
    "maximize": "assay.ablation.components",
    "minimize": "assay.ablation.components",
    "hypothesis": "assay.ablation.components",
    "publish": "assay.project.publishing",
    "verify": "assay.project.publishing",
    "checkpoint_sums": "assay.project.checkpoints",
    "AssayError": "assay.errors",
    # What `%load_ext assay` asks for.
    "load_ipython_extension": "assay.adapters.ipython",
    "unload_ipython_extension": "assay.adapters.ipython",
}
__all__ = [
    "AssayError",
    "Project",
    "Run",
    "Study",
    "StudyResult",
    "__version__",
    "add",
    "between",
    "change",
    "checkpoint_sums",
    "excludes",
    "gate",
    "hypothesis",
    "maximize",
    "minimize",
    "perform_ablation_study",
    "placebo",
    "publish",
    "remove",
    "replace",
    "requires",
    "run",
    "runs",
    "sensitivity",
    "set_deterministic_seed",
    "start",
    "vary",
    "verify",
]
__version__ = "0.1.0"

if TYPE_CHECKING:
    from assay.ablation.components import add, between, change, hypothesis, maximize, minimize, placebo, remove, replace, vary
    from assay.ablation.constraints import excludes, requires
    from assay.ablation.gates import gate
    from assay.capture.seeds import set_deterministic_seed
    from assay.errors import AssayError
    from assay.project.checkpoints import checkpoint_sums
    from assay.project.live import Run, run, start
    from assay.project.project import Project, runs
    from assay.project.protocol import perform_ablation_study
    from assay.project.publishing import publish, verify
    from assay.project.sensitivity import sensitivity
    from assay.project.study import Study, StudyResult


def __getattr__(name: str) -> object:
    """A public name, loaded now and kept for the next time.

    Raises:
        AttributeError: Assay has no such name.
    """
    if name not in _WHERE:
        raise AttributeError(f"module 'assay' has no attribute {name!r}; it has {', '.join(sorted(_WHERE))}")
    value = getattr(import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_WHERE])
