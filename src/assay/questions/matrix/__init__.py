"""Where a result still holds: one run under many versions of packages and Python."""

from assay.questions.matrix.axes import axis as axis
from assay.questions.matrix.matrix import Asked as Asked
from assay.questions.matrix.matrix import matrix as matrix
from assay.questions.matrix.watching import watched as watched
