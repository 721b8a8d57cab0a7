"""Which files make up the code of a project, and how to know later, without asking git again, that these are still the files.

In git: what git tracks or would add. Outside git, and where git cannot be asked: files with the suffixes of source and
configuration. A listing holds as long as no folder that was walked has other names in it and no file that decides (index, ignore
files, configuration) has another content.
"""

# Paths are text here: making a `Path` for each of a tree's thousand files would double the cost of a snapshot.
# ruff: noqa: PTH112, PTH116, PTH120

from __future__ import annotations

import os
import time
from typing import Final

import blake3
import msgspec

from assay.capture.git import (
    GitFailed,
    Repository,
    converts_content,
    deciding_files,
    find_repository,
    is_linked_worktree,
    read_status,
)
from assay.capture.walk import Folder, Walk, by_suffix
from assay.capture.watch import Mark, mark, mark_rule, same_file
from assay.records.run import Git

A_FOLDER: Final = "a folder: a submodule without its files, or put in place of a file"


class Listing(msgspec.Struct):
    """The files of a project by path relative to its root, and what was looked at to know them.

    Attributes:
        settled: files that belong to the tree whatever runs wrote (git tracks them).
        others: files that belong to it unless a run wrote them.
        folders: walked folders, relative to the root, with the mark of their names.
        rules: absolute paths of the files that decide, None for those that are absent.
        left_out: what was left out, with its reason.
        git: state of the repository that holds the root; None outside git.
        staged: whether an index differs from its commit.
        unstaged: tracked files that differed from the index, with the index's mode and object.
        converts: whether git may keep contents in another form than the working tree.
        variables: digest of the environment variables that decide.
        moment: when the listing was begun, in nanoseconds since 1970.
    """

    settled: list[str] = []
    others: list[str] = []
    folders: dict[str, Mark] = {}
    rules: dict[str, Mark | None] = {}
    left_out: dict[str, str] = {}
    git: Git | None = None
    staged: bool = False
    unstaged: dict[str, str] = {}
    converts: bool = False
    variables: str = ""
    moment: int = 0

    def holds(self, root: str, store: str) -> bool:
        """Whether asking again would give the same files. Marks of folders whose names are the same are renewed on the way."""
        if self.variables != _variables() or not all(same_file(path, known) for path, known in self.rules.items()):
            return False
        moment = time.time_ns()
        for path, known in self.folders.items():
            full = f"{root}/{path}" if path else root
            try:
                found = os.stat(full)
                if known.matches(found):
                    continue
                if Folder(full, store).digest() != known.digest:
                    return False
            except OSError:
                return False
            self.folders[path] = mark(found, moment, known.digest)
        return True


def make_listing(root: str, store: str) -> Listing:
    """The files of the project at `root`, without those in the store; both absolute paths without symbolic links."""
    listing = Listing(moment=time.time_ns(), variables=_variables())
    repository = find_repository(root)
    if repository is None:
        _list_by_suffix(listing, root, store)
        return listing
    try:
        _list_by_git(listing, repository, root, "", store)
    except GitFailed as error:
        # What would let git answer lies anywhere (PATH, ownership), so such a listing never holds: the next one asks again.
        listing = Listing(moment=listing.moment, variables="git failed")
        _list_by_suffix(listing, root, store)
        listing.left_out[".git"] = f"git could not be asked, so files were chosen by suffix: {error}"
    return listing


def _list_by_suffix(listing: Listing, root: str, store: str) -> None:
    walk = Walk(root, store, moment=listing.moment, hidden=False).through("")
    listing.others, others = by_suffix(walk.files)
    listing.left_out |= others
    _take_over(listing, walk)
    above = root
    while True:  # a repository that is made here or further up decides from then on
        listing.rules[above + "/.git/HEAD"] = mark_rule(above + "/.git/HEAD", listing.moment)
        listing.rules[above + "/.git"] = mark_rule(above + "/.git", listing.moment)
        if above == os.path.dirname(above):
            break
        above = os.path.dirname(above)
    for path in walk.nested:
        _list_nested(listing, root, path, store)


def _list_by_git(listing: Listing, repository: Repository, root: str, path: str, store: str) -> None:
    """Add what git tracks or would add in the folder `path` of the project ("": its root), which lies in `repository`.

    Raises:
        GitFailed: git cannot be asked, or does not look into this folder.
    """
    full = f"{root}/{path}" if path else root
    prefix = path + "/" if path else ""
    status = read_status(repository, full)
    if "" in status.ignored:
        raise GitFailed(f"the repository at {repository.top} ignores this folder")
    walk = Walk(root, store, ignored={prefix + name for name in status.ignored}, moment=listing.moment, hidden=True).through(path)
    _take_over(listing, walk)
    for name in deciding_files(repository, full):
        listing.rules[name] = mark_rule(name, listing.moment)
    nested = {name for inner in walk.nested for name in (inner, inner + "/")}
    pruned = tuple(inner + "/" for inner in walk.pruned)
    listing.left_out |= {prefix + name: A_FOLDER for name in status.tracked if prefix + name in walk.folders}
    listing.settled += _present(root, [prefix + name for name in status.tracked if prefix + name not in nested], walk)
    listing.others += [
        name for name in (prefix + name for name in status.others) if name not in nested and not name.startswith(pruned)
    ]
    listing.unstaged |= {prefix + name: oid for name, oid in status.unstaged.items()}
    listing.staged = listing.staged or status.staged or any(prefix + name in nested for name in status.others)
    listing.converts = listing.converts or converts_content(repository, walk.attributes)
    if not path:
        listing.git = status.git
    for inner in walk.nested:
        _list_nested(listing, root, inner, store)


def _present(root: str, tracked: list[str], walk: Walk) -> list[str]:
    """Tracked files without those that are deleted, not checked out, or hidden by a link in place of a folder above them.

    Should one come back, a watched folder gets a new name. Folders that are not watched, since git ignores them or they are passed
    over, may come and go unseen; only what they hold now is known.
    """
    files = set(walk.files)
    real: dict[str, bool] = {}
    present = []
    for path in tracked:
        folder = path.rpartition("/")[0]
        if path in files:
            present.append(path)
        elif folder not in walk.folders:
            if folder not in real:
                full = f"{root}/{folder}"
                real[folder] = os.path.isdir(full) and os.path.realpath(full) == full
            if real[folder]:
                present.append(path)
    return present


def _take_over(listing: Listing, walk: Walk) -> None:
    listing.folders |= walk.folders
    listing.rules |= walk.ignore_files
    listing.left_out |= walk.left_out


def _list_nested(listing: Listing, root: str, path: str, store: str) -> None:
    """Add the files of a submodule or of a clone within the project, as its own git has them."""
    full = f"{root}/{path}"
    listing.rules[full + "/.git"] = mark_rule(full + "/.git", listing.moment)
    if is_linked_worktree(full):
        listing.left_out[path + "/"] = "another working tree of a repository"
        return
    try:
        _list_by_git(listing, Repository.of(full), root, path, store)
    except GitFailed as error:
        listing.left_out[path + "/"] = f"a nested repository of which git says: {error}"


def _variables() -> str:
    """One text for the environment variables that decide which files git lists."""
    names = sorted(name for name in os.environ if name.startswith("GIT_CONFIG") or name in ("HOME", "XDG_CONFIG_HOME", "PATH"))
    return blake3.blake3("\0".join(f"{name}={os.environ[name]}" for name in names).encode("utf-8", "surrogateescape")).hexdigest(16)
