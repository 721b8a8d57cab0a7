"""`python -m assay`: the command line."""

from __future__ import annotations

from assay.cli.main import entry

if __name__ == "__main__":
    entry()
