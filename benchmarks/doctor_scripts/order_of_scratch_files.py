"""Partial results that are read back in the order of their temporary names."""
# planted: names

import os
import tempfile

with tempfile.TemporaryDirectory() as folder:
    for number in range(8):
        descriptor, path = tempfile.mkstemp(dir=folder)
        os.write(descriptor, str(number).encode())
        os.close(descriptor)
    score = 0.0
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name)) as file:
            score = 0.5 * score + int(file.read())
print(f"score={score!r}")
