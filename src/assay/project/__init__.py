"""What a user holds (floor 8)."""
