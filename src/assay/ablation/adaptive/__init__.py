"""A design that looks: combinations drawn at random, in an order fixed beforehand, until all comparisons are decided."""
