"""Objects, trees, run folders, journals and the catalogue derived from them (floor 2)."""
