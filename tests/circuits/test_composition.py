"""Composition scores equal explicit products, and stand out from chance where heads compose."""

import pytest
import torch

from remix_utils.circuits.composition import composition, composition_baseline
from remix_utils.circuits.weights import ov, qk
from remix_utils.errors import RewriteError
from remix_utils.models.catalogue import load
from remix_utils.models.model import ModelError
from remix_utils.models.transformer import model as build
from remix_utils.models.transformer import untrained
from remix_utils.models.transformer_config import TransformerConfig
from tests.models.small_transformers import KINDS, loaded

SIZES = {"n_layers": 3, "n_heads": 2, "d_model": 24, "n_ctx": 8, "d_vocab": 7}


def product(model, kind, earlier, later, folded):
    written = ov(model, earlier, folded=folded).full()
    read = ov(model, later, folded=folded).full() if kind == "V" else qk(model, later, folded=folded).full()
    read = read.T if kind == "K" else read
    return (written @ read).norm() / (written.norm() * read.norm())


@pytest.mark.parametrize("folded", [True, False])
@pytest.mark.parametrize("letter", ["Q", "K", "V"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_score_is_the_norm_of_a_product_over_the_product_of_norms(kind, letter, folded):
    """For every pair of heads of two layers; all other pairs have no score."""
    model = loaded(kind)
    scores = composition(model, letter, folded=folded)
    expected = [[product(model, letter, (0, a), (1, b), folded) for b in range(4)] for a in range(4)]
    torch.testing.assert_close(scores[0, :, 1], torch.tensor(expected), atol=1e-5, rtol=1e-5)
    assert scores[1].isnan().all() and scores[0, :, 0].isnan().all()


def test_every_pair_of_layers_is_scored():
    """In three layers there are three pairs of them."""
    model = untrained(**SIZES)
    scores = composition(model, "K")
    assert scores.isfinite().sum() == 3 * 2 * 2
    for a, b in ((0, 1), (0, 2), (1, 2)):
        torch.testing.assert_close(scores[a, 1, b, 0], product(model, "K", (a, 1), (b, 0), True))


def test_chance_is_what_unrelated_weights_score():
    """An untrained network scores as the baseline does; a head that reads what another writes stands out."""
    sizes = {"n_layers": 2, "n_heads": 8, "d_model": 64, "n_ctx": 8, "d_vocab": 7}
    model = untrained(**sizes)
    chance = composition_baseline(model)
    for letter in "QKV":
        scores = composition(model, letter, folded=False)[0, :, 1]
        assert (scores.mean() - chance.mean()).abs() < chance.std() and scores.max() < chance.mean() + 6 * chance.std()
    keys = model.weights["blocks.1.attn.W_K"].clone()
    keys[5] = model.weights["blocks.0.attn.W_O"][3].T
    made = build("made", {**model.weights, "blocks.1.attn.W_K": keys}, TransformerConfig(**sizes), {}, None)
    scores = composition(made, "K")[0, :, 1]
    assert scores.argmax() == 3 * 8 + 5 and scores[3, 5] > chance.mean() + 10 * chance.std()
    torch.testing.assert_close(composition(made, "Q")[0, :, 1, :5], composition(model, "Q")[0, :, 1, :5])


def test_the_baseline_is_that_of_its_seed():
    """The same draws from the same seed, and their spread is that of explicit products."""
    model = untrained(**SIZES)
    first, same, other = (composition_baseline(model, 40, seed) for seed in (0, 0, 1))
    assert torch.equal(first, same) and not torch.equal(first, other)
    generator = torch.Generator().manual_seed(2)
    factors = torch.randn(200, 4, 24, 12, generator=generator)
    left, right = factors[:, 0] @ factors[:, 1].mT, factors[:, 2] @ factors[:, 3].mT
    dense = (left @ right).norm(dim=(1, 2)) / left.norm(dim=(1, 2)) / right.norm(dim=(1, 2))
    assert (first.mean() - dense.mean()).abs() < 4 * dense.std() / 40**0.5
    assert 0.6 < first.std() / dense.std() < 1.6


def test_what_does_not_compose_is_refused():
    """Another kind of composition, and a network without heads."""
    with pytest.raises(RewriteError, match="no 'O'-composition"):
        composition(loaded("gpt2"), "O")
    for what in (lambda model: composition(model, "K"), composition_baseline):
        with pytest.raises(ModelError, match="has no attention heads"):
            what(load("digits-a"))
