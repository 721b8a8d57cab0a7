"""A supervised command behaves as if Assay were not there, and is recorded."""

from __future__ import annotations

import os
import resource
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.errors import CommandNotFound, InvalidValue
from assay.records.recipe import Recipe
from assay.records.run import Run
from assay.records.trace import Trace
from assay.store.store import Store
from assay.tracking.series import series
from assay.tracking.supervise import recipe_of, supervise

Start = Callable[..., "subprocess.Popen[bytes]"]
OnlyRun = Callable[[], Run]


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_output_parameters_and_metrics_are_there_afterwards(project: Path, start: Start, only_run: OnlyRun) -> None:
    """A script that never heard of Assay leaves output, parameters, metrics, artifacts and its exit code."""
    (project / "train.py").write_text(
        "import json, sys\n"
        "for epoch in range(3):\n    print(f'epoch {epoch} loss={1 / (epoch + 1):.2f}')\n"
        "json.dump({'accuracy': 0.5}, open('metrics.json', 'w'))\n"
        "print('to stderr', file=sys.stderr)\nsys.exit(3)\n"
    )
    done = start(sys.executable, "train.py", "--lr", "0.1", "--amp")
    out, err = done.communicate()
    run = only_run()
    assert (out, err, done.returncode) == (b"epoch 0 loss=1.00\nepoch 1 loss=0.50\nepoch 2 loss=0.33\n", b"to stderr\n", 3)
    assert run.state == "failed" and run.result is not None and run.result.exit_code == 3
    assert run.params == {"lr": 0.1, "amp": True}
    assert run.metrics == {"accuracy": 0.5, "loss": 0.33}
    store = Store.open(project)
    assert store.objects.get(run.result.output["stdout"]) == out
    assert store.objects.get(run.result.output["stderr"]) == err
    assert series(store, run.id)["loss"].steps == (0, 1, 2)
    trace = store.objects.record(run.result.trace or "", Trace)
    assert [use.path for use in trace.written] == ["metrics.json"]
    assert run.result.resources.wall > 0 and run.result.resources.peak_memory > 1 << 20
    assert run.result.resources.cpu_user + run.result.resources.cpu_system > 0
    assert run.result.fidelity.grade == "full"
    assert store.objects.record(run.start.recipe, Recipe).command == ("python", "train.py", "--lr", "0.1", "--amp")


def test_one_pipe_for_both_streams_keeps_their_order(start: Start, only_run: OnlyRun, project: Path) -> None:
    """`2>&1` into a pipe: the bytes come in the order in which they were written, not stream by stream."""
    code = "import os\nfor i in range(200): os.write(1 + i % 2, b'%d\\n' % i)"
    done = start(*python(code), stderr=subprocess.STDOUT)
    out, _ = done.communicate()
    assert out == b"".join(b"%d\n" % i for i in range(200))
    result = only_run().result
    assert result is not None and set(result.output) == {"terminal"}
    assert Store.open(project).objects.get(result.output["terminal"]) == out


def test_output_is_shown_at_once(start: Start) -> None:
    """What the command flushes can be read while it still runs."""
    done = start(*python("import sys; print('first', flush=True); sys.stdin.read()"), stdin=subprocess.PIPE)
    assert done.stdout is not None
    assert done.stdout.readline() == b"first\n"
    done.communicate()
    assert done.returncode == 0


def test_standard_input_is_the_users(start: Start) -> None:
    """The command reads what was piped into Assay."""
    out, _ = start("cat", stdin=subprocess.PIPE).communicate(b"hello \x00 \xff")
    assert out == b"hello \x00 \xff"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_sent_to_assay_alone_reaches_the_command(start: Start, only_run: OnlyRun, number: signal.Signals) -> None:
    """The command handles it, its own exit code comes back, and the run is recorded as interrupted."""
    code = (
        "import signal, sys\n"
        f"signal.signal({int(number)}, lambda *_: (print('caught', flush=True), sys.exit(7)))\n"
        "print('ready', flush=True)\nsignal.pause()"
    )
    done = start(*python(code))
    assert done.stdout is not None
    assert done.stdout.readline() == b"ready\n"
    done.send_signal(number)
    out, _ = done.communicate()
    assert (out, done.returncode) == (b"caught\n", 7)
    assert only_run().state == "interrupted"


def test_a_command_that_a_signal_ends_gives_128_and_its_number(start: Start, only_run: OnlyRun) -> None:
    """SIGKILL of the command alone is a failure with exit code 137."""
    done = start(*python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"))
    done.communicate()
    run = only_run()
    assert done.returncode == 137
    assert run.result is not None and (run.state, run.result.signal) == ("failed", 9)


def test_the_words_of_a_failure_are_the_last_that_say_something(project: Path) -> None:
    """And not what a progress bar left to move the cursor."""
    code = "import sys; sys.stderr.write('out of memory\\n' + ' ' * 20 + '\\x1b[A'); sys.exit(3)"
    run = supervise(Store.open(project), project, python(code), cwd=project, relay=False).run
    assert run.result is not None and run.result.failure is not None
    assert run.result.failure.text == "out of memory"


def test_a_command_that_fails_without_a_word_failed_with_its_exit_code(project: Path) -> None:
    """So that whoever shows the failure has something to show."""
    run = supervise(Store.open(project), project, python("print(1); raise SystemExit(3)"), cwd=project, relay=False).run
    assert run.result is not None and run.result.failure is not None
    assert run.result.failure.text == "it ended with exit code 3, and said nothing on standard error"


def test_usr1_is_passed_on_and_interrupts_nothing(start: Start, only_run: OnlyRun) -> None:
    """A checkpoint signal of a scheduler reaches the script, which goes on."""
    code = (
        "import signal\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])\n"
        "print('ready', flush=True)\nsignal.sigwait([signal.SIGUSR1])\nprint('went on')"
    )
    done = start(*python(code))
    assert done.stdout is not None
    assert done.stdout.readline() == b"ready\n"
    done.send_signal(signal.SIGUSR1)
    out, _ = done.communicate()
    assert (out, done.returncode, only_run().state) == (b"went on\n", 0, "finished")


def test_an_ignored_signal_stays_ignored(start: Start) -> None:
    """Under nohup, SIGHUP ends neither Assay nor the command."""
    code = "import signal, sys\nprint(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN, flush=True)\nsys.stdin.read()"
    done = start(*python(code), stdin=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN) and None)
    assert done.stdout is not None
    assert done.stdout.readline() == b"True\n"
    done.send_signal(signal.SIGHUP)
    done.communicate()
    assert done.returncode == 0


def test_a_killed_supervisor_is_seen_as_crashed(start: Start, only_run: OnlyRun) -> None:
    """SIGKILL of Assay itself: every later reader sees the run as crashed."""
    done = start(*python("import sys; print('ready', flush=True); sys.stdin.read()"), stdin=subprocess.PIPE)
    assert done.stdout is not None
    assert done.stdout.readline() == b"ready\n"
    assert only_run().state == "running"
    done.kill()
    done.communicate()
    assert only_run().state == "crashed"


def test_a_background_process_neither_delays_nor_dies(start: Start, project: Path) -> None:
    """The command ends at once though a child of it holds its output; what that child says later still arrives, and it lives on."""
    ready = project / "go"
    os.mkfifo(ready)
    code = f"import subprocess\nsubprocess.Popen(['sh', '-c', 'read x < {ready}; echo late; echo alive > {project}/alive'])\nprint('done')"
    done = start(*python(code))
    assert done.stdout is not None
    assert done.stdout.readline() == b"done\n"
    assert done.wait() == 0
    ready.write_text("go\n")
    assert done.stdout.read() == b"late\n"
    assert done.stderr is not None
    done.stderr.read()  # ends with the last writer
    assert (project / "alive").read_text() == "alive\n"
    done.stdout.close()
    done.stderr.close()


def test_a_closed_reader_ends_the_command_as_without_assay(start: Start, only_run: OnlyRun) -> None:
    """`assay run yes | head -1`: the command gets SIGPIPE."""
    done = start("yes")
    assert done.stdout is not None
    assert done.stdout.readline() == b"y\n"
    done.stdout.close()
    assert done.wait() == 128 + signal.SIGPIPE
    assert done.stderr is not None
    assert done.stderr.read() == b""
    done.stderr.close()
    result = only_run().result
    assert result is not None and result.signal == signal.SIGPIPE


def test_a_full_disk_stops_neither_program_nor_output(start: Start, only_run: OnlyRun) -> None:
    """Where no file may grow, everything is still shown; one warning is given, and the run says what is missing."""
    size = 1 << 19

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))

    done = start(*python(f"import sys; sys.stdout.write('x' * {size})"), preexec_fn=limit)
    out, err = done.communicate()
    assert (len(out), done.returncode) == (size, 0)
    assert err.count(b"assay: warning") == 1
    result = only_run().result
    assert result is not None
    assert any(gap.what == "stdout" for gap in result.fidelity.missing)
    assert result.fidelity.grade != "full"


def test_a_store_that_vanishes_does_not_hurt(start: Start, project: Path) -> None:
    """The command removes the whole store while it runs: it ends as it would have."""
    done = start(*python("import shutil; shutil.rmtree('.assay'); print('still here')"))
    out, err = done.communicate()
    assert (out, done.returncode) == (b"still here\n", 0)
    assert err.count(b"assay: warning") == 1 and b"Traceback" not in err


@pytest.mark.parametrize("command", ["no-such-program", "./absent", "./plain.txt"])
def test_a_command_that_cannot_be_found_leaves_no_run(project: Path, command: str) -> None:
    """It is an error that names the value, before anything is recorded."""
    (project / "plain.txt").write_text("not executable")
    store = Store.open(project)
    with pytest.raises(CommandNotFound, match=command.strip("./")):
        supervise(store, project, [command], cwd=project)
    assert store.runs.ids() == []


def test_a_script_without_a_shebang_runs_as_in_a_shell(project: Path) -> None:
    """Shells run such a file themselves, and so does Assay."""
    (project / "go").write_text("exit 5\n")
    (project / "go").chmod(0o755)
    assert supervise(Store.open(project), project, ["./go"], cwd=project, relay=False).exit_code == 5


def test_a_trial_has_no_input_and_ends_at_its_time(project: Path) -> None:
    """Without relay the command reads nothing; a timeout ends it with all its children and the run has failed."""
    store = Store.open(project)
    done = supervise(store, project, ["sh", "-c", "cat; sleep 1000 & sleep 1000"], cwd=project, relay=False, timeout=0.2)
    assert done.run.state == "failed"
    assert done.run.result is not None and done.run.result.failure is not None
    assert done.run.result.failure.kind == "timeout"
    assert done.exit_code == 128 + signal.SIGTERM


def test_the_recipe_is_known_before_and_the_same_in_another_folder(project: Path, tmp_path: Path) -> None:
    """`recipe_of` gives what `supervise` records, and a copy of the project elsewhere gives the same."""
    store = Store.open(project)
    (project / "data.csv").write_text("a,b\n1,2\n")
    command = [sys.executable, str(project / "train.py"), f"--data={project}/data.csv", "--lr", "1e-3"]
    arguments = {"params": {"lr": 0.5}, "seed": 3, "data": ["data.csv"]}
    before = recipe_of(store, project, command, cwd=project, **arguments)  # type: ignore[arg-type]
    done = supervise(store, project, command, cwd=project, relay=False, **arguments)  # type: ignore[arg-type]
    assert done.run.start.recipe == before.id
    assert before.command == ("python", "train.py", "--data=data.csv", "--lr", "1e-3")
    assert before.params == {"data": "data.csv", "lr": 0.5}
    assert before.flags["PYTHONHASHSEED"] == "3"
    other = tmp_path / "other"
    subprocess.run(["cp", "-r", "--", str(project), str(other)], check=True)
    subprocess.run(["rm", "-rf", str(other / ".assay")], check=True)
    moved = [sys.executable, str(other / "train.py"), f"--data={other}/data.csv", "--lr", "1e-3"]
    assert recipe_of(store, other, moved, cwd=other, **arguments) == before  # type: ignore[arg-type]


def test_the_seed_reaches_the_script(project: Path) -> None:
    """Hash seed and generators are fixed: two runs print the same, and say which seed it was."""
    store = Store.open(project)
    command = python("import random; print(random.random(), hash('a'))")
    runs = [supervise(store, project, command, cwd=project, seed=5, relay=False).run for _ in range(2)]
    assert runs[0].result is not None and runs[1].result is not None
    assert runs[0].result.output["stdout"] == runs[1].result.output["stdout"]
    assert runs[0].result.determinism.seed == 5 and runs[0].result.determinism.hash_seed == "5"


def test_a_script_that_knows_assay_joins_the_run(project: Path) -> None:
    """`assay.run()` under `assay run` logs into the same run, which ends with the command."""
    store = Store.open(project)
    code = (
        "import assay\n"
        "with assay.run('inner', params={'depth': 2}) as run:\n"
        "    run.log(loss=0.25, step=4)\n    run.param(late='x')\n    open('w.bin', 'w').write('w')\n    run.save('w.bin')\n"
        "print(run.id)\nraise SystemExit(2)"
    )
    done = supervise(store, project, python(code), cwd=project, name="outer", relay=False)
    assert store.runs.ids() == [done.run.id]
    assert (done.run.state, done.run.start.name) == ("failed", "outer")
    assert done.run.metrics == {"loss": 0.25}
    assert done.run.params == {"depth": 2, "late": "x"}
    result = done.run.result
    assert result is not None and result.trace is not None
    assert store.objects.get(result.output["stdout"]).decode().strip() == done.run.id
    assert [(use.path, use.by) for use in store.objects.record(result.trace, Trace).written] == [("w.bin", "save")]


def test_a_run_that_reads_what_another_wrote_has_it_as_parent(project: Path) -> None:
    """Weights of one run start the next: lineage by content."""
    store = Store.open(project)
    first = supervise(store, project, python("open('w.bin', 'wb').write(b'weights')"), cwd=project, relay=False).run
    second = supervise(store, project, python("open('w.bin', 'rb').read()"), cwd=project, relay=False).run
    assert [(parent.run, parent.by, parent.path) for parent in second.parents] == [(first.id, "read", "w.bin")]


def test_a_declared_input_that_is_not_there_is_an_error(project: Path) -> None:
    """It is named, and no run is left."""
    store = Store.open(project)
    with pytest.raises(InvalidValue, match=r"absent\.csv"):
        supervise(store, project, ["true"], cwd=project, data=["absent.csv"])
    assert store.runs.ids() == []


def test_a_program_that_is_no_python_is_recorded_and_called_blind(project: Path) -> None:
    """Nothing inside it reported: the fidelity says so."""
    run = supervise(
        Store.open(project), project, ["sh", "-c", "echo acc=0.5 > out.txt; echo acc: 0.75"], cwd=project, relay=False
    ).run
    assert run.result is not None and run.result.fidelity.grade == "blind"
    assert run.metrics == {"acc": 0.75}


def test_what_a_shell_reads_for_a_script_is_said_to_be_unseen(project: Path) -> None:
    """Its scripts are seen; that it hands them a file is not, and a shell that becomes its script has nothing to hide."""
    (project / "data.txt").write_text("1")
    store, python = Store.open(project), shlex.quote(sys.executable)
    piped = ["bash", "-c", f"cat data.txt | {python} -c 'input()'; exit"]
    run = supervise(store, project, piped, cwd=project, relay=False).run
    assert run.result is not None and run.result.fidelity.grade == "partial"
    assert [gap.what for gap in run.result.fidelity.missing] == ["reads by bash"]
    run = supervise(store, project, ["bash", "-c", f"exec {python} -c pass"], cwd=project, relay=False).run
    assert run.result is not None and run.result.fidelity.grade == "full"


def test_open_descriptors_of_the_shell_reach_the_command(start: Start, tmp_path: Path) -> None:
    """`assay run cmd 3<file`: the command can read from 3."""
    (tmp_path / "three").write_text("third")
    descriptor = os.open(tmp_path / "three", os.O_RDONLY)
    done = start("cat", f"/dev/fd/{descriptor}", pass_fds=[descriptor])
    out, _ = done.communicate()
    os.close(descriptor)
    assert out == b"third"


def test_values_of_secret_variables_are_not_kept_when_they_are_printed(
    start: Start, only_run: OnlyRun, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever they look like and wherever they stand; the finding names the variable."""
    monkeypatch.setenv("SERVICE_API_KEY", "plain words")
    start(*python("import os; print('with', os.environ['SERVICE_API_KEY'], 'in it')")).communicate()
    run = only_run()
    assert run.result is not None
    assert Store.open(project).objects.get(run.result.output["stdout"]) == b"with *** in it\n"
    assert [finding.text for finding in run.result.findings if finding.about == "stdout"] == [
        "the value of the variable SERVICE_API_KEY was taken for a secret and is not stored"
    ]


def test_secrets_in_the_output_are_shown_and_not_kept(start: Start, only_run: OnlyRun, project: Path) -> None:
    """Who watches sees what the program printed; what is kept has `***` in place of tokens, passwords and credentials, and says so."""
    token = f"hf_{'Ab3dE5gHiJ' * 3}kL"
    lines = ["loss=0.5", f"using {token}", "postgres://me:pa55word@db/x", "password: hunter2", "tokens: 512"]
    out, _ = start(*python("print(*" + repr(lines) + ", sep='\\n')")).communicate()
    run = only_run()
    assert out.decode().splitlines() == lines
    assert run.result is not None
    store = Store.open(project)
    kept = store.objects.get(run.result.output["stdout"]).decode().splitlines()
    assert kept == ["loss=0.5", "using ***", "postgres://***@db/x", "password: ***", "tokens: 512"]
    told = [finding for finding in run.result.findings if finding.about == "stdout"]
    assert [finding.kind for finding in told] == ["secret redacted"] * 3
    assert not [path for path in store.path.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
