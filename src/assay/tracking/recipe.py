"""What a command would run, before it runs: its recipe, with the capture that the recipe stands on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from assay.capture.code import CodeCapture, Snapshot
from assay.capture.data import declare
from assay.capture.environment import describe, settings
from assay.capture.interpreter import Interpreter, interpreter_of
from assay.capture.secret_values import redact_params
from assay.capture.secrets import redact_arguments
from assay.capture.seeds import check_seed
from assay.errors import InvalidValue
from assay.records.canonical import legible
from assay.records.environment import Environment
from assay.records.finding import Finding
from assay.records.recipe import Recipe
from assay.records.trace import FileUse
from assay.store.store import Store
from assay.tracking.command import parameters, portable

HASH_SEED = "PYTHONHASHSEED"


class Prepared(NamedTuple):
    """All that is known before a command starts. `command` is as it was typed, secrets redacted."""

    recipe: Recipe
    snapshot: Snapshot
    interpreter: Interpreter | None
    environment: tuple[str, Environment]
    command: tuple[str, ...]
    declared: tuple[FileUse, ...]
    findings: tuple[Finding, ...]


def recipe_of(
    store: Store,
    root: Path,
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    params: Mapping[str, Any] | None = None,
    seed: int | None = None,
    data: Sequence[str | os.PathLike[str]] = (),
    snapshot: Snapshot | None = None,
) -> Recipe:
    """The recipe that `supervise` would record with these arguments.

    Raises:
        InvalidValue: the seed is none, or a declared input cannot be read.
        StoreUnusable: code or packages cannot be put into the store.
    """
    return prepare(store, root, command, cwd=cwd, env=env, params=params, seed=seed, data=data, snapshot=snapshot).recipe


def prepare(
    store: Store,
    root: Path,
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    params: Mapping[str, Any] | None = None,
    seed: int | None = None,
    data: Sequence[str | os.PathLike[str]] = (),
    snapshot: Snapshot | None = None,
    recipe: Recipe | None = None,
) -> Prepared:
    """Capture what a command would run. A `recipe` that is given stands in place of the one that follows from the rest.

    Raises:
        InvalidValue: the seed is none, or a declared input cannot be read.
        StoreUnusable: code, data or packages cannot be put into the store.
    """
    env = os.environ if env is None else env
    root, cwd = Path(os.path.realpath(root)), Path(os.path.realpath(cwd))
    taken = snapshot or CodeCapture(store, root).snapshot()
    interpreter = interpreter_of(command, env, cwd)
    described = describe(store, interpreter, env)
    words, findings = redact_arguments(command)
    declared = declare(store, root, cwd, data)
    return Prepared(
        recipe or _recipe(root, cwd, words, taken, described[1], declared, settings(seeded(env, seed)), params, seed),
        taken,
        interpreter,
        described,
        tuple(words),
        declared,
        (*findings, *_redacted(params or {})),
    )


def _redacted(params: Mapping[str, Any]) -> Iterator[Finding]:
    for name, value in redact_params(params).items():
        if value != params[name]:
            text = f"the value of {name} was taken for a secret and is not stored"
            yield Finding(kind="secret redacted", about=name, text=text)


def _recipe(
    root: Path,
    cwd: Path,
    words: Sequence[str],
    snapshot: Snapshot,
    environment: Environment,
    declared: Sequence[FileUse],
    variables: tuple[dict[str, str], dict[str, str]],
    params: Mapping[str, Any] | None,
    seed: int | None,
) -> Recipe:
    command = portable(words, root, cwd)
    # Paths among the parameters are those of the portable command, so that a trial's folder does not show in its recipe.
    given = parameters(command) | redact_params(params or {})
    return put_together(root, cwd, command, snapshot, environment, declared, variables, given, seed)


def put_together(
    root: Path,
    cwd: Path,
    command: tuple[str, ...],
    snapshot: Snapshot,
    environment: Environment,
    declared: Sequence[FileUse],
    variables: tuple[dict[str, str], dict[str, str]],
    params: dict[str, Any],
    seed: int | None,
) -> Recipe:
    """The recipe that is made of what was captured: the one place that decides what is part of a run's identity.

    Args:
        root, cwd: the project's root, and the working directory in it.
        command: arguments in their portable form.
        snapshot, environment, declared: code, interpreter and packages, declared inputs.
        variables: thread counts and flags, as `assay.capture.environment.settings` gives them.
        params, seed: as `Recipe` has them.
    """
    threads, flags = variables
    return Recipe(
        code=snapshot.tree,
        command=command,
        directory=legible(os.path.relpath(cwd, root)),
        params=params,
        seed=seed,
        threads=threads,
        flags=flags,
        python=environment.python,
        packages=environment.packages,
        data={use.path: use.id for use in declared if use.id is not None},
    )


def seeded(env: Mapping[str, str], seed: int | None) -> Mapping[str, str]:
    """`env` as the command will have it: a seed fixes the hash seed, unless the user has fixed it.

    Raises:
        InvalidValue: no library takes this seed.
    """
    if seed is None or env.get(HASH_SEED, "").isdigit():
        return env
    return {**env, HASH_SEED: str(check_seed(seed))}


def kept_file(store: Store, root: Path, path: Path, by: str) -> FileUse:
    """A file with its content, which is in the store afterwards.

    Raises:
        InvalidValue: it cannot be read.
        StoreUnusable: the store cannot take it.
    """
    try:
        status = path.stat()
        content = store.objects.put_file(path)
    except OSError as error:
        raise InvalidValue(
            "this file cannot be kept", value=str(path), expected="a file that can be read", next_step=f"{error.strerror}."
        ) from error
    return FileUse(path=shown_path(path, root), id=content, size=status.st_size, mtime=status.st_mtime_ns, kept=True, by=by)


def shown_path(path: Path, root: Path) -> str:
    """A path as records have it: relative to the root where below it, else absolute; bytes that are no UTF-8 as `\\xNN`."""
    # The folder alone is resolved: a link is named, not what it leads to.
    text = f"{os.path.realpath(path.parent).rstrip('/')}/{path.name}"
    base = os.path.realpath(root) + "/"
    return text.removeprefix(base).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
