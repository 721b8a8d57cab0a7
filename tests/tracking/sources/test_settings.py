"""Printed settings and remarks are no metrics; results that are printed once are."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.tracking.sources.harvest import Output, harvest

MAKEMORE = """\
{'input_file': 'names.txt', 'resume': False, 'num_workers': 4, 'max_steps': 20, 'seed': 3407, 'n_head': 4, 'learning_rate': 0.0005}
number of examples in the dataset: 32033
max word length: 15
number of unique characters in the vocabulary: 26
split up the dataset into 31033 training examples and 1000 test examples
dataset determined that: vocab_size=27, block_size=16
number of parameters: 0.20M
step 0 | loss 3.3000 | step time 20.00ms
step 10 | loss 2.9000 | step time 19.00ms
"""


def found(text: str, params: dict[str, object] | None = None) -> dict[str, list[float]]:
    series: dict[str, list[float]] = {}
    for point in harvest(Path("/nowhere"), (), [Output(text.encode(), [])], params or {}).points:
        for name, value in point.values.items():
            series.setdefault(name, []).append(value)
    return series


def test_a_script_that_shows_its_arguments_and_data_has_the_metrics_it_logs() -> None:
    """The real words of a trainer: only the series remain."""
    assert found(MAKEMORE) == {"loss": [3.3, 2.9]}


@pytest.mark.parametrize(
    "text",
    [
        "{'lr': 0.1, 'batch_size': 32, 'hidden': 64}",
        "{'depth': 3, 'width': 64, 'name': 'tiny', 'gpu': None}",
        '{"depth": 3, "optimizer": {"name": "adam", "lr": 0.1}, "amp": true}',
        "Namespace(lr=0.1, batch_size=32)",
        "batch_size: 32\nlr: 0.1\noptimizer:\n  weight_decay: 0.01\n",
        "Learning rate: 0.1",
        "longest line of all texts: 120",
    ],
)
def test_settings_and_remarks_are_no_metrics(text: str) -> None:
    """Dictionaries of arguments, dumps of a configuration, sentences about the data."""
    assert found(text) == {}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("test accuracy: 0.91", {"test accuracy": [0.91]}),
        ("final loss = 0.3", {"loss": [0.3]}),
        ("accuracy: 0.93", {"accuracy": [0.93]}),
        ("Best validation accuracy: 0.91", {"Best validation accuracy": [0.91]}),
        ('{"accuracy": 0.93, "f1": 0.9}', {"accuracy": [0.93], "f1": [0.9]}),
        ('{"accuracy": 0.93, "lr": 0.1, "model": "resnet"}', {"accuracy": [0.93]}),
        ("{'loss': 0.4, 'learning_rate': 1e-05, 'epoch': 1.0}", {"loss": [0.4], "learning_rate": [1e-5]}),
        ("{'train_loss': 0.4, 'train_runtime': 2.5}", {"train_loss": [0.4], "train_runtime": [2.5]}),
        ("parameters: 1,234,567", {"parameters": [1234567.0]}),
        ("lr: 0.1\nlr: 0.05\n", {"lr": [0.1, 0.05]}),
        ("mean word length: 15\nmean word length: 16\n", {"mean word length": [15.0, 16.0]}),
    ],
)
def test_results_that_are_printed_once_and_what_is_printed_often_are_metrics(text: str, values: dict[str, list[float]]) -> None:
    """A final score needs no series, and a setting that changes has one."""
    assert found(text) == values


def test_what_was_shown_as_configuration_is_known_from_then_on() -> None:
    """A value of the dictionary that is said again says nothing new; another value of that name does."""
    assert found("{'depth': 3, 'name': 'x'}\ndepth=3\n") == {}
    assert found("{'depth': 3, 'name': 'x'}\ndepth=4\n") == {"depth": [4.0]}


def test_a_dictionary_that_holds_a_parameter_is_a_configuration() -> None:
    """The arguments are known, so what shows them is known too, with all that stands beside them."""
    assert found("{'depth': 3, 'sigma': 0.5}", {"depth": 3}) == {}
    assert found("{'depth': 3, 'sigma': 0.5}") == {"depth": [3.0], "sigma": [0.5]}
