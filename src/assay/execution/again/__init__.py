"""A recorded run carried out again, as it was or with something of it changed, in a folder of its own."""

from assay.execution.again.carry_out import Terms as Terms
from assay.execution.again.carry_out import carry_out as carry_out
from assay.execution.again.carry_out import check_runnable as check_runnable
from assay.execution.again.crew import Carried as Carried
from assay.execution.again.crew import carry_out_all as carry_out_all
from assay.execution.again.original import Original as Original
from assay.execution.again.original import read_original as read_original
from assay.execution.again.reseed import equals as equals
from assay.execution.again.reseed import reseeded as reseeded
from assay.execution.again.reseed import seed_of as seed_of
from assay.execution.again.reseed import sisters as sisters
