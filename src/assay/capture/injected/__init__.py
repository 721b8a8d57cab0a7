"""What enters the user's interpreter: one file of the standard library alone. It imports nothing of Assay."""
