"""Do it again: a run's code, inputs and settings put into a fresh folder, carried out once more, and compared."""

from assay.questions.reproduce.again import reproduce as reproduce
from assay.questions.reproduce.design import Asked as Asked
from assay.questions.reproduce.several import repeat as repeat
