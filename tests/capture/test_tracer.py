"""The file that enters the user's interpreter: what it sees there, and that nobody notices it."""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assay.capture.injected import tracer
from assay.capture.trace import Observed, collect, injection

PYTHONS = sorted(
    {
        os.path.realpath(found)
        for name in ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
        for found in (shutil.which(f"python{name}"), *map(str, Path.home().glob(f".pyenv/versions/{name}.*/bin/python")))
        if found and "/shims/" not in found  # a shim is a shell script that may refuse
    }
)


def run(
    folder: Path, *arguments: str, seed: int | None = None, python: str = sys.executable, **env: str
) -> subprocess.CompletedProcess[bytes]:
    """Run an interpreter in `folder`, traced into `folder/run`."""
    base = {**os.environ, **env}
    added = injection(folder / "run", seed=seed, env=base)
    return subprocess.run([python, *arguments], cwd=folder, env={**base, **added}, capture_output=True, check=False)


def observe(folder: Path, source: str, *arguments: str, **env: str) -> Observed:
    """What is observed of a script with this source, which must succeed."""
    (folder / "script.py").write_text(source)
    done = run(folder, "script.py", *arguments, **env)
    assert done.returncode == 0, done.stderr.decode()
    return collect(folder / "run")


def below(folder: Path, paths: object) -> set[str]:
    """Observed names relative to `folder`."""
    prefix = str(folder) + "/"
    return {path[len(prefix) :] for path in paths if path.startswith(prefix)}  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["tracer", "natives", "ranks", "notebook", "many", "aside"])
def test_parses_as_python_3_8(name: str) -> None:
    """The file is valid syntax for the oldest interpreter that it serves, and imports only the standard library."""
    source = (Path(tracer.__file__).parent / f"{name}.py").read_text()
    tree = ast.parse(source, feature_version=(3, 8))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert imported - {"sitecustomize"} <= set(sys.stdlib_module_names)
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]


@pytest.mark.parametrize("python", PYTHONS)
def test_sees_reads_and_writes_under_every_interpreter(tmp_path: Path, python: str) -> None:
    """Whatever interpreters are here: a file that was read, one that was written, the module and the script are seen."""
    (tmp_path / "data.txt").write_text("1")
    (tmp_path / "part.py").write_text("value = 1\n")
    (tmp_path / "script.py").write_text("import part\nopen('out.txt', 'w').write(open('data.txt').read())\n")
    done = run(tmp_path, "script.py", python=python)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    seen = collect(tmp_path / "run")
    assert below(tmp_path, seen.reads) >= {"data.txt"}
    assert below(tmp_path, seen.writes) >= {"out.txt"}
    assert below(tmp_path, seen.loaded) == {"part.py", "script.py"}
    assert len(seen.interpreters) == 1


def test_sees_every_way_to_open(tmp_path: Path) -> None:
    """open, os.open, pathlib, bytes, PathLike, csv, numpy: each first read is seen with its stat record; a number is no name."""
    for name in "abcdef":
        (tmp_path / f"{name}.csv").write_text("1,2\n")
    seen = observe(
        tmp_path,
        "import csv, os, pathlib, numpy\n"
        "open('a.csv').read(); open('a.csv').read()\n"
        "number = os.open('b.csv', os.O_RDONLY); open(number).read()\n"
        "pathlib.Path('c.csv').read_text()\n"
        "open(b'd.csv').read()\n"
        "list(csv.reader(open(pathlib.Path('e.csv').absolute())))\n"
        "numpy.loadtxt('f.csv', delimiter=',')\n",
    )
    reads = {Path(path).name: use for path, use in seen.reads.items() if path.endswith(".csv")}
    assert sorted(reads) == [f"{name}.csv" for name in "abcdef"]
    assert {use.stat.size for use in reads.values() if use.stat} == {4}


def test_names_that_are_not_utf_8(tmp_path: Path) -> None:
    """A file name of any bytes comes back exactly, line feeds included."""
    name = b"bad\xff\n name.bin"
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"x")
    seen = observe(tmp_path, f"open({name!r}, 'rb').read()\n")
    assert os.fsencode(tmp_path) + b"/" + name in {os.fsencode(path) for path in seen.reads}


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A name that was tried and was absent has no stat record; once it appears, it is seen with one."""
    seen = observe(
        tmp_path,
        "for attempt in range(3):\n"
        "    try: open('late.txt').read()\n"
        "    except OSError: import subprocess; subprocess.run(['touch', 'late.txt'])\n"
        "try: open('never.txt')\nexcept OSError: pass\n",
    )
    never = seen.reads[str(tmp_path / "never.txt")]
    assert never.asked and never.stat is None


def test_relative_names_follow_the_folder(tmp_path: Path) -> None:
    """After chdir the same relative name is another file, and both are seen."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.txt").write_text(name)
    seen = observe(tmp_path, "import os\nos.chdir('one'); open('x.txt')\nos.chdir('../two'); open('x.txt')\n")
    assert below(tmp_path, seen.reads) >= {"one/x.txt", "two/x.txt"}


def test_renames_removals_and_listings(tmp_path: Path) -> None:
    """A file that is written aside and renamed counts under its last name; removals and listings are seen, the importer's are not."""
    (tmp_path / "data").mkdir()
    seen = observe(
        tmp_path,
        "import os, shutil, json.tool\n"
        "open('aside', 'w').write('x'); os.replace('aside', 'final')\n"
        "os.mkdir('d'); open('d/inner', 'w'); shutil.move('d', 'e')\n"
        "open('gone', 'w'); os.remove('gone')\n"
        "os.listdir('data')\n",
    )
    assert below(tmp_path, seen.writes) >= {"final", "e/inner"}
    assert below(tmp_path, seen.removed) == {"gone"}
    assert below(tmp_path, seen.listed) == {"data"}


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_worker_processes_report_for_themselves(tmp_path: Path, method: str) -> None:
    """What the workers of a pool read is seen, forked or spawned."""
    for number in range(4):
        (tmp_path / f"{number}.txt").write_text("x")
    seen = observe(
        tmp_path,
        "import multiprocessing\n"
        "def work(number): return open(f'{number}.txt').read()\n"
        "if __name__ == '__main__':\n"
        f"    with multiprocessing.get_context({method!r}).Pool(2) as pool: pool.map(work, range(4))\n",
    )
    assert below(tmp_path, seen.reads) >= {f"{number}.txt" for number in range(4)}
    assert len(seen.interpreters) >= 2


def test_child_interpreters_report(tmp_path: Path) -> None:
    """A Python that the script starts reports too, and the list of its arguments is known."""
    (tmp_path / "inner.txt").write_text("x")
    code = "open('inner.txt').read()"
    seen = observe(tmp_path, f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {code!r}], check=True)\n")
    assert "inner.txt" in below(tmp_path, seen.reads)
    assert any(words[1:] == ("-c", code) for words in seen.children)


def test_threads_lose_nothing(tmp_path: Path) -> None:
    """Eight threads that open 200 files each at once: all 1,600 are seen."""
    seen = observe(
        tmp_path,
        "import threading\n"
        "def work(t):\n"
        "    for i in range(200): open(f'{t}-{i}.txt', 'w').close()\n"
        "threads = [threading.Thread(target=work, args=(t,)) for t in range(8)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n",
    )
    assert len([path for path in seen.writes if path.endswith(".txt")]) == 1600


MANY = tracer.STATS + 500


def test_many_files_are_all_seen(tmp_path: Path) -> None:
    """Beyond the files whose stat record is taken, names are still complete, across the segments of a report."""
    (tmp_path / "many").mkdir()
    seen = observe(
        tmp_path,
        f"for i in range({MANY}):\n"
        "    open(f'many/{i}', 'w').close()\n"
        f"import os; base = os.getcwd() + '/' * {tracer.SEGMENT // MANY}\n"
        f"for i in range({MANY}): open(f'{{base}}/many/{{i}}').close()\n",
    )
    names = {f"many/{i}" for i in range(MANY)}
    assert names <= below(tmp_path, seen.reads)
    assert names <= below(tmp_path, seen.writes)
    assert len(list((tmp_path / "run" / "trace").iterdir())) > 1


def test_any_name_among_many(tmp_path: Path) -> None:
    """Where many are read, a relative name follows the folder, and names of any bytes, paths and bytes are exact; modules are no data."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.txt").write_text(name)
    odd = b"bad\xff\n name.bin"
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + odd)).write_bytes(b"x")
    for name in ("b.txt", "p.txt", "é.txt", "both.txt"):
        (tmp_path / name).write_text("x")
    seen = observe(
        tmp_path,
        "import os, pathlib\n"
        f"for i in range({MANY}):\n"
        "    try: open(f'/nowhere/{i}')\n"
        "    except OSError: pass\n"
        "os.chdir('one'); open('x.txt'); os.chdir('../two'); open('x.txt'); os.chdir('..')\n"
        f"open(os.fsdecode({odd!r})); open(b'b.txt'); open(pathlib.Path('p.txt')); open('\xe9.txt')\n"
        "open('own.txt', 'w').close(); open('own.txt'); open('both.txt'); open('both.txt', 'w').close()\n"
        "open(os.__file__)\n",
    )
    assert below(tmp_path, seen.reads) >= {"one/x.txt", "two/x.txt", "b.txt", "p.txt", "é.txt"}
    assert os.fsencode(tmp_path) + b"/" + odd in {os.fsencode(path) for path in seen.reads}
    assert not seen.reads[str(tmp_path / "one" / "x.txt")].asked, "there were too few to be many"
    assert os.__file__ not in seen.reads
    own, both = str(tmp_path / "own.txt"), str(tmp_path / "both.txt")
    assert seen.writes[own].time < seen.reads[own].time
    assert seen.reads[both].time < seen.writes[both].time


def test_a_process_that_is_killed_amid_many(tmp_path: Path) -> None:
    """The last of many names before SIGKILL is in the report, in a forked child too."""
    (tmp_path / "script.py").write_text(
        "import os, signal\n"
        f"for i in range({MANY}):\n"
        "    try: open(f'/nowhere/{i}')\n"
        "    except OSError: pass\n"
        "open('parent.txt', 'w').close(); open('child.txt', 'w').close()\n"
        "pid = os.fork()\n"
        "open('parent.txt' if pid else 'child.txt')\n"
        "if pid: os.waitpid(pid, 0)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert run(tmp_path, "script.py").returncode == -signal.SIGKILL
    seen = collect(tmp_path / "run")
    assert {"parent.txt", "child.txt"} <= below(tmp_path, seen.reads)
    assert len({seen.reads[str(tmp_path / name)].process for name in ("parent.txt", "child.txt")}) == 2


def test_a_killed_process_loses_nothing(tmp_path: Path) -> None:
    """What was opened before SIGKILL is in the report."""
    (tmp_path / "data.txt").write_text("x")
    (tmp_path / "script.py").write_text(
        "import os, signal\nopen('data.txt').read()\nopen('out.txt', 'w')\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = run(tmp_path, "script.py")
    assert done.returncode == -signal.SIGKILL
    seen = collect(tmp_path / "run")
    assert {"data.txt"} <= below(tmp_path, seen.reads)
    assert {"out.txt"} <= below(tmp_path, seen.writes)


def test_output_is_the_same_byte_by_byte(tmp_path: Path) -> None:
    """A script that prints its view of the interpreter prints the same with and without the tracer, and fails in the same way."""
    (tmp_path / "script.py").write_text(
        "import sys, os, warnings\n"
        "print(sys.path, sys.argv, sys.flags, sorted(sys.meta_path, key=repr), [m for m in sys.modules if 'assay' in m])\n"
        "print(os.getcwd(), sys.stdin.isatty(), sys.gettrace(), sys.excepthook is sys.__excepthook__)\n"
        "sys.stderr.write('err\\n'); warnings.warn('careful')\n"
        "raise ValueError('as ever')\n"
    )
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    plain = subprocess.run([sys.executable, "script.py", "a"], cwd=tmp_path, env=env, capture_output=True, check=False)
    traced = run(tmp_path, "script.py", "a")
    mask = b" at 0x"
    assert [line.split(mask)[0] for line in traced.stdout.splitlines()] == [
        line.split(mask)[0] for line in plain.stdout.splitlines()
    ]
    assert (traced.returncode, traced.stderr) == (plain.returncode, plain.stderr)
    assert plain.returncode == 1


def test_the_users_sitecustomize_and_path_survive(tmp_path: Path) -> None:
    """The user's own sitecustomize runs under its own name, and PYTHONPATH keeps its entries in order."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("import builtins; builtins.mark = __file__\n")
    (tmp_path / "script.py").write_text("import sys, sitecustomize\nprint(mark == sitecustomize.__file__, sys.path[1])\n")
    done = run(tmp_path, "script.py", PYTHONPATH=str(tmp_path / "site"))
    assert done.stdout.decode().split() == ["True", str(tmp_path / "site")]


def test_a_failing_sitecustomize_fails_as_before(tmp_path: Path) -> None:
    """The message that Python prints about the user's broken sitecustomize is the same."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("raise RuntimeError('mine')\n")
    env = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}
    plain = subprocess.run([sys.executable, "-c", "print(1)"], cwd=tmp_path, env=env, capture_output=True, check=False)
    traced = run(tmp_path, "-c", "print(1)", PYTHONPATH=str(tmp_path / "site"))
    assert (traced.stdout, traced.stderr, traced.returncode) == (plain.stdout, plain.stderr, plain.returncode)
    assert b"RuntimeError" in plain.stderr


def test_an_isolated_interpreter_is_left_alone(tmp_path: Path) -> None:
    """`python -I` does not report: the run is seen as blind."""
    run(tmp_path, "-I", "-c", "print(1)")
    assert collect(tmp_path / "run").interpreters == ()


def test_a_lost_report_folder_stops_nobody(tmp_path: Path) -> None:
    """A report folder that vanishes under the program changes neither its output nor its exit code."""
    done = run(tmp_path, "-c", "import shutil; shutil.rmtree('run'); open('a', 'w').write('x'); print('done')")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"done\n", b"")


def test_closed_descriptors_are_no_concern(tmp_path: Path) -> None:
    """A program that closes every descriptor keeps its own files whole, and its later opens are still seen."""
    seen = observe(
        tmp_path,
        "import os\nos.closerange(3, 256)\nf = open('mine.txt', 'w')\nopen('other.txt', 'w')\nf.write('exact'); f.close()\n",
    )
    assert (tmp_path / "mine.txt").read_text() == "exact"
    assert below(tmp_path, seen.writes) >= {"mine.txt", "other.txt"}


def test_exceptions_of_signal_handlers_pass_through(tmp_path: Path) -> None:
    """A handler that interrupts the tracer and raises is heard by the program: a time limit stays one."""
    done = run(
        tmp_path,
        "-c",
        "import signal\n"
        "class Late(Exception): pass\n"
        "def late(*_): raise Late\n"
        "signal.signal(signal.SIGALRM, late); signal.setitimer(signal.ITIMER_REAL, .05)\n"
        "try:\n"
        "    for i in range(10**8): open(f'/nowhere/{i}') if i < 0 else __import__('sys').audit('open', f'/x/{i}', 'r', 0)\n"
        "except Late: print('heard')\n",
    )
    assert done.stdout == b"heard\n", done.stderr


def test_probe_prints_one_document() -> None:
    """`--probe` describes the interpreter as JSON, and nothing else is printed."""
    done = subprocess.run([sys.executable, tracer.__file__, "--probe"], capture_output=True, check=True)
    facts = json.loads(done.stdout)
    assert facts["executable"] == sys.executable
    assert facts["prefix"] == sys.prefix
    assert done.stderr == b""


def test_names_relative_to_an_open_folder(tmp_path: Path) -> None:
    """`dir_fd` is not taken for the working folder: the folder that has the name is found, for opens, moves and removals."""
    (tmp_path / "far").mkdir()
    for name in ("in.txt", "old.txt", "gone.txt"):
        (tmp_path / "far" / name).write_text("x")
    seen = observe(
        tmp_path,
        "import os\nfd = os.open('far', os.O_RDONLY)\n"
        "os.read(os.open('in.txt', os.O_RDONLY, dir_fd=fd), 1)\n"
        "os.rename('old.txt', 'new.txt', src_dir_fd=fd, dst_dir_fd=fd)\nos.remove('gone.txt', dir_fd=fd)\n"
        "os.symlink('in.txt', 'link.txt', dir_fd=fd)\nos.link('in.txt', 'hard.txt', src_dir_fd=fd, dst_dir_fd=fd)\n",
    )
    assert "far/in.txt" in below(tmp_path, seen.reads)
    assert "in.txt" not in below(tmp_path, seen.reads)
    assert below(tmp_path, [new for _, new in seen.moved]) == {"far/new.txt"}
    assert "far/gone.txt" in below(tmp_path, seen.removed)
    assert {"far/new.txt", "far/link.txt", "far/hard.txt"} <= below(tmp_path, seen.writes)


def test_a_name_that_two_open_folders_have_is_a_gap(tmp_path: Path) -> None:
    """Where it cannot be told which folder was meant, no file is claimed and the name is noted."""
    (tmp_path / "far").mkdir()
    for folder in (tmp_path, tmp_path / "far"):
        (folder / "in.txt").write_text("x")
    seen = observe(
        tmp_path,
        "import os\nhere, fd = os.open('.', os.O_RDONLY), os.open('far', os.O_RDONLY)\nos.open('in.txt', os.O_RDONLY, dir_fd=fd)\n",
    )
    assert not {"in.txt", "far/in.txt"} & below(tmp_path, seen.reads)
    assert seen.lost == ("in.txt was opened relative to a folder that is not known",)


def test_removing_a_tree_is_no_reading(tmp_path: Path) -> None:
    """Folders that are opened on the way through a tree leave neither reads nor doubts, though other folders have their names."""
    for folder in ("a/a/a", "far/a/b", "b"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "f").write_text("x")
    seen = observe(
        tmp_path,
        "import os, shutil, pathlib\nlist(os.fwalk('.'))\nshutil.rmtree('far')\nshutil.rmtree('a')\n"
        "fd = os.open('.', os.O_RDONLY)\nos.close(os.open('b', os.O_RDONLY, dir_fd=fd))\n",
    )
    assert below(tmp_path, [path for path, use in seen.reads.items() if use.stat]) <= {"script.py"}
    assert seen.lost == ()


def test_an_environment_of_bytes(tmp_path: Path) -> None:
    """A child whose environment is given in bytes is told apart by what it holds."""
    seen = observe(
        tmp_path,
        "import os, subprocess, sys\nsubprocess.run([sys.executable, '-c', '1'], env=dict(os.environb))\n"
        "subprocess.run([sys.executable, '-c', '2'], env={b'X': b'1'})\n",
    )
    assert [words[-1] for words in seen.apart] == ["2"]
    assert len(seen.interpreters) == 2
