"""The transformer as a torch module: weights by the field's names, hooks, two ways through attention, padding."""

import copy

import pytest
import torch

from remix_utils.models.initial_weights import sinusoids
from remix_utils.models.transformer import module
from remix_utils.models.transformer_module import Transformer
from tests.models.small_transformers import EVERY_KIND, config, network, tokens


def padded(kind):
    mask = torch.ones(3, 16, dtype=torch.bool)
    mask[1, :4] = False
    return mask.flip(1) if kind == "classifier" else mask


def test_weights_have_the_fields_names_and_axes():
    """The names and shapes are those that the literature's code uses."""
    shapes = {name: tuple(value.shape) for name, value in Transformer(config("gpt2", tied=False)).state_dict().items()}
    assert (
        shapes
        | {
            "embed.W_E": (11, 32),
            "pos_embed.W_pos": (20, 32),
            "blocks.0.ln1.w": (32,),
            "blocks.0.ln1.b": (32,),
            "blocks.0.attn.W_Q": (4, 32, 8),
            "blocks.0.attn.b_Q": (4, 8),
            "blocks.0.attn.W_O": (4, 8, 32),
            "blocks.0.attn.b_O": (32,),
            "blocks.1.mlp.W_in": (32, 64),
            "blocks.1.mlp.b_out": (32,),
            "ln_final.w": (32,),
            "unembed.W_U": (32, 11),
        }
        == shapes
    )
    assert tuple(Transformer(config("llama")).state_dict()["blocks.0.attn.W_K"].shape) == (2, 32, 6)
    assert "unembed.W_U" not in Transformer(config("gpt2")).state_dict()


def test_a_seed_says_all_weights_and_touches_no_other_generator():
    """Equal seeds, equal weights; the global generator is as it was."""
    before = torch.get_rng_state()
    first, same, other = (Transformer(config("gpt2"), seed=seed).state_dict() for seed in (3, 3, 4))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not torch.equal(first["embed.W_E"], other["embed.W_E"])


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_the_fast_way_gives_the_same_logits_and_gradients(kind, masked):
    """Attention in one piece is the same function, at real tokens."""
    mask = padded(kind) if masked else None
    slow, fast = network(kind).requires_grad_(True), network(kind).requires_grad_(True)
    results = []
    for made, how in ((slow, False), (fast, True)):
        logits = made(tokens(), mask, fast=how)
        logits = logits if mask is None or kind == "classifier" else logits[mask]
        logits.square().mean().backward()
        results.append(logits.detach())
    torch.testing.assert_close(*results, atol=1e-5, rtol=1e-5)
    for (name, one), (_, two) in zip(slow.named_parameters(), fast.named_parameters(), strict=True):
        torch.testing.assert_close(one.grad, two.grad, atol=1e-5, rtol=1e-4, msg=name)


def test_it_learns():
    """Forty steps on one batch halve the loss: gradients reach the weights and point the right way."""
    made = Transformer(config("gpt2"), seed=0)
    optimizer = torch.optim.AdamW(made.parameters(), lr=3e-3)
    losses = []
    for _ in range(40):
        logits = made(tokens(), fast=True)[:, :-1]
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), tokens()[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_a_causal_network_does_not_look_ahead_and_the_classifier_does():
    """A later token changes no earlier logits, but it changes what a bidirectional network reads at position 0."""
    changed = tokens().clone()
    changed[:, -1] = (changed[:, -1] + 1) % 11
    for kind in EVERY_KIND:
        difference = (network(kind)(changed) - network(kind)(tokens())).abs()
        if kind == "classifier":
            assert difference.max() > 1e-4
        else:
            assert difference[:, :-1].max() < 1e-6 < difference[:, -1].max(), kind


def test_the_hook_places_are_where_values_pass():
    """A hook that returns zeros for a head's z takes exactly this head away."""
    made, weights = network("attention only"), network("attention only").state_dict()

    def without_head_2(part, given, out):
        return out * (torch.arange(4) != 2)[:, None]

    made.blocks[1].attn.z.register_forward_hook(without_head_2)
    weights["blocks.1.attn.W_O"][2] = 0
    expected = module(weights, vars(made.config))(tokens())
    torch.testing.assert_close(made(tokens()), expected, atol=1e-6, rtol=1e-6)


def test_shortformer_positions_begin_at_the_size_of_a_normalised_residual():
    """Sines and cosines: each pair of entries has length one, whatever the position."""
    start = Transformer(config("shortformer")).pos_embed.W_pos
    torch.testing.assert_close(start, sinusoids(20, 32))
    torch.testing.assert_close(start.unflatten(-1, (16, 2)).norm(dim=-1), torch.ones(20, 16))
    torch.testing.assert_close(start[:, 0], torch.arange(20).float().sin())


def test_a_module_can_be_copied_and_is_ready_to_evaluate():
    """`module` copies its weights, and asks for no gradients."""
    weights = network("gpt2").state_dict()
    made = module(weights, vars(config("gpt2")))
    copy.deepcopy(made).embed.W_E.zero_()
    made.embed.W_E.zero_()
    assert not made.training and not made.embed.W_E.requires_grad and weights["embed.W_E"].abs().sum() > 0
