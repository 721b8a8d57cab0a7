"""Files of the formats that libraries write, compared by value, each difference named; written by the real libraries."""

from __future__ import annotations

import bz2
import io
import lzma
import tarfile
import zipfile

import h5py
import joblib
import numpy as np
import pytest
import torch
from safetensors.numpy import save as save_safetensors
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from assay.comparison.closeness import Yardstick
from assay.comparison.meaning import by_meaning

YARD = Yardstick()


def judged(name, a, b):
    assert a != b, "the contents are the same bytes, so nothing is tested"
    found = by_meaning(name, a, b, YARD)
    return found.sameness, found.note


def saved(value, **options):
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


def dumped(value, **options):
    buffer = io.BytesIO()
    joblib.dump(value, buffer, **options)
    return buffer.getvalue()


def test_a_tensor_is_named_as_its_module_names_it_with_the_place_and_the_largest_difference():
    """Views, shared storages and parameters included."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 2))
    before = saved({"model": model.state_dict(), "epoch": 3})
    with torch.no_grad():
        model[1].weight[1, 0] += 0.5
    sameness, note = judged("m.pt", before, saved({"model": model.state_dict(), "epoch": 3}))
    assert sameness == "not reproduced"
    assert note.startswith("differs at model.1.weight (1 of 4 elements differ, first at [1, 0]: ")
    assert note.endswith("; largest difference 0.5)")
    flat = torch.arange(6.0)
    views = {"t": flat.reshape(2, 3).T, "tail": flat[4:], "p": torch.nn.Parameter(torch.ones(2))}
    moved = {**views, "tail": torch.tensor([4.0, 5.0000001])}
    assert judged("m.ckpt", saved(views), saved(moved))[0] == "identical"
    moved["tail"] = torch.tensor([4.0, 5.000002])
    sameness, note = judged("m.bin", saved(views), saved(moved))
    assert (sameness, "tail (1 of 2 elements differ, first at [1]" in note) == ("numerical", True)


def test_an_optimizer_of_torch_is_compared_to_its_last_moment():
    def trained(rate):
        weight = torch.nn.Parameter(torch.ones(2))
        optimizer = torch.optim.Adam([weight], lr=rate)
        weight.sum().backward()
        optimizer.step()
        return saved({"optimizer": optimizer.state_dict()})

    assert judged("o.pt", trained(0.1), trained(0.2)) == (
        "not reproduced",
        "differs at optimizer.param_groups[0].lr (0.1 against 0.2)",
    )


def test_a_tensor_that_reaches_beyond_its_storage_is_not_read():
    """A file that lies about its shapes is no reason to read memory that is not its own."""
    sound = saved({"w": torch.ones(64)})
    evil = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sound)) as source, zipfile.ZipFile(evil, "w") as target:
        for name in source.namelist():
            target.writestr(name, b"\0" * 8 if name.endswith("data/0") else source.read(name))
    assert judged("m.pt", sound, evil.getvalue()) == (
        "not reproduced",
        "its bytes differ, and it cannot be read as its name promises",
    )


def test_safetensors_name_the_tensor():
    a, b = (save_safetensors({"a": np.ones(2), "head.w": np.array([[1.0, 2.0], [3.0, last]])}) for last in (4.0, 4.5))
    sameness, note = judged("m.safetensors", a, b)
    assert (sameness, note.partition(":")[0]) == ("not reproduced", "head.w")
    assert "first at [1, 1]: 4.0 against 4.5; largest difference 0.5" in note


@pytest.mark.parametrize("compress", [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)])
def test_what_joblib_wrote_is_read_without_running_it(compress):
    """Arrays stand between the opcodes of its pickles, aligned; in any order, of objects, and several of them."""
    value = {
        "c": np.arange(12.0).reshape(3, 4),
        "f": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        "objects": np.array(["x", None, 3], dtype=object),
        "after": np.arange(5),
    }
    other = {**value, "after": np.array([0, 1, 2, 3, 9])}
    near = {**value, "f": value["f"] * (1 + 1e-9)}
    sameness, note = judged("m.joblib", dumped(value, compress=compress), dumped(other, compress=compress))
    assert (sameness, note) == ("not reproduced", "differs at after (1 of 5 elements differ, first at [4]: 4 against 9)")
    assert judged("m.joblib", dumped(value, compress=compress), dumped(near, compress=compress))[0] == "numerical"
    assert judged("m.joblib", dumped(value), dumped(value, compress=("zlib", 9)))[0] == "identical"


def test_estimators_are_compared_by_what_they_learned():
    """The same fit twice is the same, in other bytes too; another seed is named by the attribute that parts."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 3)), np.arange(40) % 2

    def forest(seed):
        return RandomForestClassifier(3, random_state=seed).fit(x, y)

    assert judged("m.joblib", dumped(forest(1)), dumped(forest(1), compress=3))[0] == "identical"
    sameness, note = judged("m.joblib", dumped(forest(1)), dumped(forest(2)))
    assert (sameness, "differs at " in note) == ("not reproduced", True)
    pipes = [make_pipeline(StandardScaler(), LogisticRegression(tol=tol)).fit(x, y) for tol in (1e-4, 1e-9)]
    sameness, note = judged("m.pkl", *(dumped(pipe) for pipe in pipes))
    assert sameness == "not reproduced"
    assert note.startswith("differs at steps[1][1].tol (0.0001 against 1e-09)")


def hdf5(values, attribute, **options):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", **options) as file:
        file["layers/w"] = values
        file["names"] = ["a", "b"]
        file["layers/w"].attrs["epoch"] = attribute
    return buffer.getvalue()


def test_hdf5_is_compared_data_set_by_data_set():
    """Layout and library version do not count; attributes do."""
    base = hdf5(np.ones((2, 2)), 3)
    assert judged("m.h5", base, hdf5(np.ones((2, 2)), 3, libver="latest"))[0] == "identical"
    assert judged("m.hdf5", base, hdf5(np.ones((2, 2)), 4))[1].startswith("differs at layers/w@epoch")
    sameness, note = judged("m.h5", base, hdf5(np.array([[1, 1], [1, 1 + 1e-8]]), 3))
    assert (sameness, "layers/w (1 of 4 elements differ, first at [1, 1]" in note) == ("numerical", True)
    assert judged("m.h5", base, b"junk")[1].endswith("cannot be read as its name promises")


def archived(members, mode, moment):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.uid = len(content), moment, moment
            archive.addfile(entry, io.BytesIO(content))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "mode"), [("x.tar", "w"), ("x.tar.gz", "w:gz"), ("x.tgz", "w:gz"), ("x.tar.bz2", "w:bz2"), ("x.tar.xz", "w:xz")]
)
def test_tar_archives_are_their_members(name, mode):
    members = {"a.json": b'{"loss": 0.5}', "b.txt": b"x"}
    base = archived(members, mode, 1)
    assert judged(name, base, archived(members, mode, 2))[0] == "identical"
    near = archived({**members, "a.json": b'{"loss": 0.50000001}'}, mode, 1)
    assert judged(name, base, near) == ("numerical", "a.json: within tolerance at loss (0.5 against 0.50000001)")
    assert judged(name, base, archived({"a.json": b'{"loss": 0.5}'}, mode, 1)) == ("not reproduced", "b.txt: only in a")


def test_members_of_an_archive_are_compared_by_what_they_are():
    """A table in a zip archive, and an array in an archive in an archive."""

    def zipped(members):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return buffer.getvalue()

    arrays = [io.BytesIO() for _ in range(2)]
    for buffer, value in zip(arrays, (1.0, 1.5), strict=True):
        np.savez(buffer, w=np.array([value]))
    a, b = (zipped({"t.csv": b"x\n1\n", "deep.npz": buffer.getvalue()}) for buffer in arrays)
    note = "deep.npz: w.npy: 1 of 1 elements differ, first at [0]: 1.0 against 1.5; largest difference 0.5"
    assert judged("x.zip", a, b) == ("not reproduced", note)


@pytest.mark.parametrize(("suffix", "compress"), [("bz2", bz2.compress), ("xz", lzma.compress)])
def test_compressed_files_are_what_they_hold(suffix, compress):
    assert judged(f"m.csv.{suffix}", compress(b"loss\n0.5\n"), compress(b"loss\n0.50000001\n"))[0] == "numerical"
    assert judged(f"m.csv.{suffix}", compress(b"loss\n"), b"junk")[0] == "not reproduced"


def test_a_jpeg_is_its_pixels():
    image = pytest.importorskip("PIL.Image")

    def picture(value, comment):
        buffer = io.BytesIO()
        image.new("RGB", (8, 8), (value, 0, 0)).save(buffer, "JPEG", comment=comment)
        return buffer.getvalue()

    assert judged("p.jpg", picture(10, b"monday"), picture(10, b"sunday")) == ("identical", "equal but for its metadata")
    assert judged("p.jpg", picture(10, b"monday"), picture(200, b"monday"))[0] == "not reproduced"


@pytest.mark.parametrize("kind", ["svg", "pdf", "png"])
def test_plots_are_the_same_but_for_the_moment_they_were_drawn(kind, monkeypatch):
    pytest.importorskip("matplotlib")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    def drawn(moment, values):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(moment))
        figure = Figure()
        FigureCanvasAgg(figure)
        figure.subplots().plot(values, clip_on=True)
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, metadata={"Title": str(moment)} if kind == "png" else None)
        return buffer.getvalue()

    assert judged(f"p.{kind}", drawn(1, [1, 2, 4]), drawn(10**9, [1, 2, 4]))[0] == "identical"
    assert judged(f"p.{kind}", drawn(1, [1, 2, 4]), drawn(1, [1, 2, 3.5]))[0] == "not reproduced"


@pytest.mark.parametrize(("suffix", "write"), [("parquet", "parquet.write_table"), ("feather", "feather.write_feather")])
def test_tables_of_arrow_are_compared_column_by_column(suffix, write):
    pyarrow = pytest.importorskip("pyarrow")
    module, function = write.split(".")
    writer = getattr(pytest.importorskip(f"pyarrow.{module}"), function)

    def table(loss, **options):
        buffer = io.BytesIO()
        columns = {"name": ["a", None], "loss": [0.25, loss], "n": [1, None]}
        writer(pyarrow.table(columns), buffer, **options)
        return buffer.getvalue()

    assert judged(f"t.{suffix}", table(0.5), table(0.5, compression="zstd"))[0] == "identical"
    assert judged(f"t.{suffix}", table(0.5), table(0.5 + 1e-9))[0] == "numerical"
    sameness, note = judged(f"t.{suffix}", table(0.5), table(0.75))
    assert (sameness, note.startswith("differs at loss (1 of 2 elements differ, first at [1]: 0.5 against 0.75")) == (
        "not reproduced",
        True,
    )
    assert judged(f"t.{suffix}", table(0.5), b"junk")[0] == "not reproduced"
