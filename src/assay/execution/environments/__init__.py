"""Environments made again from the record of their packages, with uv, in the user's cache; and versions changed in them."""

from assay.execution.environments.build import Built as Built
from assay.execution.environments.build import build as build
from assay.execution.environments.interpreters import interpreter_for as interpreter_for
from assay.execution.environments.interpreters import interpreters as interpreters
from assay.execution.environments.resolve import resolve as resolve
from assay.execution.environments.versions import available_versions as available_versions
