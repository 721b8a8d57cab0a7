"""Contents that are not the same bytes, compared by what they mean. Files are written by the real libraries."""

import gzip
import io
import json
import pickle
import zipfile
import zlib
from collections import OrderedDict

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from assay.comparison.closeness import Tolerance, Yardstick, worst
from assay.comparison.meaning import by_meaning

YARD = Yardstick()
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def npy(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def zipped(members, moment):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (moment, 1, 1, 0, 0, 0)), content)
    return buffer.getvalue()


def saved(value):
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


@given(plain)
def test_a_document_written_in_another_layout_is_identical(value):
    """JSON, NaN and infinities included: only the value counts."""
    assert by_meaning("a.json", json.dumps(value).encode(), json.dumps(value, indent=3).encode(), YARD).sameness == "identical"


@given(plain, plain)
def test_comparison_of_documents_is_symmetric_and_monotone_in_the_tolerance(a, b):
    one, other = json.dumps(a).encode(), json.dumps(b).encode()
    narrow, wide = Yardstick(), Yardstick(Tolerance(1.0, 1.0))
    there = by_meaning("a.json", one, other, narrow).sameness
    assert by_meaning("a.json", other, one, narrow).sameness == there
    assert worst([there, by_meaning("a.json", one, other, wide).sameness]) == there


def test_a_number_that_moves_a_little_is_numerical_and_named():
    meaning = by_meaning("m.json", b'{"test": {"loss": 0.5}}', b'{"test": {"loss": 0.50000001}}', YARD)
    assert meaning.sameness == "numerical"
    assert "test.loss" in meaning.note


def test_durations_and_moments_in_a_document_do_not_count_and_are_named():
    a = b'{"loss": 0.5, "fit_time": 1.25, "timings": {"load": 3}, "at": "2026-11-21T02:36:21"}'
    b = b'{"loss": 0.5, "fit_time": 2.5, "timings": {"load": 4}, "at": "2026-11-22T08:00:00"}'
    meaning = by_meaning("m.json", a, b, YARD)
    assert meaning.sameness == "identical"
    assert "fit_time" in meaning.note


def test_the_folder_of_a_run_may_be_named_in_its_results():
    """A reproduction runs in a folder of its own, and says so in its outputs."""
    yardstick = Yardstick(root_a="/home/u/project", root_b="/cache/assay/x1")
    a, b = b'{"model": "/home/u/project/out/m.pt"}', b'{"model": "/cache/assay/x1/out/m.pt"}'
    assert by_meaning("m.json", a, b, yardstick).sameness == "identical"
    assert by_meaning("m.json", a, b, YARD).sameness == "not reproduced"


@pytest.mark.parametrize(
    ("name", "a", "b", "expected"),
    [
        ("m.jsonl", b'{"step": 0}\n{"step": 1}\n', b'{"step":0}\n{"step":1}', "identical"),
        ("m.jsonl", b'{"step": 0}\n', b'{"step": 0}\n{"step": 1}\n', "not reproduced"),
        ("m.csv", b"loss,acc\n0.5,1\n", b"loss,acc\r\n0.50000001,1\r\n", "numerical"),
        ("m.csv", b"loss,time\n0.5,1.1\n", b"loss,time\n0.5,2.2\n", "identical"),
        ("m.csv", b"loss\n0.5\n", b"loss\n0.6\n", "not reproduced"),
        ("m.tsv", b"a\tb\n1\t2\n", b"a\tb\n1\t3\n", "not reproduced"),
        ("m.txt", b"1.0e-03 2.0\n", b"1.00000001e-03 2.0\n", "numerical"),
        ("m.txt", b"loss: 0.5\nelapsed: 3.2\n", b"loss: 0.5\nelapsed: 4.7\n", "identical"),
        ("m.txt", b"cat", b"dog", "not reproduced"),
        ("m.json", b"{", b"[]", "not reproduced"),
        ("m.txt", b"\xff", b"\xfe", "not reproduced"),
        ("m.bin", b"1", b"1.0", "not reproduced"),
        ("noname", b"1", b"1.0", "not reproduced"),
        ("m.npy", b"junk", b"more junk", "not reproduced"),
        ("m.pt", b"junk", b"more junk", "not reproduced"),
        ("m.pkl", b"junk", b"more junk", "not reproduced"),
        ("m.safetensors", b"junk", b"\xff" * 30, "not reproduced"),
        ("m.png", b"junk", b"more junk", "not reproduced"),
        ("m.json.gz", b"junk", b"more junk", "not reproduced"),
        ("m.json", b"[" * 100_000, b"[" * 100_001, "not reproduced"),
    ],
)
def test_kinds_of_files(name, a, b, expected):
    """Tables, texts and lines by their numbers; what is damaged or of no known kind by its bytes."""
    meaning = by_meaning(name, a, b, YARD)
    assert meaning.sameness == expected
    assert meaning.note


def test_arrays_are_compared_by_value_whatever_their_layout():
    values = np.array([[1.0, np.nan], [np.inf, -0.0]])
    assert by_meaning("x.npy", npy(values), npy(np.asfortranarray(values)), YARD).sameness == "identical"
    assert by_meaning("x.npy", npy(values), npy(values + 1e-9), YARD).sameness == "numerical"
    assert by_meaning("x.npy", npy(values), npy(values.astype("f4")), YARD).sameness == "not reproduced"
    assert by_meaning("x.npy", npy(values), npy(values.ravel()), YARD).sameness == "not reproduced"
    assert (
        by_meaning("x.npy", npy(np.array([1, 2])), npy(np.array([1, 3])), YARD).note
        == "1 of 2 elements differ, first at [1]: 2 against 3"
    )
    assert by_meaning("x.npy", npy(np.array([1 + 2j])), npy(np.array([1 + 2.00000001j])), YARD).sameness == "numerical"


def test_python_objects_in_an_array_are_never_unpickled():
    class Boom:
        def __reduce__(self):
            return pytest.fail, ("the array was unpickled",)

    evil, other = (npy_objects([Boom(), number]) for number in (1, 2))
    assert by_meaning("x.npy", evil, other, YARD).sameness == "not reproduced"


def npy_objects(items):
    buffer = io.BytesIO()
    np.save(buffer, np.array(items, dtype=object), allow_pickle=True)
    return buffer.getvalue()


def test_an_archive_is_its_members_and_not_their_dates():
    members = {"a.txt": b"1", "b/c.npy": npy(np.ones(3))}
    assert by_meaning("x.zip", zipped(members, 2001), zipped(members, 2020), YARD).sameness == "identical"
    moved = by_meaning("x.npz", npz(w=np.ones(3)), npz(w=np.ones(3) * (1 + 1e-8)), YARD)
    assert (moved.sameness, moved.note) == (
        "numerical",
        "w.npy: 3 of 3 elements differ, first at [0]: 1.0 against 1.00000001; largest difference 1e-08",
    )
    assert by_meaning("x.npz", npz(w=np.ones(3)), npz(v=np.ones(3)), YARD).sameness == "not reproduced"


def test_a_checkpoint_of_torch_is_compared_tensor_by_tensor_without_torch():
    """Weights within tolerance are numerical; bfloat16 and plain values beside the weights count too."""
    state = OrderedDict(w=torch.ones(4), h=torch.ones(3, dtype=torch.bfloat16), n=torch.arange(3))
    near = OrderedDict(state, w=torch.full((4,), 1.0000001))
    far = OrderedDict(state, h=torch.full((3,), 1.5, dtype=torch.bfloat16))
    base = saved({"state": state, "epoch": 3})
    assert by_meaning("m.pt", base, saved({"state": near, "epoch": 3}), YARD).sameness == "numerical"
    assert by_meaning("m.pt", base, saved({"state": far, "epoch": 3}), YARD).sameness == "not reproduced"
    other = by_meaning("m.pt", base, saved({"state": state, "epoch": 4}), YARD)
    assert other.sameness == "not reproduced"
    assert "epoch" in other.note


def test_a_checkpoint_under_another_file_name_is_the_same(tmp_path):
    """torch names the folder inside the archive after the file."""
    for name in ("run_20260101_000000.pt", "run_20260102_000000.pt"):
        torch.save({"w": torch.ones(2)}, tmp_path / name)
    a, b = (path.read_bytes() for path in sorted(tmp_path.iterdir()))
    assert a != b
    assert by_meaning("m.pt", a, b, YARD).sameness == "identical"


class Stump:
    """A class of a user, as a pickled model has it."""

    def __init__(self, weight):
        self.weight = weight


def test_a_pickle_is_compared_by_value():
    def pickled(weight, protocol=4):
        return pickle.dumps({"model": Stump(np.array([weight, 2.0])), "set": {1, 2}, "np": np.float64(weight)}, protocol=protocol)

    assert by_meaning("m.pkl", pickled(1.0), pickled(1.0, protocol=2), YARD).sameness == "identical"
    assert by_meaning("m.pkl", pickled(1.0), pickled(1.0 + 1e-8), YARD).sameness == "numerical"
    assert by_meaning("m.pkl", pickled(1.0), pickled(1.1), YARD).sameness == "not reproduced"


def test_a_pickle_that_would_run_something_runs_nothing(tmp_path):
    trap = tmp_path / "trap"

    class Evil:
        def __init__(self, number):
            self.number = number

        def __reduce__(self):
            return eval, (f"open({str(trap)!r}, 'w').write('{self.number}')",)

    by_meaning("m.pkl", pickle.dumps(Evil(1)), pickle.dumps(Evil(2)), YARD)
    assert not trap.exists()


def test_a_value_that_contains_itself_is_compared():
    a, b = [1.0], [1.00000001]
    a.append(a)
    b.append(b)
    assert by_meaning("m.pkl", pickle.dumps(a), pickle.dumps(b), YARD).sameness == "numerical"


def safetensors(weight, note):
    body = np.array([weight, 2.0], dtype="<f4").tobytes()
    header = json.dumps({"__metadata__": {"note": note}, "w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    return len(header).to_bytes(8, "little") + header + body


def test_safetensors_are_compared_tensor_by_tensor():
    assert by_meaning("m.safetensors", safetensors(1, "a"), safetensors(1, "bb"), YARD).sameness == "identical"
    assert by_meaning("m.safetensors", safetensors(1, ""), safetensors(1.0000002, ""), YARD).sameness == "numerical"
    assert by_meaning("m.safetensors", safetensors(1, ""), safetensors(3, ""), YARD).sameness == "not reproduced"


def test_what_is_compressed_is_compared_by_what_it_holds():
    a, b = (gzip.compress(b'{"loss": 0.5}', mtime=moment) for moment in (1, 2))
    assert a != b
    assert by_meaning("m.json.gz", a, b, YARD).sameness == "identical"
    near = gzip.compress(b'{"loss": 0.50000001}', mtime=1)
    assert by_meaning("m.json.gz", a, near, YARD).sameness == "numerical"


def picture(pixel, text):
    def chunk(kind, content):
        return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")

    head = (1).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    parts = [chunk(b"IHDR", head), chunk(b"tEXt", text), chunk(b"IDAT", zlib.compress(bytes([0, pixel]))), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_a_picture_is_its_pixels():
    assert by_meaning("p.png", picture(7, b"Date\0monday"), picture(7, b"Date\0sunday"), YARD).sameness == "identical"
    assert by_meaning("p.png", picture(7, b""), picture(8, b""), YARD).sameness == "not reproduced"


def test_speeds_in_a_trainers_state_are_no_result():
    """Hugging Face's `trainer_state.json` holds times and speeds among its results: they do not count, as they do not among metrics."""
    row = {
        "step": 75,
        "train_loss": 0.6924,
        "train_runtime": 0.2105,
        "train_samples_per_second": 1329.9,
        "train_steps_per_second": 166.2,
    }
    again = {**row, "train_runtime": 0.4199, "train_samples_per_second": 666.9, "train_steps_per_second": 83.4}
    one, other, changed = (json.dumps({"log_history": [each]}).encode() for each in (row, again, {**again, "train_loss": 0.7}))
    assert by_meaning("out/trainer_state.json", one, other, YARD).sameness == "identical"
    assert by_meaning("out/trainer_state.json", one, changed, YARD).sameness == "not reproduced"
