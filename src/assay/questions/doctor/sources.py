"""The sources of nondeterminism that can be set: what each is, whether it varies by itself, and what to change where it moves a result."""

from __future__ import annotations

from typing import Final, NamedTuple


class Source(NamedTuple):
    """One thing that another run of the same recipe may have differently.

    Attributes:
        name: what it is called, and its key among levels.
        by_itself: it differs from run to run here, whoever does nothing.
        change: what to change in the script, or to set, so that it moves the result no more.
        setting: what has to be the same elsewhere, where it can be the same by a setting or a choice of machine; else empty.
        witnessed: it is tested only where the program was seen to use it; else always, or by a rule of its own.
    """

    name: str
    by_itself: bool
    change: str
    setting: str = ""
    witnessed: bool = True


HASH_SEED: Final = "hash seed"
ADDRESSES: Final = "memory addresses"
FOLDER: Final = "working folder"
THREADS: Final = "thread count"
CPU: Final = "CPU class"
GPU: Final = "GPU algorithms"
LEFT_OVER: Final = "left-over files"

# What varies by itself comes first, the likeliest first; what varies with the machine follows, numerics last.
SOURCES: Final = (
    Source("numpy", True, "Seed NumPy's global generator before its first draw (numpy.random.seed), or pass random_state to what draws."),
    Source("torch", True, "Call torch.manual_seed before the first draw: layers draw their weights as they are made."),
    Source("random", True, "Call random.seed before the first draw, and give every random.Random a seed."),
    Source("default_rng", True, "Give every NumPy generator a seed: numpy.random.default_rng(seed)."),
    Source("entropy", True, "Draw from a seeded generator in place of os.urandom, secrets and uuid, or keep these out of the result."),
    Source("clock", True, "Keep the time out of seeds, of results and of decisions such as when to stop: count steps."),
    Source("timing", True, "Take results in the order in which they were asked for (map, imap), and let no two threads write to the same thing."),
    Source("names", True, "Keep the names of temporary files out of the result, and out of any order."),
    Source("process", True, "Keep the process id out of seeds and results."),
    Source(HASH_SEED, True, "Sort sets before their order can matter, and do not use hash(); or export PYTHONHASHSEED=0.",
           "PYTHONHASHSEED", witnessed=False),
    Source(ADDRESSES, True, "Do not order or seed by id(), the default hash() or repr() of an object, nor iterate over sets of such objects.",
           witnessed=False),
    Source(GPU, True, "Set torch.use_deterministic_algorithms(True), torch.backends.cudnn.benchmark = False and "
           "CUBLAS_WORKSPACE_CONFIG=:4096:8.", "deterministic GPU algorithms", witnessed=False),
    Source(LEFT_OVER, False, "Write each run into a fresh folder: in the project's folder the script goes on with, or adds to, what earlier "
           "runs left there.", witnessed=False),
    Source("listing", False, "Sort what os.listdir, os.scandir, glob and pathlib list: sorted(...).", "the same order of folder listings"),
    Source("host", False, "Keep user, host name and environment variables out of seeds and results; pass what matters as an argument.",
           "the same user, host and variables"),
    Source("cpus", False, "Do not derive numbers of workers, chunks or batches from the number of processors; pass them as arguments.",
           "the same number of processors"),
    Source("workers", False, "Seed by item and not by worker, or take the number of workers as part of the recipe.",
           "the same number of data-loader workers"),
    Source(FOLDER, False, "Keep absolute paths out of seeds, orders and results.", "the same folder", witnessed=False),
    Source(THREADS, False, "Set OMP_NUM_THREADS, MKL_NUM_THREADS and OPENBLAS_NUM_THREADS: a sum depends on how it is split.",
           "the same number of threads", witnessed=False),
    Source(CPU, False, "Nothing in the script: libraries choose their instructions by the CPU. Compare across CPU classes numerically.",
           "a CPU of the same class", witnessed=False),
)  # fmt: skip

BY_NAME: Final = {source.name: source for source in SOURCES}

SHOWN: Final = {
    "numpy": "unseeded NumPy",
    "torch": "unseeded torch",
    "random": "unseeded random",
    "default_rng": "unseeded NumPy generator",
    "entropy": "system entropy",
    "timing": "order of workers",
    "names": "temporary names",
    "process": "process id",
    "listing": "listing order",
    "host": "user, host, variables",
    "cpus": "number of processors",
    "workers": "data-loader workers",
}
"""What people are told where a key is too short for them."""


def shown(name: str) -> str:
    """A source as people are told of it.

    >>> shown("torch"), shown("clock")
    ('unseeded torch', 'clock')
    """
    return SHOWN.get(name, name)
