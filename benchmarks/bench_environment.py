"""An environment of 50 packages built again while uv's cache is warm, wall seconds: beside uv alone, which builds the same with nothing
checked, cached or recorded, and `python -m venv` with `pip install`, whose cache is warm too.

Bar: at most 5 s, and at most the time of venv and pip.
"""

# Split from text, since a list would take a line for each package.
# ruff: noqa: SIM905

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

from measure import become_reaper, cpu_and_wall, medians, python, report

ROUNDS = 5
BAR = 5.0
PINS = """
    attrs==26.1.0 blinker==1.9.0 cachetools==8.0.2 certifi==2026.10.19.post1 click==8.5.1 colorama==0.4.6 cycler==0.12.1
    decorator==5.3.1 distlib==0.4.4 docutils==0.23 filelock==4.3.1 fsspec==2026.9.0 httplib2==0.32.1 humanize==4.17.0
    idna==3.20 importlib-metadata==10.2.0 iniconfig==2.3.1 itsdangerous==2.2.0 jinja2==3.1.6 jmespath==1.1.0
    joblib==1.6.0 markdown-it-py==4.3.0 mdurl==0.1.2 more-itertools==11.2.1 packaging==26.4 platformdirs==4.14.8
    pluggy==1.7.0 pyasn1==0.6.5 pygments==2.21.0 pyparsing==3.3.3 python-dateutil==4.0.0 pytz==2026.6 requests==2.34.2
    rsa==4.9.1 six==1.17.0 sortedcontainers==2.4.0 tabulate==0.10.0 termcolor==3.3.0 threadpoolctl==3.8.0 toml==0.10.2
    tomli==2.5.0 toolz==1.2.0 tqdm==4.70.1 typing-extensions==4.16.0 tzdata==2026.6 urllib3==2.8.0 wcwidth==0.9.4
    webencodings==0.6.1 werkzeug==3.1.9 zipp==4.1.2
""".split()
OURS = """
import sys
from assay.execution.environments import build
from assay.records.environment import Package
pins = [line.split("==") for line in open(sys.argv[1]).read().split()]
built = build([Package(name=name, version=version) for name, version in pins], "/".join((sys.base_prefix, "bin/python3")))
assert built.findings == (), built.findings
"""


def main() -> int:
    become_reaper()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        figures = measured(place)
    met = figures["assay"] <= BAR
    title = "an environment of 50 packages from a warm cache"
    fair = report(title, "s", figures, ours="assay", peer="venv and pip", bar=1)
    print(f"  {'assay, bar ' + format(BAR, 'g') + ' s':44} {figures['assay']:10.3f} s   {'met' if met else 'MISSED'}")
    return 0 if met and fair else 1


def measured(place: Path) -> dict[str, float]:
    lines = place / "pins.txt"
    lines.write_text("\n".join(PINS))
    # No user's cache is filled or emptied, and every tool starts with what it has put into its own.
    env = {
        **os.environ,
        "UV_CACHE_DIR": str(place / "uv"),
        "PIP_CACHE_DIR": str(place / "pip"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    uv = str(Path(python()).parent / "uv")
    numbers = count()

    def wall(*commands: list[str], **variables: str) -> float:
        return sum(cpu_and_wall(command, cwd=place, env={**env, **variables})[1] for command in commands)

    def ours() -> float:
        return wall([python(), "-c", OURS, str(lines)], XDG_CACHE_HOME=str(place / f"cache-{next(numbers)}"))

    def again() -> float:
        return wall([python(), "-c", OURS, str(lines)], XDG_CACHE_HOME=str(place / "cache-kept"))

    def uv_alone() -> float:
        new = place / f"uv-{next(numbers)}"
        install = [uv, "pip", "install", "-q", "--no-deps", "--python", str(new), "-r", str(lines)]
        return wall([uv, "venv", "-q", "--python", sys.base_prefix + "/bin/python3", str(new)], install)

    def venv_and_pip() -> float:
        new = place / f"venv-{next(numbers)}"
        install = [str(new / "bin/pip"), "install", "-q", "--no-deps", "-r", str(lines)]
        return wall([sys.base_prefix + "/bin/python3", "-m", "venv", str(new)], install)

    candidates: dict[str, Callable[[], float]] = {
        "uv alone": uv_alone,
        "assay": ours,
        "assay, kept": again,
        "venv and pip": venv_and_pip,
    }
    return medians(candidates, ROUNDS)


if __name__ == "__main__":
    sys.exit(main())
