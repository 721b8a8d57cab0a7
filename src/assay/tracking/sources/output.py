"""Metrics in what a run printed: `loss=0.12`, `val acc: 91.2%`, JSON lines, printed dictionaries of trainers, reports of classifiers.

Output is written for people, so this module is strict: a number counts only where a name and "=" or ": " stand before it and nothing
behind it makes it a part of something else (a version, a path, a clock, a quantity of things). What rewrites its line (progress bars),
shows a call (`Adam(lr=0.1)`), or warns is passed over. A missed number can be named in a study file; a false one misleads.
"""

# Long lists of words are split from text: one word a line would hide the code between them.
# ruff: noqa: SIM905

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from assay.tracking.sources.jsonlines import parse_line
from assay.tracking.sources.report import Report
from assay.tracking.sources.rows import is_stamp, is_step, number, numbers, step_of, words_of
from assay.tracking.sources.settings import Line, is_configuration, is_result, parse_outline, parse_repr, repeats

_NUMBER = r"[-+]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|NaN|NAN|inf|Inf|INF|[Ii]nfinity)"
_WORD = r"[A-Za-z_][\w.@/-]*(?:\([\w@]+\))?"
# What may stand before a name, so that a part of a path, a URL or a longer word is none.
_BEFORE = r"(?:(?<=^)|(?<=[\s,;|:(\[{>*]))"
# Nothing may stand behind the number that makes it a part of something else; a full stop may end the sentence.
_END = r"(?![\w:/\\@=+%-]|\.\w|,\d)"
# Neither may a formula go on, "y = 2.28 x^1 + 3", nor a line of code with its remark, "steps = 5000 # enough".
_NO_FORMULA = r"(?!\s?[A-Za-z]\w*\^|\s?\*\s?[A-Za-z]|\s+#\s)"
_EQUALS = re.compile(
    rf"""{_BEFORE}(?P<quote>["']?)(?P<name>{_WORD})(?P=quote)[ ]?=[ ]?(?P<value>{_NUMBER})(?P<percent>\s?%)?{_END}{_NO_FORMULA}"""
)
# After "name: 3" only the end, a separator, a unit or the next pair may follow: "Found: 3 files" is no metric.
_AFTER = (
    r"(?=\s*$|\.?\s*$|\s*[,;|)\]}(\[]|\s+[-–—|±+*]|\s{2,}|\t"
    r"|\s(?:ms|s|sec|secs|seconds|MB|GB|MiB|GiB|dB)\b|\s(?:after|at)\s"
    rf"|\s{_WORD}(?:[ ]{_WORD}){{0,4}}[ ]?[=:])"
)
_COLON = re.compile(
    rf"""{_BEFORE}(?P<quote>["']?)(?P<name>(?:(?:{_WORD}|\(\w+\))[ ]){{0,8}}{_WORD})(?P=quote)[ ]?:(?P<space>[ \t]*)(?P<value>{_NUMBER})"""
    rf"""(?:/(?P<of>\d+))?(?P<share>[ ]\(\d[\d.]*%\))?(?P<percent>\s?%)?{_END}{_AFTER}"""
)
_BARE = re.compile(rf"\s*(?P<name>(?:{_WORD}[ ]){{1,3}}|{_WORD}[ ])(?P<value>{_NUMBER})(?P<percent>\s?%)?\s*$")
_STEP = re.compile(
    r"(?:^|[\s\[(|,{'\"])(?P<name>global[_ ]step|step|iteration|iter|epoch|round)s?['\"]?[ ]?[:=#\[]?[ ]?\[?(?P<step>\d+)(?:\.0+)?(?![\d.]*\.\d|\w)",
    re.IGNORECASE,
)
_COUNTER = re.compile(r"^\s*\[(\d+)(?:/\d+)?\]")
_STARTS_WITH_STEP = re.compile(r"^\s*\[?(?:global[_ ]step|step|iteration|iter|epoch|round)\b", re.IGNORECASE)
_STEP_AND = re.compile(r"\s*(?:global[_ ]step|step|iteration|iter|epoch|round)[ ]?#?\d+(?:/\d+)?[ ]+(?=[A-Za-z])", re.IGNORECASE)
_ESCAPE = re.compile(rb"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
# "label:  50%|#####     | 5/10 [00:01<00:01, 4.95it/s, loss=0.3]", or "5it [00:01, 4.95it/s]" where no end is known.
_TQDM = re.compile(rb"^(?:.*?\d+%\|.*?\| *[\d.]+\w?/[\d.?]+\w? *|.*?\b\d+it *)\[[^\]]*\]")
_BAR = re.compile(r"\d+%\||\bit/s\b|\bs/it\b|\d/s\b.*\beta\b|\beta\b.*\d:\d\d", re.IGNORECASE)
_NOISE = re.compile(r"Warning\b|Namespace\(|^\s*File \"|^Traceback|^usage:|://")
_WRAPPED = re.compile(r"\b(?:tensor|np\.(?:float|int)\d+|array)\(\s*([^(),\[\]]+?)\s*(?:,[^()]*)?\)")
_CALL = re.compile(r"[A-Za-z_][\w.]*\(")
_BLOCK = re.compile(r"^[A-Za-z_]\w* ?\(\s*$")
_LONGEST_BLOCK = 100
_LEVEL = re.compile(r"^(?:DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL)\s+")
# Names of things that are set, found or identified, and never of results.
_NO_METRIC = frozenset(
    (
        "version eta port pid line col column id hash errno status code seed rank device gpu cuda max_iter n_jobs random_state verbose "
        "timestamp datetime date python lineno exitcode returncode address pip num_threads n_threads "
        "signal sigterm sigint"
    ).split()
)
# Enough to sift a line at the speed of a search before it is looked at closely.
_CANDIDATE = re.compile(rb"[\w)\]'\"][ ]?[=:][ \t]*(?:[-+.\d\"{]|[nN]a[nN]|[iI]nf|tensor|np\.)|(?:step|iter|epoch)", re.IGNORECASE)
_LONGEST = 4096


def read_output(data: bytes, marks: Sequence[tuple[int, float]], params: Mapping[str, Any], offset: int = 0) -> Iterator[Line]:
    """The metrics of each line of `data`.

    Args:
        data: what was printed, as it came.
        marks: (offset, seconds since 1970), ascending: all bytes before the offset had come by then.
        params: parameters of the run; a printed name that only repeats one of them with its value is no metric.
        offset: where `data` begins in the whole output.
    """
    offsets = [end for end, _ in marks]
    call, report = _OpenCall(), Report()
    known = dict(params)  # and what the script shows of its configuration as it begins
    at = 0
    while at < len(data):
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        raw = _settled(data[at:end])
        if raw.endswith(b":"):
            shown, behind = parse_outline(data, at)
            if shown and is_configuration(shown, known):
                known.update(shown)
                at = behind
                continue
        if (
            (len(raw) <= _LONGEST and _CANDIDATE.search(raw))
            or call.open
            or call.block
            or raw.rstrip().endswith(b"(")
            or report.begins(raw)
        ):
            text = raw.decode("utf-8", "replace")
            row = report.row(text) if report.open else None
            found = _line(text, call, known) if row is None else (None, row)
            values = {name: value for name, value in found[1].items() if not repeats(name, value, known)}
            if values:
                place = min(bisect_right(offsets, offset + end), len(marks) - 1)
                yield Line(marks[place][1] if marks else 0.0, found[0], values)
        at = end + 1


def _settled(raw: bytes) -> bytes:
    """What a line says in the end: of one that is rewritten, its last state; behind a bar of tqdm, what was printed after it.

    A bar stays where the line has nothing else, so that it is seen for what it is.
    """
    if b"\r" not in raw and b"%|" not in raw and b"\x1b" not in raw:
        return raw
    for state in reversed(raw.split(b"\r")):
        if len(state) > _LONGEST:
            return state  # nobody wrote this to be read, and a pattern could take for ever
        text = _TQDM.sub(b"", _ESCAPE.sub(b"", state))
        if text.strip():
            return text
    return b""


class _OpenCall:
    """Whether the lines stand inside a call that was begun further up: the long `repr` of an estimator, whose other lines are indented, or
    what an optimizer of PyTorch prints, a name with " (" alone and lines of settings up to ")"."""

    open = False
    block = 0

    def in_block(self, text: str) -> bool:
        """Whether `text` belongs to a block; a block that nothing closes ends by itself."""
        if _BLOCK.match(text):
            self.block = _LONGEST_BLOCK
        elif self.block:
            self.block = 0 if text.startswith(")") else self.block - 1
        else:
            return False
        return True


def _line(text: str, call: _OpenCall, known: dict[str, Any]) -> tuple[int | None, dict[str, float]]:
    row = parse_line(text)
    shown = row if row is not None else parse_repr(text)
    if shown is not None and is_configuration(shown, known):
        known.update((str(name), value) for name, value in shown.items())
        return None, {}
    if row is not None:
        return step_of(row), dict(numbers(row))
    if call.in_block(text) or _BAR.search(text) or _NOISE.search(text):
        return None, {}
    if call.open and not text[:1].isspace():
        call.open = False
    text = _without_calls(_WRAPPED.sub(r"\1", text), call)
    return _step(text), _pairs(text)


def _without_calls(text: str, call: _OpenCall) -> str:
    """`text` without `Name(…)` where it has "=" inside: how objects show themselves, which is settings and not results."""
    kept, at = [], 0
    if call.open:
        at, call.open = _closing(text, 0)
    while (found := _CALL.search(text, at)) is not None:
        end, unclosed = _closing(text, found.end())
        inside = text[found.end() : end]
        if "=" in inside or (unclosed and not inside.strip()):
            kept.append(text[at : found.start()])
            call.open = unclosed
        else:
            kept.append(text[at:end])
        at = end
    return " ".join([*kept, text[at:]])


def _closing(text: str, at: int) -> tuple[int, bool]:
    """Where the parenthesis that is open at `at` ends, and whether it is still open at the end of the line."""
    depth = 1
    for place in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place + 1, False
    return len(text), True


def _step(text: str) -> int | None:
    found = {match["name"].lower(): int(match["step"]) for match in _STEP.finditer(text)}
    for name in ("global_step", "global step", "step", "iteration", "iter", "round", "epoch"):
        if name in found:
            return found[name]
    counter = _COUNTER.match(text)
    return int(counter[1]) if counter else None


def _pairs(text: str) -> dict[str, float]:
    values: dict[str, float] = {}
    for match in _EQUALS.finditer(text):
        _keep(values, match["name"], match["value"])
    for match in _COLON.finditer(text):
        value = match["value"]
        if match["of"] is not None:
            # "Accuracy: 9916/10000 (99%)" says its value in the parentheses; without them it is a position.
            if match["share"] is None:
                continue
            value = match["share"].strip(" ()%")
        elif not match["space"] and value.lstrip("+-").isdigit() and match["percent"] is None:
            continue  # "cuda:0", "train.py:10", "localhost:6006"
        _keep(values, _LEVEL.sub("", match["name"]), value)
    parts = text.split(";")
    begin = next((place for place, part in enumerate(parts) if _STARTS_WITH_STEP.match(part)), None)
    if begin is not None:
        _bare(values, ";".join(parts[begin:]))
    return values


def _bare(values: dict[str, float], text: str) -> None:
    """Adds "train loss 4.21, val loss 4.30" from a line, or its end, that begins with the step: the one place where names need no sign.

    Where nothing stands between step and name ("step 3 loss 4.21"), the name has to be that of a result.
    """
    for segment in re.split(r"[,;|]|(?<=\d):", text):
        match = _BARE.match(segment)
        if match is None and (at := _STEP_AND.match(segment)) is not None:
            match = _BARE.match(segment, at.end())
            match = match if match is not None and is_result(match["name"]) else None
        if match is not None:
            _keep(values, match["name"].strip(), match["value"])


def _keep(values: dict[str, float], name: str, text: str) -> None:
    value = number(text) if text.lstrip("+-")[:1].isalpha() else float(text.replace(",", ""))
    name = name.rstrip(".-/")
    words = words_of(name)
    if value is None or not name or is_step(name) or _is_step_phrase(name) or is_stamp(name, value):
        return
    if name.lower() in _NO_METRIC or (words and words[-1] in _NO_METRIC):
        return
    values.setdefault(name, value)


def _is_step_phrase(name: str) -> bool:
    return name.rpartition(" ")[2].lower() in ("step", "epoch", "iter", "iteration", "round", "batch", "steps", "epochs")
