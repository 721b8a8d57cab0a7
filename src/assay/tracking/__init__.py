"""A run's life: begun, logged, saved, ended; in this process or around a command (floor 4)."""
