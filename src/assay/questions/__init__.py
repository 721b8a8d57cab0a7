"""The questions that are asked of recipes: what matters, does it come back (floor 6)."""
