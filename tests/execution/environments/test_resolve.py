"""Versions are changed with what they force along and nothing else, and what does not go together is an answer."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from assay.errors import EnvironmentUnavailable, InvalidValue, PackagesConflict
from assay.execution.environments import available_versions, build, resolve
from assay.records.environment import Package

RECORDED = [
    Package(name="attrs", version="22.1.0", record="r1"),
    Package(name="jsonschema", version="4.0.0", record="r2"),
    Package(name="pyrsistent", version="0.18.0", record="r3"),
    Package(name="six", version="1.15.0", record="r4"),
]


def moved(found: list[Package], recorded: list[Package] = RECORDED) -> dict[str, str]:
    return {package.name: package.version for package in found if package not in recorded}


def test_one_version_changes_and_nothing_else(base_python: Path) -> None:
    found = resolve(RECORDED, {"six": "1.16.0"}, base_python)
    assert moved(found) == {"six": "1.16.0"}
    assert [package.name for package in found] == ["attrs", "jsonschema", "pyrsistent", "six"]


def test_a_change_to_the_recorded_version_keeps_the_record(base_python: Path) -> None:
    assert resolve(RECORDED, {"six": "1.15.0"}, base_python) == RECORDED


def test_what_a_version_requires_comes_along(base_python: Path) -> None:
    """jsonschema 4.18 requires attrs 22.2 and packages that were not there; six has nothing to do with it."""
    found = moved(resolve(RECORDED, {"jsonschema": "4.18.0"}, base_python))
    assert found.keys() == {"attrs", "jsonschema", "jsonschema-specifications", "referencing", "rpds-py"} | (
        found.keys() & {"typing-extensions"}
    )
    assert found["jsonschema"] == "4.18.0"


def test_versions_that_do_not_go_together_are_named(base_python: Path) -> None:
    with pytest.raises(PackagesConflict, match=r"attrs>=17\.4\.0") as caught:
        resolve(RECORDED, {"jsonschema": "4.0.0", "attrs": "17.3.0"}, base_python)
    assert caught.value.value == "jsonschema==4.0.0, attrs==17.3.0"
    assert isinstance(caught.value, EnvironmentUnavailable)


def test_what_others_require_cannot_be_taken_away(base_python: Path) -> None:
    with pytest.raises(PackagesConflict, match="jsonschema requires attrs"):
        resolve(RECORDED, {"attrs": None}, base_python)
    assert [package.name for package in resolve(RECORDED, {"six": None}, base_python)] == ["attrs", "jsonschema", "pyrsistent"]


def test_a_record_that_contradicts_itself_is_held_as_it_is(base_python: Path) -> None:
    """jsonschema 4.0.0 refuses attrs 17.3; pip installed both all the same, and a package that no index has and one of a folder."""
    recorded = [
        Package(name="assay-lost-thing", version="1.0"),
        Package(name="attrs", version="17.3.0"),
        Package(name="jsonschema", version="4.0.0"),
        Package(name="mine", version="0.1", origin="editable", url="/nowhere/mine"),
        Package(name="pyrsistent", version="0.18.0"),
        Package(name="six", version="1.15.0"),
    ]
    assert moved(resolve(recorded, {"six": "1.16.0"}, base_python), recorded) == {"six": "1.16.0"}


def test_a_version_without_a_wheel_for_this_python_makes_way(base_python: Path) -> None:
    """MarkupSafe 1.1.1 has wheels for Pythons up to 3.9; the next that has one is taken, and not the newest."""
    recorded = [Package(name="markupsafe", version="1.1.1"), Package(name="six", version="1.15.0")]
    found = moved(resolve(recorded, {}, base_python, recorded="CPython 3.8.18"), recorded)
    assert found.keys() == {"markupsafe"}
    assert found["markupsafe"].startswith("2.1." if sys.version_info < (3, 13) else "3.0.")
    with pytest.raises(PackagesConflict, match=r"markupsafe==1\.1\.1"):
        resolve(recorded, {"markupsafe": "1.1.1"}, base_python, recorded="CPython 3.8.18")


@pytest.mark.slow
def test_a_package_that_never_had_a_wheel_is_built_on_another_python_too(base_python: Path) -> None:
    recorded = [Package(name="docopt", version="0.6.2"), Package(name="markupsafe", version="1.1.1")]
    assert moved(resolve(recorded, {}, base_python, recorded="CPython 3.8.18"), recorded).keys() == {"markupsafe"}


def test_a_package_of_a_folder_has_no_other_version(base_python: Path) -> None:
    with pytest.raises(InvalidValue, match="installed from a folder"):
        resolve([Package(name="mine", version="0.1", origin="editable", url="/x")], {"Mine": "2"}, base_python)


def test_all_versions_are_listed_from_the_oldest(base_python: Path) -> None:
    """Of an interpreter without pip too."""
    found = available_versions("six", build([], base_python).python)
    assert found.index("1.9.0") < found.index("1.15.0") < found.index("1.16.0")
    assert found[0] == "0.9.0"


def test_an_unknown_package_has_no_versions(base_python: Path) -> None:
    with pytest.raises(EnvironmentUnavailable, match="no version of this package can be had"):
        available_versions("no-such-package-of-assay", base_python)
