"""The generators of `random`, NumPy and torch: where the program draws from them though nobody seeded them, and a seed for each.

Loaded by the probe beside it; standard library only, for Python 3.8 and later. Each function of `actions` is told its module as the import of
that ends. A seed of the program's own, set later, replaces the one that was set here.
"""

import sys

_RANDOM = (
    "random", "uniform", "randint", "randrange", "choice", "choices", "sample", "shuffle", "gauss", "normalvariate", "betavariate",
    "expovariate", "gammavariate", "lognormvariate", "paretovariate", "triangular", "vonmisesvariate", "weibullvariate", "getrandbits",
    "randbytes", "binomialvariate",
)
_TORCH = (
    "rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial", "poisson", "rand_like", "randn_like", "randint_like",
    "dropout", "seed",
)
_TENSOR = (
    "normal_", "uniform_", "random_", "bernoulli_", "exponential_", "cauchy_", "geometric_", "log_normal_", "bernoulli", "multinomial",
)
_FUNCTIONAL = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout", "gumbel_softmax", "rrelu")

FAR = 2  # as in `probe`: the program asks through any number of libraries


def actions() -> "dict[str, object]":
    """What is done with each module, by its name."""
    return {
        "random": _random,
        "numpy.random": _numpy,
        "torch": _torch,
        "sklearn.utils.validation": _checked,
        "scipy._lib._util": _checked,
    }


class Unseeded:
    """Whether a generator that all share has been seeded by the program; draws before that are reported."""

    def __init__(self, probe: "object", source: "str", prefix: "str") -> "None":
        self._probe = probe
        self._source = source
        self._prefix = prefix
        self.seeded = False

    def drawing(self, owner: "object", names: "object", own_generator: "bool" = False) -> "None":
        """Report draws by these functions; `own_generator`: a call that names a generator draws from that."""
        for name in names:
            original = getattr(owner, name, None)
            if callable(original):
                setattr(owner, name, self._drawing(name, original, own_generator))

    def _drawing(self, name: "str", original: "object", own_generator: "bool") -> "object":
        def drawn(*arguments: "object", **named: "object") -> "object":
            if not self.seeded and not (own_generator and named.get("generator") is not None):
                self.tell(name + "()")
            return original(*arguments, **named)

        return self._probe.named(drawn, original)

    def tell(self, what: "str") -> "None":
        """Report that this place draws from the generator, unless it is seeded."""
        if not self.seeded:
            self._probe.asked(self._source, self._prefix + what, FAR)

    def seeding(self, owner: "object", name: "str", with_none: "bool" = False) -> "None":
        """Take a call of this function for a seed; `with_none`: without a value too."""
        original = getattr(owner, name, None)
        if original is None:
            return

        def seeds(*arguments: "object", **named: "object") -> "object":
            given = arguments + tuple(named.values())
            self.seeded = bool(with_none or (given and given[0] is not None))
            return original(*arguments, **named)

        setattr(owner, name, self._probe.named(seeds, original))


def _random(module: "object", probe: "object") -> "None":
    if "random" in probe.levels:
        module.seed(probe.levels["random"])
    if probe.watching:
        state = Unseeded(probe, "random", "random.")
        state.drawing(module, _RANDOM)
        for name in ("seed", "setstate"):
            state.seeding(module, name)
    if probe.concerns("random", "names"):
        _instances(module, probe)


def _instances(module: "object", probe: "object") -> "None":
    """Generators that are made without a seed: the program's own, and the one that names temporary files."""
    original = module.Random
    made = [0]

    class Random(original):  # type: ignore[misc, valid-type]
        def __init__(self, x: "object" = None) -> "None":
            super().__init__(x)
            if x is not None or type(self) is not Random:
                return
            caller = sys._getframe(1).f_globals.get("__name__")
            source = "names" if caller == "tempfile" else "random"
            what = "temporary names" if source == "names" else "random.Random()"
            if probe.asked(source, what, FAR) and source in probe.levels:
                made[0] += 1
                self.seed(1000 * probe.levels[source] + made[0])

        def __reduce__(self) -> "object":
            return original, (), self.getstate()

    Random.__module__, Random.__qualname__ = "random", "Random"
    module.Random = Random


def _numpy(module: "object", probe: "object") -> "None":
    if "numpy" in probe.levels:
        module.seed(probe.levels["numpy"])
    if probe.watching:
        shared = module.mtrand._rand
        names = [name for name in dir(module) if getattr(getattr(module, name), "__self__", None) is shared]
        state = Unseeded(probe, "numpy", "numpy.random.")
        probe.numpy = state
        state.drawing(module, [name for name in names if name not in ("seed", "get_state", "set_state")])
        for name in ("seed", "set_state"):
            state.seeding(module, name)
    if probe.concerns("default_rng"):
        _bits(module.bit_generator, probe)


def _bits(module: "object", probe: "object") -> "None":
    """The entropy of every NumPy generator that is made without a seed."""
    original = module.randbits
    made = [0]

    def randbits(size: "int") -> "int":
        if probe.asked("default_rng", "a NumPy generator without a seed", FAR) and "default_rng" in probe.levels:
            made[0] += 1
            # A program may make many, in an order of its own; each has the entropy of its number.
            return (0x9E3779B97F4A7C15F39CC0605CEDC835 * (probe.levels["default_rng"] * 4096 + made[0])) % (1 << size)
        probe.native = True
        try:
            return original(size)
        finally:
            probe.native = False

    module.randbits = randbits


def _checked(module: "object", probe: "object") -> "None":
    """`random_state=None` of scikit-learn and SciPy, which draws from NumPy's global generator."""
    original = getattr(module, "check_random_state", None)
    if original is None or not probe.watching:
        return

    def check_random_state(seed: "object") -> "object":
        numpy = sys.modules.get("numpy.random")
        if (seed is None or seed is numpy) and getattr(probe, "numpy", None) is not None:
            probe.numpy.tell("* through random_state=None")
        return original(seed)

    module.check_random_state = probe.named(check_random_state, original)


def _torch(module: "object", probe: "object") -> "None":
    if "gpu" in probe.levels:
        module.backends.cudnn.benchmark = False
        module.backends.cudnn.deterministic = True
        module.set_deterministic_debug_mode("warn")
    if "torch" in probe.levels:
        level, seed = probe.levels["torch"], module.manual_seed
        seed(level)
        module.seed = lambda: seed(level).initial_seed()
    if not probe.watching:
        return
    state = Unseeded(probe, "torch", "torch.")
    state.drawing(module, _TORCH, own_generator=True)
    for name in _TENSOR:
        original = getattr(module.Tensor, name, None)
        if original is not None:
            setattr(module.Tensor, name, state._drawing("Tensor." + name, original, True))
    functional = sys.modules.get("torch.nn.functional")
    if functional is not None:
        state.drawing(functional, _FUNCTIONAL)
    for owner in (module, module.random):
        for name in ("manual_seed", "set_rng_state"):
            state.seeding(owner, name)
