"""Two runs side by side: what differs between them, and whether the result came back (floor 4)."""
