"""What one rank of a distributed program prints and uses: loaded by the tracer beside it where the environment names a rank.

Standard library only, for Python 3.8 and later. All ranks share one terminal or pipe, so only the rank itself can say which words are its.
"""

import os
import sys
import time


def listen(report: "object", fact_record: "object") -> "None":
    """Report each text that this process writes to its standard streams. What is written past Python's streams is not seen."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name, None)
        if stream is not None:
            _tee(stream, name, report, fact_record)


def _tee(stream: "object", name: "str", report: "object", fact_record: "object") -> "None":
    write = stream.write

    def teed(text: "str") -> "int":
        written = write(text)
        try:
            report(fact_record("o", (time.time(), name, str(text))))
        except Exception:  # the words are where the user wanted them; that the record lacks them must not stop the program
            pass
        return written

    try:
        stream.write = teed
    except AttributeError:  # a stream of another kind than Python's own
        pass


def used() -> "dict[str, float]":
    """Seconds of CPU time and peak resident bytes of this process."""
    spent = os.times()
    peak = 0
    try:
        with open("/proc/self/status", "rb") as status:
            peak = next((int(line.split()[1]) * 1024 for line in status if line.startswith(b"VmHWM:")), 0)
    except (OSError, ValueError):
        pass
    return {"cpu_user": spent.user, "cpu_system": spent.system, "peak_memory": float(peak)}
