"""The command line (floor 9)."""
