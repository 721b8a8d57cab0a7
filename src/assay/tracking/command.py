"""What a command line says: the parameters in its arguments, and its form that is the same on every machine."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from assay.errors import InvalidValue
from assay.records.canonical import legible

# YAML 1.2, section 10.3.2 (core schema).
_NULL = frozenset(("null", "Null", "NULL", "~"))
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"([-+]?)\.(?:inf|Inf|INF)")
_NAN = frozenset((".nan", ".NaN", ".NAN"))
# What canonical bytes can hold (docs/identity.md); a longer row of digits is a name, not a number.
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1

_PYTHON = re.compile(r"(?:python|pypy)[0-9.]*t?(?:\.exe)?")
_PYTHON_OPTIONS_WITH_VALUE = ("-W", "-X", "--check-hash-based-pycs")
_SHELL = re.compile(r"(?:ba|da|k|z)?sh")
_SHELL_OPTIONS_WITH_VALUE = ("-o", "-O", "+o", "+O", "--rcfile", "--init-file")
_SCRIPTS = (".py", ".ipynb", ".sh")
_PAIR = re.compile(r"[+]{0,2}(?P<name>[A-Za-z_][\w./@-]*)=(?P<value>.*)", re.DOTALL)
# A file in whose name "=" stands: `epoch=1-step=128.ckpt`, `out/epoch=3.ckpt`; but `ckpt=out/a.ckpt` gives a value, `db/host=a.com` too.
_NAMED_SO = re.compile(
    r"(?:[^=]*/)?[A-Za-z_]\w*=[\w.]+(?:[-_][A-Za-z_]\w*=[\w.]+)+\.[A-Za-z]\w{1,11}"
    r"|[^=]*/[A-Za-z_]\w*=[\w.-]*\.(?:ckpt|pth?|bin|safetensors|h5|keras|npz?|pkl|joblib|onnx)"
)
_PLACEHOLDER = re.compile(r"(?<!\S)'([\w@%+=:,./-]*\{[\w-]+\}[\w@%+=:,./{}-]*)'(?!\S)")
_OPTION = re.compile(r"--?(?P<name>[A-Za-z_][^\s=]*)(?:=(?P<value>.*))?", re.DOTALL)


def scalar(text: str) -> Any:
    """A word as the value it stands for, by the core schema of YAML 1.2; what is no number, truth value or null stays text.

    >>> [scalar(word) for word in ("1e-3", "08", "true", "no", "~", "0x10", "adam")]
    [0.001, 8, True, 'no', None, 16, 'adam']
    """
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INTEGER.fullmatch(text):
        number = int(text, 0 if text[:2] in ("0o", "0x") else 10) if len(text) < 40 else _LARGEST + 1
        return number if _SMALLEST <= number <= _LARGEST else text
    if _FLOAT.fullmatch(text):
        return float(text)
    infinite = _INFINITE.fullmatch(text)
    if infinite:
        return float(f"{infinite[1]}inf")
    return float("nan") if text in _NAN else text


def parameter(text: str) -> tuple[str, Any]:
    """Name and value of `K=V`; the value is read as a study file's would be (YAML 1.2).

    Raises:
        InvalidValue: there is no name, or no "=".

    >>> parameter("lr=1e-3"), parameter("model=a=b")
    (('lr', 0.001), ('model', 'a=b'))
    """
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise InvalidValue("a parameter needs a name and a value", value=text, expected="K=V", next_step="Write --param lr=0.1.")
    return legible(key), scalar(legible(value))


def parameters(command: Sequence[str]) -> dict[str, Any]:
    """The parameters in a command's own arguments.

    `--lr 0.1`, `--lr=0.1`, `-n 5` and `model.lr=0.1` give a value, `--amp` gives True, `--no-amp` gives `no-amp`: True. Several numbers
    or several words behind one option, and an option that is repeated, give a list. The program, its interpreter with its options, the
    script (of a launcher too) and loose words that stand behind no option, or behind a number, are none.

    >>> parameters(["python", "-u", "train.py", "--lr", "0.1", "--amp", "--layers", "64", "32", "--tasks", "qa", "ner", "optimizer=adam"])
    {'lr': 0.1, 'amp': True, 'layers': [64, 32], 'tasks': ['qa', 'ner'], 'optimizer': 'adam'}

    A file whose name holds "=", as checkpoints of Lightning do, is a value.

    >>> parameters(["python", "train.py", "--ckpt", "logs/epoch=1-step=128.ckpt", "--amp", "model.ckpt=a/b.ckpt"])
    {'ckpt': 'logs/epoch=1-step=128.ckpt', 'amp': True, 'model.ckpt': 'a/b.ckpt'}
    """
    found: dict[str, list[Any]] = {}
    for name, value in _pairs(own_arguments(command)):
        found.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def is_python(program: str) -> bool:
    """Whether a command's first word is a Python interpreter by its name."""
    return _PYTHON.fullmatch(program.rpartition("/")[2]) is not None


def own_arguments(command: Sequence[str]) -> list[str]:
    """The arguments that the user's program gets."""
    if command and _SHELL.fullmatch(command[0].rpartition("/")[2]):
        return _behind_shell(command)
    if not command or not is_python(command[0]):
        return list(command[1:])
    at = _program_at(command)
    return list(command[at + (2 if at < len(command) and command[at] in ("-c", "-m") else 1) :])


def script_at(command: Sequence[str]) -> int | None:
    """Where a Python command names its script; None where it has none, as behind `-m`, or is no Python command.

    >>> script_at(["python", "-W", "ignore", "train.py", "--lr", "0.1"]), script_at(["python", "-m", "train"]), script_at(["make"])
    (3, None, None)
    """
    at = _program_at(command) if command and is_python(command[0]) else len(command)
    return None if at >= len(command) or command[at] in ("-c", "-m") else at


def _program_at(command: Sequence[str]) -> int:
    """Where a Python command names what the interpreter runs: a script, `-c` or `-m`; its length where it names nothing."""
    at = 1
    while at < len(command):
        word = command[at]
        if word in ("-c", "-m") or word == "-" or not word.startswith("-"):
            return at
        at += 2 if word in _PYTHON_OPTIONS_WITH_VALUE else 1
    return len(command)


def _behind_shell(command: Sequence[str]) -> list[str]:
    """What a shell hands to its script or, behind `-c`, to the code in its arguments."""
    at = 1
    while at < len(command) and command[at][:1] in ("-", "+"):
        word = command[at]
        if not word.startswith("--") and "c" in word:
            return list(command[at + 2 :])
        at += 2 if word in _SHELL_OPTIONS_WITH_VALUE else 1
    return list(command[at + 1 :])


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, Any]]:
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word == "--":
            return
        option, pair = _OPTION.fullmatch(word), _pair(word)
        if option is not None and option["value"] is not None:
            yield option["name"], scalar(option["value"])
        elif option is not None:
            values = list(_values(words[at:]))
            at += len(values)
            yield from ((option["name"], scalar(value)) for value in values)
            if not values:
                yield option["name"], True
        elif pair is not None:
            yield pair["name"], scalar(pair["value"])


def _pair(word: str) -> re.Match[str] | None:
    return None if _NAMED_SO.fullmatch(word) else _PAIR.fullmatch(word)


def _values(words: Sequence[str]) -> Iterator[str]:
    """What belongs to the option before: one word, and those of its kind behind it, numbers or other words, up to a script."""
    kind: bool | None = None
    for word in words:
        numeric = isinstance(scalar(word), int | float) and not isinstance(scalar(word), bool)
        if (word.startswith("-") and len(word) > 1 and not numeric) or _pair(word):
            return
        # `torchrun --standalone train.py`, `--workers 4 data.csv`: what follows is the program's, or stands by itself.
        if kind is not None and (numeric != kind or word.endswith(_SCRIPTS)):
            return
        yield word
        kind = numeric


def portable(command: Sequence[str], root: Path, cwd: Path) -> tuple[str, ...]:
    """The command without what belongs to this machine: paths below `root` relative to `cwd`, and a Python interpreter by its bare name.

    >>> portable(["/opt/venv/bin/python3.11", "/home/me/p/train.py", "--out=/home/me/p/out"], Path("/home/me/p"), Path("/home/me/p"))
    ('python', 'train.py', '--out=out')
    """
    words = [legible(_relative(word, root, cwd)) for word in command]
    if words and is_python(command[0]):
        words[0] = "pypy" if command[0].rpartition("/")[2].startswith("pypy") else "python"
    return tuple(words)


def _relative(word: str, root: Path, cwd: Path) -> str:
    head, sign, path = word.rpartition("=")
    base = os.fspath(root)
    if path != base and not path.startswith(base.rstrip("/") + "/"):
        return word
    return f"{head}{sign}{os.path.relpath(path, cwd)}"


def program(command: Sequence[str]) -> str:
    """What a command runs, without the arguments that it hands over: interpreter and script, or the program.

    >>> program(["python", "-u", "train.py", "--lr", "0.1"]), program(["./train", "3"])
    ('python -u train.py', './train')
    """
    return " ".join(command[: len(command) - len(own_arguments(command))])


def as_written(command: str) -> str:
    """A quoted command line with its placeholders as users write them: a shell's quotes around braces say nothing in a study file.

    >>> as_written("python fit.py '{overrides}' --seed '{seed}' '--out={prepared}/m' 'a b'")
    "python fit.py {overrides} --seed {seed} --out={prepared}/m 'a b'"
    """
    return _PLACEHOLDER.sub(r"\1", command)
