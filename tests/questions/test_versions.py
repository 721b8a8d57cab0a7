"""Changes that libraries announced in their release notes, tried: recorded with the old version, recorded with the new one, and asked.

`assay why` has to name the package among other differences, and `assay matrix` the release, by bisection.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

slow = pytest.mark.slow


class Release(NamedTuple):
    """One change of a library.

    Attributes:
        package: its name.
        old, new: versions that were used.
        first: the release that changed it.
        beside: what else has to be installed, at versions that go with both.
        script: prints `result=`.
    """

    package: str
    old: str
    new: str
    first: str
    beside: tuple[str, ...]
    script: str


# 3.0.0, which was withdrawn for 3.0.0.1: the English stemmer was changed ("-ogist", "emerg-", "past-" and others).
STEMS = Release(
    "snowballstemmer", "2.1.0", "3.0.1", "3.0.0.1", (),
    "import snowballstemmer\n"
    "words = 'pasted past lateral later emergency emerge organ organize geologist geology internal dying skis added evening'.split()\n"
    "stem = snowballstemmer.stemmer('english').stemWord\n"
    "print(f'result={len({stem(word) for word in words})}')\n",
)  # fmt: skip
# 2.0.0: NEP 50, an integer that meets a uint8 stays one.
PROMOTION = Release(
    "numpy", "1.26.4", "2.0.2", "2.0.0", (),
    "import numpy as np\nnp.seterr(all='ignore')\n"
    "pixels = np.random.default_rng(0).integers(0, 256, 1000).astype(np.uint8)\n"
    "print(f'result={np.mean([float(pixel + 100) for pixel in pixels])!r}')\n",
)  # fmt: skip
# 1.4.0: KMeans starts once instead of ten times (n_init="auto").
KMEANS = Release(
    "scikit-learn", "1.3.1", "1.4.2", "1.4.0", ("numpy==1.26.4", "scipy==1.11.4", "joblib==1.3.2", "threadpoolctl==3.2.0"),
    "import warnings\nwarnings.simplefilter('ignore')\n"
    "from sklearn.cluster import KMeans\nfrom sklearn.datasets import load_digits\n"
    "print(f'result={KMeans(10, random_state=0).fit(load_digits().data[:300]).inertia_!r}')\n",
)  # fmt: skip
# 1.15.0: L-BFGS-B was ported from Fortran to C, and takes other steps.
SOLVER = Release(
    "scipy", "1.14.0", "1.15.1", "1.15.0", ("numpy==2.0.2",),
    "import numpy as np\nfrom scipy.optimize import minimize, rosen\n"
    "print(f'result={minimize(rosen, np.linspace(-1, 2, 20), method=\"L-BFGS-B\").nfev}')\n",
)  # fmt: skip
# 2.3.4 (pull request 29609): Generator.wald loses fewer digits where the mean is large beside the scale.
GENERATOR = Release(
    "numpy", "2.2.6", "2.4.4", "2.3.4", (),
    "import numpy as np\nprint(f'result={np.random.default_rng(0).wald(1, 1e-3, 100).sum()!r}')\n",
)  # fmt: skip


@pytest.fixture(scope="session")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every test has a home of its own; what uv fetched for one is there for the next."""
    return tmp_path_factory.mktemp("uv")


def uv(*words: object) -> None:
    subprocess.run([Path(sys.executable).with_name("uv"), *words], check=True, capture_output=True, text=True)


def environment(folder: Path, *packages: str) -> str:
    base = Path(sys.base_prefix, "bin", f"python{sys.version_info[0]}.{sys.version_info[1]}")
    uv("venv", "-q", "--python", base, folder)
    uv("pip", "install", "-q", "--only-binary", ":all:", "--python", folder / "bin" / "python", *packages)
    return str(folder / "bin" / "python")


def assay(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "assay", *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(STEMS, id="a stemmer"),
        pytest.param(PROMOTION, id="type promotion", marks=slow),
        pytest.param(KMEANS, id="a default", marks=slow),
        pytest.param(SOLVER, id="a solver", marks=slow),
        pytest.param(GENERATOR, id="a generator", marks=slow),
    ],
)
def test_a_release_that_changed_results(
    project: Path, tmp_path: Path, uv_cache: Path, monkeypatch: pytest.MonkeyPatch, change: Release
) -> None:
    """The package is named as the cause beside an argument, a file and another package; the release is found by bisection."""
    monkeypatch.setenv("UV_CACHE_DIR", str(uv_cache))
    monkeypatch.chdir(project)
    old = environment(tmp_path / "old", f"{change.package}=={change.old}", "idna==3.6", *change.beside)
    new = environment(tmp_path / "new", f"{change.package}=={change.new}", "idna==3.7", *change.beside)
    (project / "tools.py").write_text("A = 1\n")
    (project / "train.py").write_text("import tools\n" + change.script)
    assert assay("run", "--name", "good", "--", old, "train.py", "--tag", "one").returncode == 0
    (project / "tools.py").write_text("A = 2\n")
    assert assay("run", "--name", "bad", "--", new, "train.py", "--tag", "two").returncode == 0
    done = assay("why", "good", "bad", "--metric", "result", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert [(each["factor"], each["from"], each["to"]) for each in document["causes"]] == [(change.package, change.old, change.new)]
    assert {"idna", "tag", "tools.py"} <= {each["factor"] for each in document["ruled_out"]}
    done = assay("matrix", "good", "--vary", f"{change.package}=={change.old},{change.new}", "--level", "identical", "--json")
    (found,) = json.loads(done.stdout)["breaks"]
    assert done.returncode == 1 and found["adjacent"] and found["verdict_before"] == "identical"
    assert found["first_bad"] == change.first
