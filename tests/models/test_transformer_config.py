"""What describes a transformer, and what is refused before a weight is made."""

import pytest

from remix_utils.models.model import ModelError
from remix_utils.models.transformer_config import TransformerConfig
from tests.models.small_transformers import SIZES


def test_what_is_left_out_follows_from_the_rest():
    """Head size, key heads and rotary size have their usual values; logits are the vocabulary's or the classifier's."""
    plain = TransformerConfig(**SIZES)
    assert (plain.d_head, plain.n_kv_heads, plain.rotary_dim, plain.n_logits) == (8, 4, 8, 11)
    assert TransformerConfig(**SIZES, d_out=2).n_logits == 2


@pytest.mark.parametrize(
    "change",
    [
        {"n_layers": 0},
        {"d_vocab": -1},
        {"d_model": 3},
        {"positions": "sinusoidal"},
        {"activation": "tanh"},
        {"norm": "batchnorm"},
        {"n_kv_heads": 3},
        {"positions": "rotary", "rotary_dim": 3},
        {"positions": "rotary", "rotary_dim": 10},
        {"tied": True, "d_out": 2},
    ],
)
def test_what_does_not_fit_is_refused(change):
    """Every error names the entry and ends with a way out."""
    with pytest.raises(ModelError, match=r"TransformerConfig: .*\n  fix: "):
        TransformerConfig(**{**SIZES, **change})


def test_a_card_with_a_wrong_entry_is_refused():
    """An unknown entry names the nearest known one; a missing one is named."""
    with pytest.raises(ModelError, match="'d_mpl' is no entry; nearest: 'd_mlp'"):
        TransformerConfig.read({**SIZES, "d_mpl": 3})
    with pytest.raises(ModelError, match="'n_heads' is missing"):
        TransformerConfig.read({name: value for name, value in SIZES.items() if name != "n_heads"})
