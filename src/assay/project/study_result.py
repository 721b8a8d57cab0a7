"""What came of a study, as a user holds it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from assay.project.causal import CausalResult, causal
from assay.project.sensitivity_answer import SensitivityResult, answer
from assay.project.sensitivity_asked import Wanted
from assay.project.sensitivity_studies import AnyStudy, Design, Subject
from assay.questions.study.archive import keep_evidence
from assay.questions.study.indices import interaction_indices
from assay.questions.study.pareto import pareto
from assay.questions.study.survival import questioned
from assay.records.effect import Answer, Effect, Interaction
from assay.records.evidence import StudyEvidence, TrialResult
from assay.records.finding import Finding
from assay.records.gate import GateEvidence
from assay.records.pareto import ParetoFront
from assay.records.sensitivity import SensitiveTo
from assay.report.tables import Format, table
from assay.report.write import Report, write_report
from assay.store.root import find_root
from assay.store.store import Store

DEFAULT_WIDTH = 100


class StudyResult:
    """Effects, interactions, findings and answers of a study, with every trial they rest on.

    Attributes:
        evidence: all of it as one record.
        source: the study that was run; None where the evidence is all there is.
        root: root of the project that has its runs.
    """

    def __init__(self, evidence: StudyEvidence, source: AnyStudy | None = None, root: Path | None = None) -> None:
        self.evidence = evidence
        self.source = source
        self.root = root

    @property
    def study(self) -> str:
        """Id of the study."""
        return self.evidence.study

    @property
    def effects(self) -> tuple[Effect, ...]:
        """Variant minus baseline, one for each comparison and metric."""
        return self.evidence.effects

    @property
    def interactions(self) -> tuple[Interaction, ...]:
        """Of components that the design could combine."""
        return self.evidence.interactions

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What a reader must know: no-ops, failed trials, NaN, reuse."""
        return self.evidence.findings

    @property
    def answers(self) -> tuple[Answer, ...]:
        """One for each hypothesis."""
        return self.evidence.answers

    @property
    def gate(self) -> GateEvidence | None:
        """Whether the baseline can be believed; `gate.stops`: it cannot, and no ablation was run."""
        return self.evidence.gate

    @property
    def outcomes(self) -> tuple[TrialResult, ...]:
        """One row for each trial of the plan, in its order."""
        return self.evidence.rows

    def with_findings(self, findings: Sequence[Finding]) -> StudyResult:
        """The result with more that a reader must know, such as what the executor had to do so that trials could run."""
        more = msgspec.structs.replace(self.evidence, findings=(*self.evidence.findings, *findings))
        return StudyResult(more, self.source, self.root)

    def kept_with(self, store: Store, findings: Sequence[Finding]) -> StudyResult:
        """The same, in the store too; as it is where nothing is to be added."""
        if not findings:
            return self
        result = self.with_findings(findings)
        keep_evidence(store, result.evidence)
        return result

    def table(self, format: Format = "terminal", *, width: int = DEFAULT_WIDTH) -> str:  # noqa: A002 - the word users know
        """Configurations x metrics, differences with intervals, remarks.

        Raises:
            InvalidValue: `format` is not "terminal", "markdown" or "latex".
        """
        return table(self.evidence, format, width=width)

    def pareto(self, *metrics: str) -> ParetoFront:
        """The configurations held against each other in several metrics at once: which are on the front, as far as the seeds tell.

        Args:
            metrics: two or more of the study's, or "seconds", "cpu_seconds", "peak_memory"; by default all of the study's.

        Raises:
            UnknownMetric: the study has no goal for one of them.
            InvalidStudy: fewer than two.
        """
        return pareto(self.evidence, metrics)

    def interaction_indices(self, metric: str = "", *, index: str = "shapley", order: int = 2) -> tuple[Interaction, ...]:
        """What sets of components do together beyond what fewer of them do, where every combination was run; intervals hold together.

        Args:
            metric: one of the study's; by default its first.
            index: "shapley", "banzhaf" or "shapley-taylor".
            order: components in a set, 2 to 4.

        Raises:
            InvalidStudy: the plan does not run every combination.
            InvalidValue: there is no such index, or no set of this order.
            UnknownMetric: the study has no such metric.
        """
        return interaction_indices(self.evidence, metric, index=index, order=order)

    def report(self, folder: str | Path) -> Report:
        """Write the report into `folder`: a page, tables, effects as JSON.

        Raises:
            BrokenError: the folder cannot be written.
        """
        return write_report(self.evidence, folder)

    def sensitivity(self, to: SensitiveTo, **options: Any) -> SensitivityResult:
        """Whether what the study concluded survives other seeds, parameters, splits, metrics or data; options as for `assay.sensitivity`.

        Raises:
            AssayError: as `assay.sensitivity` raises it.
        """
        found = answer(self.subject(), to, Wanted(**options))
        self.evidence = questioned(self.evidence, [*self.evidence.sensitivity, found.sensitivity])
        return found

    def causal(self, **options: Any) -> CausalResult:
        """What the study says of causes: `mediator="parameters"`, `through={"parameters": "width"}`, `placebo="name"`, `graph={...}`.

        Raises:
            InvalidStudy: a component does not exist, or the graph cannot be.
            UnknownMetric: no trial recorded a variable.
        """
        return causal(self.evidence, sealed=self.source.graph if self.source is not None else None, **options)

    def subject(self) -> Subject:
        """This study as one whose conclusions are questioned."""
        return Subject(self.evidence, self.source, Design.of(self.evidence.plan), self.root or find_root(Path.cwd()))

    def __repr__(self) -> str:
        return self.table()
