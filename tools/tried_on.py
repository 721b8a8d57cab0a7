"""Runs published scripts under Assay, unchanged, and says what it had of each afterwards: the cases of docs/tried-on.md.

    .venv/bin/python tools/tried_on.py [--why] [--python PATH] NAME=PATH ...

PATH is a checkout of the project NAME on this machine, which is cloned into a temporary folder and never written. `--python` is the
interpreter that has the libraries which the scripts need; Assay is that of the interpreter which runs this. Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ASSAY = (sys.executable, "-m", "assay")
Edit = tuple[str, str, str]


class Case(NamedTuple):
    """One script of a project.

    Attributes:
        project: name of the checkout.
        title: what the table calls it.
        commands: run one after the other; each but the last prepares for the next.
        prepare: writes the inputs that the project does not bring, given the clone and the interpreter.
        edits: (file, text, other text): what a person changes before the last command is run again. An empty text means the end.
        command: the last command then, where it changes too.
        metric: what `why` is asked about; the edits are all made at once.
        options: of `assay run`.
    """

    project: str
    title: str
    commands: tuple[str, ...]
    prepare: Callable[[Path, str], None] | None = None
    edits: tuple[Edit, ...] = ()
    command: str = ""
    metric: str = ""
    options: tuple[str, ...] = ()


def words(count: int, line: int, seed: int) -> str:
    """Lines of made-up names, the same for the same seed."""
    drawn = random.Random(seed)
    names = ["".join(drawn.choices("aeioulmnrst", k=drawn.randint(3, 7))) for _ in range(400)]
    return "".join(" ".join(drawn.choices(names, k=line)) + "\n" for _ in range(count))


def shakespeare(folder: Path, _: str) -> None:
    """The text from which nanoGPT's characters are prepared."""
    (folder / "data/shakespeare_char/input.txt").write_text(words(3000, 8, 1))


def tiny_model(folder: Path, python: str) -> None:
    """Texts, and a tokenizer and configuration made on the spot."""
    (folder / "local").mkdir()
    (folder / "local/train.txt").write_text(words(1500, 8, 2))
    (folder / "local/valid.txt").write_text(words(150, 8, 3))
    script = (
        "from tokenizers import Tokenizer, models, pre_tokenizers, trainers\n"
        "from transformers import GPT2Config, PreTrainedTokenizerFast as Fast\n"
        "t = Tokenizer(models.BPE(unk_token='<unk>'))\nt.pre_tokenizer = pre_tokenizers.Whitespace()\n"
        "t.train(['local/train.txt'], trainers.BpeTrainer(vocab_size=400, special_tokens=['<unk>', '<eos>']))\n"
        "Fast(tokenizer_object=t, unk_token='<unk>', eos_token='<eos>').save_pretrained('local/tiny')\n"
        "GPT2Config(vocab_size=400, n_layer=1, n_head=2, n_embd=32, n_positions=64).save_pretrained('local/tiny')\n"
    )
    subprocess.run([python, "-c", script], cwd=folder, check=True)


SMALL = "--num-workers 2 --n-layer 1 --n-embd 16 --n-embd2 16 --n-head 2"
GPT = (
    "python train.py config/train_shakespeare_char.py --device=cpu --compile=False --eval_iters=5 --eval_interval=20 --log_interval=5 "
    "--block_size=32 --batch_size=4 --n_layer=2 --n_head=2 --n_embd=32 --max_iters=60 --lr_decay_iters=60 --dropout=0.0"
)
CLM = (
    "python examples/pytorch/language-modeling/run_clm.py --config_name local/tiny --tokenizer_name local/tiny --train_file local/train.txt "
    "--validation_file local/valid.txt --do_train --do_eval --max_steps 30 --block_size 32 --per_device_train_batch_size 8 "
    "--report_to tensorboard --use_cpu --cache_dir cache --output_dir out --overwrite_output_dir "
)
DIGITS = "examples/classification/plot_digits_classification.py"
BUG = "python examples/pytorch/bug_report/bug_report_model.py"
WALK = "demo/guide-python/basic_walkthrough.py"
CASES = (
    Case(
        "makemore",
        "makemore.py, resumed",
        (f"python makemore.py --max-steps 501 {SMALL}", f"python makemore.py --max-steps 501 --resume {SMALL}"),
        edits=(("makemore.py", "betas=(0.9, 0.99)", "betas=(0.9, 0.5)"), ("README.md", "", "\nA remark.\n")),
        command=f"python makemore.py --max-steps 501 --resume --learning-rate 0.01 {SMALL}",
        metric="test loss",
    ),
    Case(
        "nanoGPT",
        "prepare.py, then train.py",
        ("python data/shakespeare_char/prepare.py", GPT),
        shakespeare,
        (("config/train_shakespeare_char.py", "learning_rate = 1e-3", "learning_rate = 1e-4"), ("bench.py", "", "\n# a remark\n")),
        f"{GPT} --weight_decay=0.2",
        "val loss",
    ),
    Case(
        "scikit-learn",
        DIGITS,
        (f"python {DIGITS}",),
        edits=((DIGITS, "gamma=0.001", "gamma=0.01"), (DIGITS, "test_size=0.5", "test_size=0.3"), (DIGITS, "", "\n# a remark\n")),
        metric="accuracy",
    ),
    Case(
        "xgboost",
        WALK,
        (f"python {WALK}",),
        edits=(
            (WALK, '"eta": 1,', '"eta": 0.3,'),
            ("demo/data/featmap.txt", "", "\n"),
            ("demo/guide-python/callbacks.py", "", "\n# a remark\n"),
        ),
        metric="eval-logloss",
    ),
    Case("pytorch-lightning", "bug_report_model.py", (BUG,)),
    Case("pytorch-lightning", "bug_report_model.py with --seed 0", (BUG,), options=("--seed", "0")),
    Case(
        "transformers-examples",
        "run_clm.py",
        (CLM + "--learning_rate 5e-3",),
        tiny_model,
        (("local/train.txt", "", words(600, 8, 4)),),
        CLM + "--learning_rate 5e-5 --logging_steps 7",
        "eval_loss",
    ),
    Case("pytorch-examples", "regression/main.py", ("python regression/main.py",)),
    Case("pytorch-examples", "regression/main.py with --seed 0", ("python regression/main.py",), options=("--seed", "0")),
)


def main() -> int:
    """Run the cases whose checkouts are given; 1 where one of them could not be run."""
    arguments = parsed()
    wanted = dict(pair.partition("=")[::2] for pair in arguments.checkouts)
    names = {case.project for case in CASES}
    for name, path in wanted.items():
        if name not in names or not Path(path).is_dir():
            known = ", ".join(sorted(names))
            sys.stderr.write(
                f"tools/tried_on.py: {name}={path}; expected NAME=PATH with an existing checkout and a NAME among {known}\n"
            )
            return 2
    say("| project | commit | script | state | code | data | parents | metrics | fidelity | came back |")
    say("|---|---|---|---|---|---|---|---|---|---|")
    failed = [case for case in CASES if case.project in wanted and not tried(case, Path(wanted[case.project]), arguments)]
    return 1 if failed else 0


def say(text: str) -> None:
    """A line as soon as it is known: a case takes minutes."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def parsed() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--why", action="store_true", help="change things and ask for the causes; takes minutes")
    parser.add_argument("--python", default=sys.executable, help="interpreter that has the scripts' libraries")
    parser.add_argument("checkouts", nargs="+", metavar="NAME=PATH")
    return parser.parse_args()


def tried(case: Case, checkout: Path, arguments: argparse.Namespace) -> bool:
    """Run a case in a clone of its own and print its row; whether its last command finished."""
    python = str(Path(arguments.python).absolute())  # a link, whose place makes the environment
    with tempfile.TemporaryDirectory(prefix="tried-on-") as above:
        folder = Path(above) / case.project
        clone(checkout, folder)
        if case.prepare is not None:
            case.prepare(folder, python)
        environment = surroundings(python)
        for place, command in enumerate(case.commands):
            name = "good" if place == len(case.commands) - 1 else f"before{place}"
            asked(folder, environment, "run", "--name", name, *case.options, "--", *command.split())
        shown = document(folder, environment, "show", "good")
        if "run" not in shown:
            sys.stderr.write(f"tools/tried_on.py: {case.project} was not recorded: {shown.get('error', 'is Assay here?')}\n")
            return False
        run = shown["run"]
        verdict = document(folder, environment, "reproduce", "good").get("verdict", "could not be run again")
        commit = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], cwd=folder, capture_output=True, text=True, check=True)
        say(row(case, commit.stdout.strip(), run, verdict))
        if arguments.why and case.metric and run["state"] == "finished":
            say(f"\n{explained(case, folder, environment)}\n")
    return bool(run["state"] == "finished")


def clone(checkout: Path, folder: Path) -> None:
    """A clone whose index is what git says it is: a checkout that lacks the content of a large file gives all others."""
    done = subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(checkout.resolve()), str(folder)], check=False)
    if done.returncode:
        subprocess.run(["git", "reset", "--quiet"], cwd=folder, check=True)


def surroundings(python: str) -> dict[str, str]:
    """What the scripts run in: their interpreter first, nothing shown, nothing downloaded."""
    path = f"{Path(python).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "MPLBACKEND": "Agg", "HF_HUB_OFFLINE": "1"}


def asked(folder: Path, environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """What a command of Assay gave; what the script printed is not shown."""
    return subprocess.run([*ASSAY, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)


def document(folder: Path, environment: dict[str, str], *words: str) -> Any:
    """The same as a document."""
    return json.loads(asked(folder, environment, *words, "--json").stdout or "{}")


def row(case: Case, commit: str, run: dict[str, Any], verdict: str) -> str:
    """The line of the table."""
    trace = run["trace"]
    cells = (
        case.project, commit, case.title, run["state"], named(trace["loaded"]), named(trace["read"]),
        ", ".join(sorted({f"{parent['by']} {parent['path']}" for parent in run["parents"]})) or "none",
        ", ".join(sorted(run["metrics"])) or "none", run["fidelity"]["grade"], verdict,
    )  # fmt: skip
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def named(files: Sequence[dict[str, Any]]) -> str:
    """The files below the root."""
    return ", ".join(file["path"] for file in files if not file["path"].startswith("/")) or "none"


def explained(case: Case, folder: Path, environment: dict[str, str]) -> str:
    """What `why` says once all edits are made and the last command has run again."""
    for name, text, other in case.edits:
        file = folder / name
        before = file.read_text()
        if text not in before:
            return f"{name} has no {text!r} in this version: `why` was not asked"
        file.write_text(before.replace(text, other) if text else before + other)
    asked(folder, environment, "run", "--name", "bad", *case.options, "--", *(case.command or case.commands[-1]).split())
    return asked(folder, environment, "why", "good", "bad", "--metric", case.metric, "--split", "hunks").stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
