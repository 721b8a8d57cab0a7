"""Rows of designs as plain numbers: fractions, Hadamard and conference matrices, orders. They know nothing of components."""
