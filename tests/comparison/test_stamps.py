"""What is a stamp of the wall clock, and what only looks like one."""

import pytest

from assay.comparison.stamps import is_clock, without_stamps


@pytest.mark.parametrize(
    "text",
    ["2026-11-21", "20261121_023621", "2026-11-21T02:36:21.5Z", "Nov21_02-36-21", "02:36:21", "1763692581", "1763692581.25"],
)
def test_a_stamp_is_taken_out_whole(text):
    assert without_stamps(f"out/{text}/model.pt") == "out/<time>/model.pt"


@pytest.mark.parametrize(
    "text", ["model-v2.pt", "epoch-0012", "0.123456789", "12345678", "fold_3/seed_20", "17636925810000", "3-4-5"]
)
def test_other_digits_stay(text):
    assert without_stamps(text) == text


@pytest.mark.parametrize(
    "name", ["time", "fit_time", "trainTime", "elapsed_s", "seconds", "inference_ms", "timestamp", "wall-time", "Date"]
)
def test_names_of_moments_and_durations(name):
    assert is_clock(name)


@pytest.mark.parametrize("name", ["timesteps", "update", "time_to_event_auc", "loss", "s", "h", "", "times_seen", "min"])
def test_names_of_results(name):
    assert not is_clock(name)
