"""A mean of means, over as many chunks as there are processors."""
# planted: cpus

import os

values = [number**1.5 for number in range(101)]
count = os.cpu_count() or 1
size = -(-len(values) // count)
chunks = [values[start : start + size] for start in range(0, len(values), size)]
print(f"mean={sum(sum(chunk) / len(chunk) for chunk in chunks) / len(chunks)!r}")
