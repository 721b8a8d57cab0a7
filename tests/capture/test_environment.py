"""The environment is that of the interpreter that runs the script; variables are recorded by allow-list and without secrets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from assay.capture.environment import VARIABLES, describe, settings
from assay.capture.interpreter import interpreter_of, this_interpreter
from assay.records.environment import Environment, Packages
from assay.store.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path)


def test_this_interpreter_is_described_and_stored(store: Store) -> None:
    """Both records come back from the store under their ids."""
    environment_id, environment = describe(store, this_interpreter(), {}, {"libopenblas.so": "0.3.27"})
    assert environment.python == "CPython {}.{}.{}".format(*sys.version_info[:3])
    assert environment.prefix == sys.prefix
    assert environment.blas == {"libopenblas.so": "0.3.27"}
    assert environment.os.startswith("Linux ")
    assert environment.libc
    assert store.objects.record(environment_id, Environment) == environment
    assert environment.packages is not None
    assert "pytest" in {package.name for package in store.objects.record(environment.packages, Packages).packages}


def test_another_interpreter_has_its_own_packages(store: Store, tmp_path: Path) -> None:
    """A virtual environment without Assay is described as it is, not as Assay's own."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    interpreter = interpreter_of([str(tmp_path / "venv/bin/python"), "x.py"], {"PATH": "/usr/bin:/bin"}, tmp_path)
    assert interpreter is not None
    _, environment = describe(store, interpreter, {}, {})
    assert environment.prefix == str(tmp_path / "venv")
    assert environment.packages is not None
    assert "assay" not in {package.name for package in store.objects.record(environment.packages, Packages).packages}


def test_without_an_interpreter_the_machine_is_still_described(store: Store) -> None:
    """Python and packages are then unknown, not Assay's."""
    environment_id, environment = describe(store, None, {"OMP_NUM_THREADS": "2"}, {})
    assert (environment.python, environment.executable, environment.packages) == (None, None, None)
    assert environment.hardware.cores > 0
    assert environment.variables == {"OMP_NUM_THREADS": "2"}
    assert environment_id in store.objects


def test_variables_are_recorded_by_allow_list(store: Store) -> None:
    """What is not on the list is not recorded, whatever it is; what is on it is searched for secrets."""
    variables = {
        "CUDA_VISIBLE_DEVICES": "0,1",
        "PYTHONPATH": "src",
        "LC_ALL": "C.UTF-8",
        "SLURM_JOB_ID": "77",
        "HOME": "/home/ada",
        "AWS_SECRET_ACCESS_KEY": "x",
        "HF_TOKEN": "x",
        "SLURM_JWT": "x",
        "TF_VAR_db_password": "x",
        "TORCH_ACCESS_TOKEN": "not-for-others",
        "NCCL_DEBUG_FILE": "odd\udcff",
    }
    recorded = describe(store, None, variables, {})[1].variables
    assert recorded == {
        "CUDA_VISIBLE_DEVICES": "0,1",
        "PYTHONPATH": "src",
        "LC_ALL": "C.UTF-8",
        "SLURM_JOB_ID": "77",
        "TORCH_ACCESS_TOKEN": "***",
        "NCCL_DEBUG_FILE": "odd\\xff",
    }


def test_every_entry_of_the_allow_list_is_honoured(store: Store) -> None:
    """Each name, and each beginning with something behind it."""
    variables = {name.replace("*", "X"): "1" for name in VARIABLES}
    assert set(describe(store, None, variables, {})[1].variables) == set(variables)


def test_a_changed_variable_or_library_is_another_environment(store: Store) -> None:
    """The cache within a process never gives a former environment."""
    one = describe(store, None, {"TZ": "UTC"}, {})[0]
    assert describe(store, None, {"TZ": "UTC"}, {})[0] == one
    assert describe(store, None, {"TZ": "CET"}, {})[0] != one
    assert describe(store, None, {"TZ": "UTC"}, {"libmkl.so": "1"})[0] != one


def test_a_second_store_gets_the_records_too(store: Store, tmp_path: Path) -> None:
    """What one store has is not taken for what another has."""
    describe(store, this_interpreter(), {}, {})
    (tmp_path / "second").mkdir()
    second = Store.open(tmp_path / "second")
    environment_id, environment = describe(second, this_interpreter(), {}, {})
    assert environment_id in second.objects
    assert environment.packages is not None
    assert environment.packages in second.objects


def test_settings_of_a_recipe_are_those_that_change_results() -> None:
    """Thread counts and flags; neither the host's job nor which accelerator is used, but that none is."""
    env = {"OMP_NUM_THREADS": "2", "PYTHONHASHSEED": "0", "SLURM_JOB_ID": "7", "CUDA_VISIBLE_DEVICES": "3", "HOME": "/home/ada"}
    assert settings(env) == ({"OMP_NUM_THREADS": "2"}, {"PYTHONHASHSEED": "0"})
    assert settings({"CUDA_VISIBLE_DEVICES": "-1"}) == settings({"CUDA_VISIBLE_DEVICES": ""}) == ({}, {"CUDA_VISIBLE_DEVICES": ""})
