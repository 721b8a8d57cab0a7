"""The folders of a project: walked for files and nested repositories, and watched for new names afterwards."""

# Paths are text here: making a `Path` for each of a tree's thousand files would double the cost of a snapshot.
# Long lists of words are split from text: one word a line would hide the code between them.
# ruff: noqa: PTH116, PTH122, SIM905

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Set
from typing import Final

from assay.capture.watch import Mark, digest_names, mark_after, mark_rule

SUFFIXES: Final = frozenset(
    ".py .pyi .pyx .pxd .ipynb .toml .cfg .ini .yaml .yml .json .jsonc .md .rst .txt .sh .bash .zsh .fish .r .jl .m .lua .pl .rb .js .mjs"
    " .ts .c .h .cc .cpp .cxx .hpp .cu .cuh .cl .f .f90 .rs .go .java .kt .scala .swift .sql .proto .cmake .mk .nix .dockerfile .conf"
    " .properties .jsonnet .libsonnet .gin .tex .bib .html .css .stan .smk .nf .def .lock .patch .diff".split()
)
NAMES: Final = frozenset(
    (".assayignore", "makefile", "dockerfile", "snakefile", "justfile", "pipfile", "procfile", "license", "readme", "requirements")
)
_GENERATED: Final = {
    "__pycache__": "compiled by Python",
    "node_modules": "installed packages",
    "site-packages": "installed packages",
    ".ipynb_checkpoints": "copies made by Jupyter",
    ".assay": "an Assay store",
}
_SHOWN_SUFFIXES: Final = 3


class Folder:
    """The entries of one folder by what they are; the store's own folder is no entry.

    Raises:
        OSError: the folder cannot be read.
    """

    def __init__(self, full: str, store: str) -> None:
        self.files: list[str] = []
        self.folders: list[str] = []
        self.special: list[str] = []
        with os.scandir(full) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.path != store:
                        self.folders.append(entry.name)
                elif entry.is_symlink() or entry.is_file(follow_symlinks=False):
                    self.files.append(entry.name)
                else:
                    self.special.append(entry.name)

    def digest(self) -> str:
        """One text for the names and whether they are folders."""
        return digest_names([*self.files, *self.special, *(name + "/" for name in self.folders)])


class Walk:
    """What a walk through the folders of a project found, as paths relative to its root.

    Args:
        root: absolute path without symbolic links.
        store: absolute path of the store, which is never walked.
        ignored: folders that git ignores.
        moment: nanoseconds since 1970, before the files were asked for.
        hidden: whether folders whose name begins with a dot are walked.
    """

    def __init__(self, root: str, store: str, *, ignored: Set[str] = frozenset(), moment: int, hidden: bool) -> None:
        self.files: list[str] = []
        self.nested: list[str] = []
        self.pruned: list[str] = []
        self.folders: dict[str, Mark] = {}
        self.ignore_files: dict[str, Mark | None] = {}
        self.attributes = False
        self.left_out: dict[str, str] = {}
        self._root = root
        self._store = store
        self._ignored = ignored
        self._moment = moment
        self._hidden = hidden

    def through(self, start: str) -> Walk:
        """This walk, after it has gone through `start` and all folders below it."""
        waiting = [start]
        while waiting:
            path = waiting.pop()
            waiting += self._enter(path)
        return self

    def _enter(self, path: str) -> list[str]:
        """Note one folder; the folders in it that are to be walked."""
        full = f"{self._root}/{path}" if path else self._root
        try:
            found = os.stat(full)
            folder = Folder(full, self._store)
        except OSError as error:
            self.left_out[path + "/"] = f"the folder cannot be read ({error.strerror})"
            return []
        self.folders[path] = mark_after(found, self._moment, folder.digest())
        for name in folder.special:
            self.left_out[join(path, name)] = "neither a file, a folder nor a link"
        self.files += [join(path, name) for name in folder.files]
        self._note_rules(full, folder)
        return [inner for name in folder.folders if self._goes_into(inner := join(path, name), name)]

    def _note_rules(self, full: str, folder: Folder) -> None:
        for name in (".gitignore", ".gitattributes"):
            if name in folder.files:
                self.ignore_files[f"{full}/{name}"] = mark_rule(f"{full}/{name}", self._moment)
                self.attributes = self.attributes or name == ".gitattributes"

    def _goes_into(self, path: str, name: str) -> bool:
        if path in self._ignored or name == ".git" or (name.startswith(".") and not self._hidden):
            return False
        full = f"{self._root}/{path}"
        reason = _GENERATED.get(name) or ("a virtual environment" if os.path.lexists(full + "/pyvenv.cfg") else "")
        if reason:
            self.pruned.append(path)
            self.left_out[path + "/"] = reason
            return False
        if os.path.lexists(full + "/.git"):
            self.nested.append(path)
            return False
        return True


def join(folder: str, name: str) -> str:
    """The path of `name` in `folder`, where "" is the root."""
    return f"{folder}/{name}" if folder else name


def by_suffix(files: list[str]) -> tuple[list[str], dict[str, str]]:
    """Files with the suffix or name of source or configuration, and the others counted by folder as left out."""
    chosen: list[str] = []
    others: dict[str, Counter[str]] = {}
    for path in files:
        folder, _, name = path.rpartition("/")
        stem, suffix = os.path.splitext(name.lower())
        if suffix in SUFFIXES or stem in NAMES:
            chosen.append(path)
        else:
            others.setdefault(folder, Counter())[suffix or "no suffix"] += 1
    return chosen, {join(folder, "*"): _not_source(counts) for folder, counts in others.items()}


def _not_source(counts: Counter[str]) -> str:
    shown = ", ".join(suffix for suffix, _ in counts.most_common(_SHOWN_SUFFIXES))
    more = ", …" if len(counts) > _SHOWN_SUFFIXES else ""
    total = counts.total()
    return f"{total} {'file' if total == 1 else 'files'} without a suffix of source or configuration ({shown}{more})"
