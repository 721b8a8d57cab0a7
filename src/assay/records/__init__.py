"""Frozen types that the floors talk through, and their canonical bytes and ids (floor 1)."""
