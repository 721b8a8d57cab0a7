"""What the gate and the tuning will cost, in words, before anything runs."""

from __future__ import annotations

from assay.questions.study.definition import Definition
from assay.questions.study.gate import EVERY, criterion_of, gate_jobs, neighbouring
from assay.questions.study.gate_parts import blocks_in_words, tuning_blocks
from assay.questions.study.tuning import tuning_jobs, tuning_seeds
from assay.records.plan import Plan


def gate_in_words(definition: Definition, plan: Plan) -> str:
    """What is asked of the baseline before the ablations run, and the trials that this adds to the plan's."""
    asked, baseline = definition.gate or EVERY, plan.configurations[0]
    said = []
    if asked.reproducible != "unchecked":
        said.append("the baseline is run twice")
    settings, blocks = len(neighbouring(definition, baseline)), blocks_in_words(tuning_blocks(plan, asked))
    if settings:
        paths = ", ".join(one.path for one in asked.tune)
        said.append(
            f"it is compared in {criterion_of(definition).name} with {settings} settings one step away ({paths}) x {blocks}"
        )
    if asked.other_seeds:
        said.append(f"and with itself under {len(plan.blocks)} other seeds")
    tuning = tuning_jobs(definition, plan)
    if tuning:
        seeds = len(tuning_seeds(definition, plan))
        each = len(tuning) // (seeds * len(plan.configurations))
        said.append(f"each configuration is tuned before over {each} settings x {seeds} seeds of their own")
    own = sum(trial.configuration == baseline.name for trial in plan.trials)
    added = len(gate_jobs(definition, plan)) - own + len(tuning)
    unchecked = "" if settings or tuning else " It is not checked around its tuning: no hyperparameter is named."
    return f"{'; '.join(said) or 'nothing but its noise over the seeds'}: {added} trials more.{unchecked}".replace(
        ": 1 trials", ": 1 trial"
    )
