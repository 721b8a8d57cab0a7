"""Metrics in files: TensorBoard events, JSON lines, JSON, CSV; only files that the run wrote, under names that tell them apart."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.records.journal import Point
from assay.records.trace import FileUse
from assay.tracking.sources.harvest import Harvest, Output, harvest, read_stream
from assay.tracking.sources.tensorboard import Scalar, read_scalars


def found(root: Path, *paths: str) -> dict[str, list[tuple[int | None, float]]]:
    """name -> (step, value) of all points in the files."""
    result: dict[str, list[tuple[int | None, float]]] = {}
    for point in gathered(root, *paths).points:
        for name, value in point.values.items():
            result.setdefault(name, []).append((point.step, value))
    return result


def gathered(root: Path, *paths: str) -> Harvest:
    return harvest(root, [FileUse(path=path) for path in paths], [], {})


def event_file(folder: Path) -> Path:
    (path,) = (one for one in folder.rglob("*") if "tfevents" in one.name)
    return path


def test_event_files_of_tensorboardx_are_read(tmp_path: Path) -> None:
    """Scalars with their steps and times; images, texts and histograms beside them are passed over."""
    writer = pytest.importorskip("tensorboardX").SummaryWriter(str(tmp_path))
    for step in range(5):
        writer.add_scalar("Loss/train", 1 / (step + 1), step, walltime=1000.0 + step)
    writer.add_scalar("Loss/test", math.nan, 4)
    writer.add_text("note", "hello", 4)
    writer.add_histogram("weights", [1.0, 2.0], 4)
    writer.close()
    scalars = list(read_scalars(event_file(tmp_path).read_bytes()))
    losses = [scalar for scalar in scalars if scalar.tag == "Loss/train"]
    assert [(scalar.step, scalar.time) for scalar in losses] == [(step, 1000.0 + step) for step in range(5)]
    assert [scalar.value for scalar in losses] == [struct.unpack("<f", struct.pack("<f", 1 / (i + 1)))[0] for i in range(5)]
    (test,) = [scalar for scalar in scalars if scalar.tag == "Loss/test"]
    assert math.isnan(test.value)
    assert {scalar.tag for scalar in scalars} == {"Loss/train", "Loss/test"}


def test_the_epoch_beside_each_step_is_no_metric(tmp_path: Path) -> None:
    """As Lightning and Hugging Face write it."""
    writer = pytest.importorskip("tensorboardX").SummaryWriter(str(tmp_path))
    for tag in ("epoch", "train/epoch", "val_loss"):
        writer.add_scalar(tag, 1.0, 4)
    writer.close()
    points = harvest(tmp_path, [FileUse(path=event_file(tmp_path).name)], [], {}).points
    assert {name for point in points for name in point.values} == {"val_loss"}


def varint(number: int) -> bytes:
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def message(field: int, payload: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(payload)) + payload


def record(event: bytes) -> bytes:
    return struct.pack("<QI", len(event), 0) + event + b"\0\0\0\0"


def tensor_event(tag: str, step: int, tensor: bytes) -> bytes:
    value = message(1, tag.encode()) + message(8, tensor)
    return record(b"\x09" + struct.pack("<d", 7.0) + b"\x10" + varint(step) + message(5, message(1, value)))


TENSORS = [
    (b"\x08\x01" + message(4, struct.pack("<f", 0.5)), 0.5),
    (b"\x08\x02" + message(4, struct.pack("<d", 0.1)), 0.1),
    (b"\x08\x09" + message(4, struct.pack("<q", -3)), -3.0),
    (b"\x08\x01" + message(2, b"") + message(5, struct.pack("<f", 0.25)), 0.25),
    (b"\x08\x02" + message(6, struct.pack("<d", 0.75)), 0.75),
    (b"\x08\x03" + b"\x38" + varint(7), 7.0),
]


@pytest.mark.parametrize(("tensor", "value"), TENSORS)
def test_scalars_of_tensorflow_2_are_tensors(tensor: bytes, value: float) -> None:
    """A tensor without dimensions is a scalar, whichever of its fields holds it (framework/tensor.proto)."""
    assert list(read_scalars(tensor_event("loss", 300, tensor))) == [Scalar(7.0, 300, "loss", value)]


def test_a_tensor_with_dimensions_is_no_scalar() -> None:
    """Histograms and vectors give nothing."""
    shape = message(2, message(2, b"\x08\x02"))
    assert list(read_scalars(tensor_event("w", 1, b"\x08\x01" + shape + message(4, struct.pack("<2f", 1, 2))))) == []


@given(st.integers(0, 200))
def test_a_torn_tail_is_passed_over(cut: int) -> None:
    """Every record before the tear is read, nothing after it, and nothing raises."""
    whole = b"".join(tensor_event("loss", step, TENSORS[1][0]) for step in range(4))
    size = len(whole) // 4
    assert len(list(read_scalars(whole[:cut]))) == min(4, (cut + 4) // size)


@given(st.binary(max_size=300))
def test_no_bytes_raise(data: bytes) -> None:
    """Whatever is in an event file, reading it ends."""
    list(read_scalars(data))
    list(read_scalars(record(data)))


def test_json_lines_with_steps(tmp_path: Path) -> None:
    """Numbers by key, nested keys dotted; words, truth values, stamps and torn lines are none; NaN is a value."""
    (tmp_path / "out.jsonl").write_text(
        '{"step": 1, "loss": 0.5, "split": "train", "ok": true, "val": {"acc": 1}}\n'
        '{"step": 2, "loss": NaN, "timestamp": 1732186800}\nnot json\n{"step": 3, "lo'
    )
    result = found(tmp_path, "out.jsonl")
    assert result["val.acc"] == [(1, 1.0)]
    assert result["loss"][0] == (1, 0.5) and math.isnan(result["loss"][1][1])
    assert set(result) == {"loss", "val.acc"}


def test_a_metrics_document(tmp_path: Path) -> None:
    """metrics.json is one object; another JSON file is none of ours."""
    (tmp_path / "metrics.json").write_text('{"accuracy": 0.9, "test": {"f1": 0.5}, "model": "x"}')
    (tmp_path / "config.json").write_text('{"lr": 0.1}')
    assert found(tmp_path, "metrics.json", "config.json") == {"accuracy": [(None, 0.9)], "test.f1": [(None, 0.5)]}


def test_tables_with_a_header(tmp_path: Path) -> None:
    """Columns by name, the step by its column; predictions and tables without header give nothing."""
    (tmp_path / "run.csv").write_text("epoch,loss,acc,note\n0,0.5,10%,a\n1,nan,20%,b\n")
    (tmp_path / "preds.csv").write_text("id,score_a\n1,0.5\n2,0.6\n")
    (tmp_path / "log.csv").write_text("1,2\n3,4\n")
    result = found(tmp_path, "run.csv", "preds.csv", "log.csv")
    assert result["acc"] == [(0, 10.0), (1, 20.0)]
    assert result["loss"][0] == (0, 0.5) and math.isnan(result["loss"][1][1])
    assert set(result) == {"loss", "acc"}


def test_files_that_share_a_name_are_told_apart(tmp_path: Path) -> None:
    """train.csv and val.csv both have a loss: each keeps its own, under the part of the path that differs."""
    for name, value in (("train", 0.5), ("val", 0.7)):
        (tmp_path / f"{name}.csv").write_text(f"step,loss,{name}_only\n1,{value},3\n")
    assert found(tmp_path, "train.csv", "val.csv") == {
        "train/loss": [(1, 0.5)],
        "val/loss": [(1, 0.7)],
        "train_only": [(1, 3.0)],
        "val_only": [(1, 3.0)],
    }


def test_a_file_beside_those_that_share_a_name_keeps_its_own(tmp_path: Path) -> None:
    """Three files, two of which share a name that the third does not have: as TensorBoard's `add_scalars` lays them down."""
    for name, column in (("multi_a", "multi"), ("multi_b", "multi"), ("main", "loss")):
        (tmp_path / f"{name}.csv").write_text(f"step,{column}\n1,0.5\n")
    assert found(tmp_path, "main.csv", "multi_a.csv", "multi_b.csv") == {
        "loss": [(1, 0.5)],
        "multi_a/multi": [(1, 0.5)],
        "multi_b/multi": [(1, 0.5)],
    }


def test_only_written_files_are_read(tmp_path: Path) -> None:
    """A metrics file that lies there from before says nothing about this run."""
    (tmp_path / "metrics.json").write_text('{"accuracy": 0.9}')
    assert gathered(tmp_path).points == []


def test_a_file_that_is_gone_is_a_gap(tmp_path: Path) -> None:
    """It is named, and the others are read."""
    (tmp_path / "metrics.json").write_text('{"accuracy": 0.9}')
    result = gathered(tmp_path, "absent.csv", "metrics.json")
    assert [gap.what for gap in result.gaps] == ["metrics of absent.csv"]
    assert len(result.points) == 1


def test_measurements_are_marked_by_their_names(tmp_path: Path) -> None:
    """Times and memory, which no two runs share, do not count as results."""
    text = b"loss=0.5 epoch_time=12.5 gpu_mem_gb=3 samples_per_second=100 timestep=4\n"
    points = harvest(tmp_path, [], [Output(text, [(len(text), 1.0)])], {}).points
    assert points == [
        Point(1.0, None, {"loss": 0.5, "timestep": 4.0}, False, "output"),
        Point(1.0, None, {"epoch_time": 12.5, "gpu_mem_gb": 3.0, "samples_per_second": 100.0}, True, "output"),
    ]


def test_of_a_long_output_the_end_counts(tmp_path: Path) -> None:
    """Beginning and end are searched line by line, the middle is said to be missing, and the last value is the last."""
    (tmp_path / "stdout").write_bytes(b"".join(b"loss=%d and many words to fill the line with\n" % step for step in range(250_000)))
    output = read_stream(tmp_path / "stdout", [(1 << 40, 5.0)])
    result = harvest(tmp_path, [], [output], {})
    assert result.points[0].values == {"loss": 0.0} and result.points[-1].values == {"loss": 249_999.0}
    assert [gap.what for gap in result.gaps] == ["metrics in the output"]
    values = [point.values["loss"] for point in result.points]
    assert values == sorted(set(values))
