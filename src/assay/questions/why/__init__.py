"""Why a metric differs between two runs: the differences, flipped one by one and together, until it is clear which moved it."""

from assay.questions.why.why import Limits as Limits
from assay.questions.why.why import Split as Split
from assay.questions.why.why import why as why
