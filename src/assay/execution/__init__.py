"""A recipe made real: trials carried out in clean processes or in folders of their own (floor 5)."""
