"""What keeps a script from giving the same result twice: sources of nondeterminism, each set and varied in turn."""

from assay.questions.doctor.examine import diagnose as diagnose
