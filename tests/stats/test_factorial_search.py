"""The search for the terms that explain a response: its algebra, and what it finds."""

from __future__ import annotations

from itertools import product

import numpy as np

from assay.stats.factorial_models import Evidence, log_prior, space
from assay.stats.factorial_search import believe


def test_exchanges_weigh_models_as_fitting_each_of_them_does() -> None:
    """Bordering and its undoing against the inverse of every model by itself, priors included."""
    of, rng = space(4), np.random.default_rng(1)
    columns = of.columns(rng.choice([-1.0, 1.0], (20, 4)))
    evidence = Evidence(of, columns, rng.normal(size=20) + columns[:, 1], np.arange(20) // 5)
    evidence.tune(np.array([[1, of.terms]]))
    models = np.array([[0, 5, of.terms], [2, 1, 7]])
    weights = evidence.exchanged(models)
    for model, place, term in product(range(2), range(3), range(of.terms + 1)):
        changed = models[model].copy()
        changed[place] = term
        filled = changed[changed < of.terms].tolist()
        if len(set(filled)) < len(filled):
            assert weights[model, place, term] == -np.inf
            continue
        alone = evidence.fit(changed[None])[0] + log_prior(of, changed[None])
        assert np.isclose(weights[model, place, term], alone[0])


def test_planted_terms_are_found_among_many_others() -> None:
    rng, of = np.random.default_rng(2), space(10)
    columns = of.columns(rng.choice([-1.0, 1.0], (64, 10)))
    pair = int(np.flatnonzero((of.first == 2) & (of.second == 7))[0])
    values = 0.7 * columns[:, 2] - 0.5 * columns[:, 4] + 0.6 * columns[:, pair] + rng.normal(0, 0.5, 64)
    found = believe(of, columns, values, np.arange(64) // 4 % 4)
    assert np.flatnonzero(found.chosen).tolist() == [2, 4, pair]
    assert found.wrong < 0.2


def test_noise_that_seeds_share_is_told_from_noise_of_trials() -> None:
    rng, of = np.random.default_rng(3), space(6)
    columns, blocks = of.columns(rng.choice([-1.0, 1.0], (60, 6))), np.arange(60) // 4 % 5
    values = columns[:, 0] + rng.normal(0, 3, 5)[blocks] + rng.normal(0, 0.5, 60)
    found = believe(of, columns, values, blocks)
    assert found.ratio > 1
    assert np.flatnonzero(found.chosen).tolist() == [0]
    assert 0.3 < found.deviation < 0.8


def test_where_nothing_is_there_nothing_is_chosen() -> None:
    rng, of = np.random.default_rng(4), space(8)
    columns = of.columns(rng.choice([-1.0, 1.0], (80, 8)))
    assert not believe(of, columns, rng.normal(size=80), np.zeros(80, dtype=np.intp)).chosen.any()


def test_what_is_known_from_elsewhere_moves_what_is_believed() -> None:
    rng, plain = np.random.default_rng(5), space(6)
    columns = plain.columns(rng.choice([-1.0, 1.0], (30, 6)))
    values = 0.3 * columns[:, 3] + rng.normal(size=30)
    belief = np.zeros(plain.terms)
    belief[3] = 3.0
    blocks = np.zeros(30, dtype=np.intp)
    without, with_it = (believe(of, columns, values, blocks).chance[3] for of in (plain, space(6, belief)))
    assert with_it > without
