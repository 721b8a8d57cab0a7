"""Estimators on arrays: intervals, corrections, equivalence, designs' contrasts (floor 1). Pure: no file, no clock, no record."""
