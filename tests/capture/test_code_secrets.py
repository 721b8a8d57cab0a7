"""Secrets inside code: found and replaced, taken back from the original where there is one, and honest code left alone."""

from __future__ import annotations

import ast
import json
import sysconfig
from pathlib import Path

import pytest

from assay.capture.code_secrets import MARKER, fill_in, stands_for, without_secrets
from assay.store.store import Store
from assay.store.tree import restore_tree, write_tree

# Put together here, so that no file of this repository holds the shape of a token.
RANDOM = "Zq8Kd3mXv7Lw2Rt9Yb4Nc6Hs1Jf5Pg0T"
KEY = "\n".join(("-----BEGIN RSA " + "PRIVATE KEY-----", RANDOM * 2, RANDOM, "-----END RSA " + "PRIVATE KEY-----"))
HIDDEN = {
    "a token of a known form": ("train.py", f'API = "sk-{RANDOM}"', f"sk-{RANDOM}"),
    "an AWS key": ("train.py", "id = 'AKIA" + "J4XQ7ZP2M9TR5WKC'", "AKIA" + "J4XQ7ZP2M9TR5WKC"),
    "a password": ("train.py", "password = 'hunter2'", "hunter2"),
    "an argument": ("train.py", "connect(user='me', passwd='c0rrect-horse')", "c0rrect-horse"),
    "with a type": ("train.py", "db_password: str = 'hunter2'", "hunter2"),
    "a mapping": ("train.py", "{'api_key': '" + RANDOM + "'}", RANDOM),
    "a variable": ("train.py", f"os.environ['WANDB_API_KEY'] = '{RANDOM}'", RANDOM),
    "what services call key": ("train.py", f"wandb.login(key='{'0123456789abcdef' * 2}')", "0123456789abcdef" * 2),
    "a URL": ("train.py", "db = 'postgres://me:pa55w0d@host/x'", "pa55w0d"),
    "a private key": ("train.py", f"K = '''{KEY}'''", RANDOM),
    "a connection": ("train.py", "connect('host=db user=me password=hunter2 dbname=x')", "hunter2"),
    "variables": ("conf/prod.env", f"WANDB_API_KEY={RANDOM}\n", RANDOM),
    "settings": ("conf/db.yaml", "db:\n  password: hunter2  # mine\n", "hunter2"),
    "a cell": ("a.ipynb", json.dumps({"source": ["password = 'hunter2'\n", f"k = '{RANDOM}'"]}), "hunter2"),
    "a key in a cell": ("a.ipynb", json.dumps({"source": KEY.splitlines(keepends=True)}, indent=1), RANDOM),
    "what a cell printed": (
        "a.ipynb",
        json.dumps({"outputs": [{"text": ["hf_" + "aB3dE6gH9kL2mN5pQ8sT1vW4yZ7cF0hJ3nR6\n"]}]}),
        "hf_aB3",
    ),
}
HONEST = [
    "password = 'password'", "password = os.environ['PASSWORD1']", "password = f'{user}123'", "password = '<your-password1>'",
    "pad_token = '[PAD0]'; token = 'endoftext1'", "key = 'layer1.attention.weight'", "cache_key = 'Zq8Kd3mXv7Lw2Rt9Yb4N'",
    "api_key = 'your-api-key-123456'", "secret = 'changeme123456789'", "monkey = 'Zq8Kd3mXv7Lw2Rt9Yb4Nc6Hs1Jf5Pg0T'",
    "url = 'http://user:password@host/'", "url = 'postgres://postgres:postgres@localhost'", "url = f'http://{user}:{pw1}@{host}'",
    "connect('db', password=settings1.word )", "connect('host=db password=' + word1 )",
    "tokenizer = 'bert-base-uncased-v2-1234567'", "parser.add_argument('--password', default='')", "public_key_token = '1fc8b3b9a1e18e3b'",
]  # fmt: skip


@pytest.mark.parametrize(("path", "text", "secret"), HIDDEN.values(), ids=HIDDEN)
def test_a_secret_is_replaced_and_the_rest_stays(path: str, text: str, secret: str) -> None:
    """Lines keep their numbers, a script stays a script and a notebook stays a notebook; the copy holds no secret any more."""
    data = f"{text}\n".encode() if path.endswith(".ipynb") else f"import os\n{text}\nlast = 1\n".encode()
    kept, words = without_secrets(path, data)
    assert secret.encode() not in kept and MARKER in kept
    assert "(line " in words and secret not in words
    assert without_secrets(path, kept) == (kept, "")
    if path.endswith(".py"):
        ast.parse(kept)
        assert kept.count(b"\n") == data.count(b"\n")
    if path.endswith(".ipynb"):
        json.loads(kept)


@pytest.mark.parametrize("text", HONEST)
def test_what_merely_looks_like_one_stays(text: str) -> None:
    """Placeholders, names of other things, values that come from elsewhere."""
    assert without_secrets("train.py", text.encode()) == (text.encode(), "")


def test_published_code_holds_none() -> None:
    """The sources of numpy and of the standard library's own packages are kept as they are."""
    folders = [
        Path(sysconfig.get_paths()["purelib"]) / "numpy",
        *(Path(sysconfig.get_paths()["stdlib"]) / x for x in ("email", "http")),
    ]
    sources = [path for folder in folders for path in folder.rglob("*.py")]
    assert len(sources) > 100
    assert [str(path) for path in sources if without_secrets(str(path), path.read_bytes())[1]] == []


def test_the_original_stands_in_for_its_copy(tmp_path: Path, project: Path) -> None:
    """Where it differs in nothing but its secrets; anything else is named, and left with the marker."""
    store, root, folder = Store.open(project), tmp_path / "root", tmp_path / "copy"
    entries = {}
    for name in ("same.py", "edited.py", "gone.py", "plain.py"):
        data = f"x = '{name}'\n" + ("" if name == "plain.py" else "password = 'hunter2'\n")
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(data)
        entries[name.encode()] = ("file", store.objects.put(without_secrets(name, data.encode())[0]))
    tree = write_tree(store.objects, entries)  # type: ignore[arg-type]  # kinds are literals
    restore_tree(store.objects, tree, folder)
    (root / "same.py").write_text("x = 'same.py'\npassword = 'an0ther'\n")
    (root / "edited.py").write_text("x = 2\npassword = 'hunter2'\n")
    (root / "gone.py").unlink()
    assert sorted(fill_in(store.objects, tree, folder, (tmp_path / "nowhere", root))) == ["edited.py", "gone.py"]
    assert (folder / "same.py").read_text() == (root / "same.py").read_text()
    assert MARKER in (folder / "gone.py").read_bytes()
    assert stands_for(root / "plain.py", (root / "plain.py").read_bytes()) is None
