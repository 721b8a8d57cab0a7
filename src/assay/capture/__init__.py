"""What determines a run, observed: code, data, environment, seeds, trace (floor 3)."""
