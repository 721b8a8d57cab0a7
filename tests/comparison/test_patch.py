"""A patch is checked by git itself: applied to the one tree, it gives the other."""

import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.comparison.patch import patch_of_trees
from assay.store.objects import Objects

names = st.sampled_from([b"a.py", b"pkg/b.py", b"with blank.txt", "ünï.txt".encode(), b'quo"te.py', b"back\\slash", b"deep/er/c"])
texts = st.lists(st.sampled_from(["x = 1", "y = 2", "", "-z", "+w", "\x0cpage", "é", "\u2028"]), max_size=8)
contents = st.one_of(
    texts.map(lambda lines: "\n".join(lines).encode()),
    texts.map(lambda lines: "".join(line + "\n" for line in lines).encode()),
    texts.map(lambda lines: "\r\n".join(lines).encode()),
    st.binary(max_size=200),
)
entries = st.one_of(
    st.tuples(st.sampled_from(["file", "exec"]), contents), st.tuples(st.just("link"), st.sampled_from([b"a.py", b"else/where"]))
)
trees = st.dictionaries(names, entries, max_size=4)


@pytest.fixture
def objects(tmp_path):
    for folder in ("store/objects", "store/tmp"):
        (tmp_path / folder).mkdir(parents=True)
    return Objects(tmp_path / "store")


def stored(objects, tree):
    return {path: (kind, objects.put(content)) for path, (kind, content) in tree.items()}


def lay_out(folder, tree):
    for path, (kind, content) in tree.items():
        target = folder / path.decode()
        target.parent.mkdir(parents=True, exist_ok=True)
        if kind == "link":
            target.symlink_to(content.decode())
        else:
            target.write_bytes(content)
            target.chmod(0o755 if kind == "exec" else 0o644)


def found(folder):
    tree = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder)).encode()
        if path.is_symlink():
            tree[name] = ("link", str(path.readlink()).encode())
        elif path.is_file():
            tree[name] = ("exec" if path.stat().st_mode & 0o100 else "file", path.read_bytes())
    return tree


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trees, trees)
def test_a_patch_applied_by_git_turns_the_one_tree_into_the_other(objects, tmp_path_factory, a, b):
    """Texts without a last line end, binary files, modes, links, and names that need quotes."""
    folder = tmp_path_factory.mktemp("tree")
    lay_out(folder, a)
    text = patch_of_trees(objects, stored(objects, a), stored(objects, b))
    if text:
        command = ["git", "apply", "--whitespace=nowarn", "-"]
        applied = subprocess.run(command, cwd=folder, input=text.encode(), capture_output=True)
        assert applied.returncode == 0, applied.stderr.decode() + text
    assert found(folder) == b


def test_a_long_file_is_patched_too(objects, tmp_path):
    """Beyond what a search line by line can do, all of it is replaced."""
    a, b = ({b"long.csv": ("file", "".join(f"{sign * number}\n" for number in range(6000)).encode()[:-1])} for sign in (1, -1))
    lay_out(tmp_path / "tree", a)
    text = patch_of_trees(objects, stored(objects, a), stored(objects, b))
    subprocess.run(["git", "apply", "-"], cwd=tmp_path / "tree", input=text.encode(), check=True)
    assert found(tmp_path / "tree") == b


def test_equal_trees_have_an_empty_patch(objects):
    tree = stored(objects, {b"a.py": ("file", b"x\n")})
    assert patch_of_trees(objects, tree, tree) == ""


def test_a_patch_reads_like_a_diff(objects):
    a, b = (stored(objects, {b"a.py": ("file", text)}) for text in (b"x = 1\ny = 2\n", b"x = 1\ny = 3\n"))
    assert "-y = 2\n+y = 3\n" in patch_of_trees(objects, a, b)
