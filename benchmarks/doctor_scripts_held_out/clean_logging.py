"""Logs with times, a generator with a seed, temporary files: only the last line is a result."""
# planted: nothing

import logging
import random
import tempfile
import threading

logging.basicConfig(format="%(asctime)s %(process)d %(message)s", level=logging.INFO)
rng = random.Random("fixed")
with tempfile.NamedTemporaryFile("w+") as file:
    thread = threading.Thread(target=lambda: file.write(" ".join(str(rng.random()) for _ in range(5))))
    thread.start()
    thread.join()
    file.seek(0)
    values = [float(word) for word in file.read().split()]
logging.info("wrote %d values to %s", len(values), file.name)
print(f"mean={sum(values) / len(values)!r}")
