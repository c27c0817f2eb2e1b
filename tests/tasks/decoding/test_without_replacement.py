"""Top-down Gumbels against their definition: the children's greatest value is the parent's."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from tasks.decoding.sampling import gumbel_noise
from tasks.decoding.without_replacement import best_children, importance_weights

law = settings(deadline=None, max_examples=60)


@law
@given(
    seed=st.integers(0, 2**32 - 1),
    num_nodes=st.integers(1, 5),
    num_children=st.integers(1, 7),
    num_best=st.integers(1, 8),
)
def test_the_condition_is_that_of_the_paper(seed, num_nodes, num_children, num_best):
    rng = np.random.default_rng(seed)
    drawn = torch.from_numpy(rng.normal(size=(num_nodes, num_children)) * 3)
    parents = torch.from_numpy(rng.normal(size=num_nodes))
    perturbed, places = best_children(drawn, parents_R=parents, num_best=num_best)
    greatest = drawn.amax(-1, keepdim=True)
    defined = -torch.log((-parents[:, None]).exp() - (-greatest).exp() + (-drawn).exp())
    expected, order = defined.topk(min(num_best, num_children))
    assert torch.equal(places, order)
    torch.testing.assert_close(perturbed, expected)
    assert torch.equal(perturbed[:, 0], parents)


def test_children_that_are_not_there_have_no_value():
    drawn = torch.tensor([[1.0, -math.inf, 0.5], [-math.inf] * 3, [1.0, 2.0, 3.0]]).double()
    parents = torch.tensor([0.0, 0.0, -math.inf]).double()
    perturbed, places = best_children(drawn, parents_R=parents, num_best=3)
    assert perturbed[0].isfinite().tolist() == [True, True, False]
    assert places[0, :2].tolist() == [0, 2]
    assert (perturbed[1:] == -math.inf).all()


def test_far_and_near_values_stay_finite_and_ordered():
    drawn = torch.tensor([[0.0, -1e-15, -1e-9, -40.0, -800.0]]).double()
    for parent in (-900.0, 0.0, 900.0):
        perturbed, _ = best_children(drawn, parents_R=torch.tensor([parent]).double(), num_best=5)
        assert perturbed.isfinite().all()
        assert (perturbed.diff() <= 0).all()
        assert perturbed[0, 0] == parent


def test_children_of_a_drawn_root_are_independent_gumbels():
    num_draws, phi = 20_000, torch.tensor([0.5, 0.2, 0.3]).double().log()
    keys = torch.arange(num_draws)
    roots = gumbel_noise(keys, torch.tensor(-5))
    noise = gumbel_noise(keys[:, None], torch.arange(3))
    perturbed, places = best_children(phi + noise, parents_R=roots, num_best=3)
    values = torch.empty_like(perturbed).scatter_(1, places, perturbed) - phi
    for child in range(3):
        assert kstest(values[:, child].numpy(), "gumbel_r").pvalue > 0.01
    correlations = np.corrcoef(values.numpy().T)[np.triu_indices(3, 1)]
    assert np.abs(correlations).max() < 4 / math.sqrt(num_draws)


@pytest.mark.parametrize("kappa", [-20.0, -1.0, 3.0])
def test_weights_are_probability_over_inclusion(kappa):
    phi = torch.tensor([-0.1, -3.0, -9.0]).double()
    inclusion = 1 - (-(phi - kappa).exp()).exp()
    weights = importance_weights(phi, kappa=torch.tensor(kappa).double())
    torch.testing.assert_close(weights, phi.exp() / inclusion)


def test_weights_without_anything_left_out_are_the_probabilities():
    phi = torch.tensor([-0.1, -700.0]).double()
    weights = importance_weights(phi, kappa=torch.tensor(-math.inf).double())
    assert torch.equal(weights, phi.exp())


def test_weights_of_lucky_texts_are_the_threshold():
    phi = torch.tensor([-300.0]).double()
    weights = importance_weights(phi, kappa=torch.tensor(-250.0).double())
    torch.testing.assert_close(weights.log(), torch.tensor([-250.0]).double())


@pytest.mark.parametrize(("phi", "kappa"), [(-760.0, 0.0), (-740.0, -1.0), (-2000.0, -3.5)])
def test_weights_of_very_long_texts_are_numbers(phi, kappa):
    weights = importance_weights(torch.tensor(phi).double(), kappa=torch.tensor(kappa).double())
    # p / (1 - exp(-p / exp(kappa))) goes to exp(kappa) as p goes to 0.
    torch.testing.assert_close(weights, torch.tensor(math.exp(kappa)).double())
