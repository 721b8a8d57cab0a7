"""What a user says of a run after it was recorded: tags, notes, and that it is to go."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Literal

from assay.capture.secrets import redact
from assay.errors import AmbiguousRun, InvalidValue, UnknownRun
from assay.lineage.graph import descendants
from assay.records.canonical import legible
from assay.records.mark import Mark
from assay.records.run import Run
from assay.store.process import this_process
from assay.store.store import Store
from assay.tracking.ending import user_name

_LONGEST_TAG = 100
_LONGEST_NOTE = 100_000
_NAMED = 8
_LATER = 1e-6  # seconds by which one thing is said after another


def tag(store: Store, run: Run, words: Iterable[str], *, remove: bool = False) -> list[str]:
    """Give a run words to be found by, or take them away; the words that stand afterwards.

    Raises:
        InvalidValue: a word is empty, longer than 100 characters, or not one printable line; none is given; or one that is to be taken
            away is not there.
        StoreUnusable: the store cannot be written.
    """
    wanted = list(dict.fromkeys(words))
    if not wanted:
        raise InvalidValue("no tag was named", expected="at least one word", next_step="`assay show` lists a run's tags.")
    for word in wanted:
        _check_tag(word)
    standing = store.marks.tags(run)
    absent = [word for word in wanted if word not in standing]
    if remove and absent:
        raise InvalidValue(
            "the run does not have this tag",
            value=absent[0],
            expected=f"one of {', '.join(standing)}" if standing else "a run with tags",
        )
    for word in wanted if remove else absent:
        _add(store, run, "untag" if remove else "tag", word)
    return store.marks.tags(run)


def note(store: Store, run: Run, text: str) -> Mark:
    """Put a text beside a run. Secrets in it are redacted, as everywhere.

    Raises:
        InvalidValue: the text is empty or longer than 100,000 characters.
        StoreUnusable: the store cannot be written.
    """
    if not text.strip() or len(text) > _LONGEST_NOTE:
        raise InvalidValue("this is no note", value=text[:_LONGEST_TAG], expected=f"text of up to {_LONGEST_NOTE} characters")
    return _add(store, run, "note", redact(legible(text))[0])


def remove(store: Store, runs: Iterable[Run], *, force: bool = False) -> list[str]:
    """Take runs out of the store's answers; the ids of those that build on them and stay. `bring_back` undoes it until they are collected.

    Raises:
        InvalidValue: runs that stay build on one of them, and `force` is not set; or one is running. Then none was removed.
        StoreUnusable: the store cannot be written.
    """
    chosen = {run.id: run for run in runs}
    for run in chosen.values():
        if run.state in ("running", "queued"):
            raise InvalidValue(
                "this run is still running", value=run.id, expected="runs that have ended", next_step="End it first."
            )
    built = dict.fromkeys(
        edge.target
        for run_id in chosen
        for edge in descendants(store, run_id).edges
        if edge.source == run_id and edge.target not in chosen
    )
    if built and not force:
        raise InvalidValue(
            "other runs build on what is to be removed",
            value=", ".join(chosen),
            expected="runs on which no other builds",
            next_step=f"{_shown(list(built))} build on them; --force removes them all the same.",
        )
    for run_id in chosen:
        store.runs.remove(run_id)
    return list(built)


def bring_back(store: Store, prefix: str) -> str:
    """The id of a removed run, which is back.

    Args:
        prefix: its id, or the first characters of it that no other removed run has.

    Raises:
        UnknownRun, AmbiguousRun: no removed run has it, or several have.
        InvalidValue: the run is here.
    """
    found = [run_id for run_id in store.runs.removed() if prefix and run_id.startswith(prefix)]
    if len(found) > 1:
        raise AmbiguousRun("several removed runs have this prefix", value=prefix, expected=f"one of {', '.join(found[:_NAMED])}")
    if not found:
        known = ", ".join(store.runs.removed()[:_NAMED])
        raise UnknownRun(
            "no removed run has this id", value=prefix, expected=f"one of {known}" if known else "a run that was removed"
        )
    store.runs.bring_back(found[0])
    return found[0]


def _shown(run_ids: list[str]) -> str:
    return ", ".join(run_ids[:_NAMED]) + (f" and {len(run_ids) - _NAMED} more" if len(run_ids) > _NAMED else "")


def _check_tag(word: str) -> None:
    if not word.strip() or len(word) > _LONGEST_TAG or not word.isprintable() or word != word.strip():
        raise InvalidValue(
            "this is no tag",
            value=word[:_LONGEST_TAG],
            expected=f"1 to {_LONGEST_TAG} printable characters without blanks around them",
        )


def _add(store: Store, run: Run, kind: Literal["tag", "untag", "note"], text: str) -> Mark:
    marked = store.marks.of(run.id)
    now = max(time.time(), marked.latest + _LATER)  # what is said last counts, though the clock was set back
    mark = Mark(run=run.id, time=now, kind=kind, text=text, user=user_name(), host=this_process().name)
    store.marks.add(mark)
    return mark
