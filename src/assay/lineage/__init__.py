"""Which run made which content, and which runs built on it (floor 3)."""
