"""Nodes of a graph that are visited in the order of a set: that of their addresses."""
# planted: memory addresses


class Node:
    """A value with a place of its own."""

    def __init__(self, value):
        self.value = value


nodes = {Node(number) for number in range(40)}
score = 0.0
for node in nodes:
    score = 0.9 * score + 0.1 * node.value
print(f"score={score!r}")
