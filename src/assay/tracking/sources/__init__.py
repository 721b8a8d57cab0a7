"""Metrics of scripts that never heard of Assay: one module for each format they are written in, read after the run has ended."""
