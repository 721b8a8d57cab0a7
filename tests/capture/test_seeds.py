"""One seed for all libraries: real ones, imported before and after."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import assay
from assay.capture.trace import collect, injection
from assay.errors import InvalidValue

DRAWS = {
    "random": "import random; print(random.random())",
    "numpy": "import numpy; print(numpy.random.rand(3))",
    "torch": "import torch; print(torch.rand(3)); torch.nn.Linear(2, 2).weight.tolist()",
    "tensorflow": "import tensorflow as tf; print(tf.random.normal([3]).numpy())",
}


def needs(library: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(importlib.util.find_spec(library) is None, reason=f"{library} is not installed")


LIBRARIES = [pytest.param(name, marks=needs(name)) for name in DRAWS]


def python(*arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, check=True
    )


def output(code: str, cwd: Path, **env: str) -> str:
    return python("-c", code, cwd=cwd, **env).stdout


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_imported_later_is_seeded(tmp_path: Path, library: str) -> None:
    """One line before the import, and two processes draw the same; another seed draws otherwise."""
    code = "import assay; assay.set_deterministic_seed({}); " + DRAWS[library]
    draws = [output(code.format(seed), tmp_path, PYTHONHASHSEED="0") for seed in (5, 5, 6)]
    assert draws[0] == draws[1] != draws[2]


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_library_imported_before_is_seeded(tmp_path: Path, library: str) -> None:
    """The line after the import gives the same draws as the line before it."""
    first = DRAWS[library].partition(";")[0]
    before = output("import assay; assay.set_deterministic_seed(5); " + DRAWS[library], tmp_path, PYTHONHASHSEED="0")
    after = output(f"{first}; import assay; assay.set_deterministic_seed(5); " + DRAWS[library], tmp_path, PYTHONHASHSEED="0")
    assert before == after


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_script_that_never_heard_of_assay(tmp_path: Path, library: str) -> None:
    """With the injected tracer and a seed, a plain script draws the same every time, and what was seeded is reported."""
    draws = []
    for number, seed in enumerate((5, 5, 6)):
        added = injection(tmp_path / str(number), seed=seed, env=os.environ)
        draws.append(output(DRAWS[library], tmp_path, **added))
    assert draws[0] == draws[1] != draws[2]
    settings = collect(tmp_path / "0").determinism
    assert (settings.seed, settings.hash_seed) == (5, "5")
    assert library in settings.seeded


def test_sets_of_text_have_one_order(tmp_path: Path) -> None:
    """With the injected seed the hash seed is fixed too."""
    orders = {
        output("print(set(map(str, range(50))))", tmp_path, **injection(tmp_path / str(i), seed=5, env=os.environ))
        for i in range(3)
    }
    assert len(orders) == 1


def test_nothing_is_imported(tmp_path: Path) -> None:
    """Seeding imports no library that the user has not imported, whether called or injected."""
    names = "print([n for n in ('random', 'numpy', 'torch', 'tensorflow', 'jax') if n in sys.modules])"
    assert output("import sys, assay; assay.set_deterministic_seed(1); " + names, tmp_path, PYTHONHASHSEED="0") == "[]\n"
    assert output("import sys; " + names, tmp_path, **injection(tmp_path / "run", seed=1, env=os.environ)) == "[]\n"


def test_modules_look_as_ever(tmp_path: Path) -> None:
    """The loader and the spec that a seeded module shows are its own."""
    code = "import random; print(type(random.__loader__), vars(random.__loader__), random.__spec__.origin, random.__spec__.cached)"
    plain = output(code, tmp_path, PYTHONHASHSEED="1")
    assert output(code, tmp_path, **injection(tmp_path / "run", seed=1, env=os.environ)) == plain


@pytest.mark.parametrize("seed", [None, 5])
def test_the_scripts_own_line_wins_and_is_reported(tmp_path: Path, seed: int | None) -> None:
    """A script that seeds itself through Assay, under the tracer, with and without a seed of the run: its seed counts, before and later."""
    added = injection(tmp_path / "run", seed=seed, env=os.environ)
    code = "import random, assay; assay.set_deterministic_seed(9); import numpy; print(random.random(), numpy.random.rand())"
    drawn = output(code, tmp_path, **{"PYTHONHASHSEED": "0", **added})
    assert drawn == output(code, tmp_path, PYTHONHASHSEED="0")
    settings = collect(tmp_path / "run").determinism
    assert (settings.seed, settings.seeded) == (9, ("random", "numpy"))


@needs("torch")
def test_torch_settings(tmp_path: Path) -> None:
    """PyTorch is told to be deterministic, and the settings are in the report."""
    added = injection(tmp_path / "run", seed=1, env=os.environ)
    output("import torch", tmp_path, **added)
    flags = collect(tmp_path / "run").determinism.frameworks["torch"]
    assert flags["deterministic_algorithms"] == "True"
    assert (flags["cudnn.benchmark"], flags["cudnn.deterministic"]) == ("False", "True")
    assert int(flags["threads"]) >= 1
    assert {"matmul.allow_tf32", "cudnn.allow_tf32", "float32_matmul_precision", "version"} <= flags.keys()


@needs("torch")
def test_reading_settings_prints_nothing(tmp_path: Path) -> None:
    """The report at the end of a program that used torch adds nothing to its output, warnings included."""
    done = python("-W", "always", "-c", "import torch", cwd=tmp_path, **injection(tmp_path / "run", seed=None, env=os.environ))
    plain = python("-W", "always", "-c", "import torch", cwd=tmp_path)
    assert (done.stdout, done.stderr) == (plain.stdout, plain.stderr)
    assert collect(tmp_path / "run").determinism.seeded == ()


def test_the_hash_seed_cannot_be_set_any_more(tmp_path: Path) -> None:
    """Where hashes are random it is said once, with the next step, and children get the seed; where they are fixed nothing is said."""
    code = "import assay, os; assay.set_deterministic_seed(7); assay.set_deterministic_seed(7); print(os.environ['PYTHONHASHSEED'])"
    loud = python("-c", code, cwd=tmp_path, PYTHONHASHSEED="random")
    assert loud.stdout == "7\n"
    assert loud.stderr.count("RuntimeWarning") == 1
    assert "assay run --seed 7" in loud.stderr and "PYTHONHASHSEED=7" in loud.stderr
    assert python("-c", code, cwd=tmp_path, PYTHONHASHSEED="3").stderr == ""


@pytest.mark.parametrize("seed", [-1, 2**32, 1.0, "1", None, True])
def test_what_is_no_seed(seed: object) -> None:
    """A value that some library would refuse is refused for all, with the range."""
    with pytest.raises(InvalidValue, match="4294967295"):
        assay.set_deterministic_seed(seed)  # type: ignore[arg-type]


@needs("jax")
def test_jax_settings_are_reported(tmp_path: Path) -> None:
    """JAX has nothing to seed; its settings are in the report."""
    output("import jax", tmp_path, **injection(tmp_path / "run", seed=1, env=os.environ))
    assert "default_prng_impl" in collect(tmp_path / "run").determinism.frameworks["jax"]
