"""Trials on other machines: servers that a scheduler starts, and that come back to the study's process."""
