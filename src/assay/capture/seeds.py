"""One seed for every library, with the deterministic settings of each."""

from __future__ import annotations

import os
import warnings

from assay.capture.injected import tracer
from assay.errors import InvalidValue

_warned: set[str] = set()


def check_seed(seed: object) -> int:
    """`seed`, if it is one that every library takes.

    Raises:
        InvalidValue: it is not an integer in 0 … 2**32-1.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise InvalidValue(
            "this is no seed",
            value=seed,
            expected="an integer in 0 … 4294967295",
            next_step="NumPy takes no other; choose one in that range.",
        )
    return seed


def set_deterministic_seed(seed: int) -> None:
    """Seed the global generators of this process and choose deterministic algorithms, now and for libraries imported later.

    - `random` and NumPy's global generator take `seed`. A `numpy.random.default_rng()` without a seed stays random.
    - PyTorch: `torch.manual_seed` (CPU and all devices), deterministic algorithms with a warning from torch where an operation has none
      (it does not raise: the run still finishes), cuDNN without benchmark and deterministic.
    - TensorFlow: `tf.random.set_seed` and op determinism.
    - JAX has no global generator: its keys are the program's own, so only the settings below apply.
    - CUBLAS_WORKSPACE_CONFIG, TORCHINDUCTOR_DETERMINISTIC and TF_DETERMINISTIC_OPS are set where they are not, and PYTHONHASHSEED for
      processes started from now on.

    A library that is not imported is not imported here; it is seeded when the program's own import of it ends. The order of sets of text
    in this process was decided before it started: a warning says so once, unless PYTHONHASHSEED was fixed then.

    Args:
        seed: an integer in 0 … 2**32-1.

    Raises:
        InvalidValue: `seed` is not such an integer.

    >>> import random
    >>> set_deterministic_seed(7)
    >>> first = random.random()
    >>> set_deterministic_seed(7)
    >>> random.random() == first
    True
    """
    check_seed(seed)
    tracer.active_seeding().set(seed)
    if tracer.hash_seed() == "random":
        _warn_of_hashes(seed)
    os.environ["PYTHONHASHSEED"] = str(seed)


def _warn_of_hashes(seed: int) -> None:
    if "hashes" not in _warned:
        _warned.add("hashes")
        warnings.warn(
            f"the order of sets of text stays random in this process: Python fixes it before it starts. "
            f"Start with `assay run --seed {seed} …` or PYTHONHASHSEED={seed}, if results can depend on it.",
            RuntimeWarning,
            stacklevel=3,
        )
