"""Workers and the order in which they are done: pools, threads, and the workers of torch's data loaders.

Loaded by the probe beside it; standard library only, for Python 3.8 and later. Level 1 of ``timing`` lets one worker do all, in the order in
which it was asked; level 2 hands results on in the opposite order. A level of ``workers`` is added to the workers of each data loader.
"""

import sys
import time

_DELAY = 0.03  # seconds by which a thread starts before the one that was asked for before it
_WAITED = 2.0  # seconds that the start of a thread waits for its end: one that waits for another must not wait for ever
_SLEEP = time.sleep

# As in `probe`: the program asks at once, or through any number of libraries.
AT_ONCE, FAR = 0, 2


def actions() -> "dict[str, object]":
    """What is done with each module, by its name."""
    return {
        "threading": _threading,
        "concurrent.futures": _futures,
        "concurrent.futures.thread": _thread_pool,
        "concurrent.futures.process": _process_pool,
        "multiprocessing.pool": _pool,
        "torch": _loaders,
    }


def _threading(module: "object", probe: "object") -> "None":
    if not probe.concerns("timing"):
        return
    original = module.Thread.start
    started = [0]

    def start(self: "object") -> "None":
        level = probe.levels.get("timing") if probe.asked("timing", "threading.Thread.start()", AT_ONCE) else None
        if level == 2:
            run, wait = self.run, (3 - started[0] % 4) * _DELAY
            started[0] += 1

            def later() -> "None":
                _SLEEP(wait)
                run()

            self.run = later
        original(self)
        if level == 1:
            self.join(_WAITED)

    module.Thread.start = start


def _one_worker(kind: "type", keyword: "str", what: "str", probe: "object") -> "None":
    """Make pools of one worker at level 1; the number is the first argument of each kind of pool, or has this name."""
    original = kind.__init__

    def __init__(self: "object", *arguments: "object", **named: "object") -> "None":  # noqa: N807
        if probe.asked("timing", what) and probe.levels.get("timing") == 1:
            if arguments:
                arguments = (1,) + arguments[1:]
            else:
                named[keyword] = 1
        original(self, *arguments, **named)

    kind.__init__ = __init__


def _thread_pool(module: "object", probe: "object") -> "None":
    if not probe.concerns("timing"):
        return
    kind = module.ThreadPoolExecutor
    _one_worker(kind, "max_workers", "ThreadPoolExecutor()", probe)
    if probe.levels.get("timing") != 2:
        return
    original, submitted = kind.submit, [0]

    def submit(self: "object", function: "object", *arguments: "object", **named: "object") -> "object":
        wait = (3 - submitted[0] % 4) * _DELAY if submitted[0] < 64 else 0.0
        submitted[0] += 1

        def later(*values: "object", **others: "object") -> "object":
            _SLEEP(wait)
            return function(*values, **others)

        return original(self, later, *arguments, **named)

    kind.submit = submit


def _process_pool(module: "object", probe: "object") -> "None":
    if probe.concerns("timing"):
        _one_worker(module.ProcessPoolExecutor, "max_workers", "ProcessPoolExecutor()", probe)


def _futures(module: "object", probe: "object") -> "None":
    if not probe.concerns("timing"):
        return
    original = module.as_completed

    def as_completed(fs: "object", timeout: "object" = None) -> "object":
        level = probe.levels.get("timing") if probe.asked("timing", "as_completed()") else None
        if level is None:
            return original(fs, timeout)
        # A set of futures has the order of their addresses; they are numbered as they were made only in a list.
        ordered = list(fs)
        module.wait(ordered, timeout)
        return iter(ordered if level == 1 else ordered[::-1])

    as_completed.__wrapped__ = original
    module.as_completed = as_completed


def _pool(module: "object", probe: "object") -> "None":
    if not probe.concerns("timing"):
        return
    _one_worker(module.Pool, "processes", "multiprocessing.Pool()", probe)
    original = module.Pool.imap_unordered

    def imap_unordered(self: "object", *arguments: "object", **named: "object") -> "object":
        level = probe.levels.get("timing") if probe.asked("timing", "imap_unordered()") else None
        if level is None:
            return original(self, *arguments, **named)
        ordered = list(self.imap(*arguments, **named))
        return iter(ordered if level == 1 else ordered[::-1])

    module.Pool.imap_unordered = imap_unordered


def _loaders(torch: "object", probe: "object") -> "None":
    """The number of workers of torch's data loaders, where they have any: what is drawn in a worker depends on it."""
    data = sys.modules.get("torch.utils.data")
    if data is None or not probe.concerns("workers"):
        return
    original = data.DataLoader.__init__

    def __init__(self: "object", dataset: "object", *arguments: "object", **named: "object") -> "None":  # noqa: N807
        if named.get("num_workers", 0) > 0 and probe.asked("workers", "DataLoader(num_workers=%d)" % named["num_workers"], FAR):
            named["num_workers"] += probe.levels.get("workers", 0)
        original(self, dataset, *arguments, **named)

    data.DataLoader.__init__ = __init__
