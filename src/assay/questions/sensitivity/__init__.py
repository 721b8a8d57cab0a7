"""Whether what a study concluded survives other seeds, parameters, splits, metrics and data. Pure: studies are carried out by the caller."""

from assay.questions.sensitivity.answering import Asked as Asked
from assay.questions.sensitivity.answering import judge as judge
from assay.questions.sensitivity.decomposing import Cell as Cell
from assay.questions.sensitivity.decomposing import decompose as decompose
