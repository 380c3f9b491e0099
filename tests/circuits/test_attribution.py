"""Logit attribution: the parts are those of plain torch on the module's hooks, and they sum to the logit."""

import pytest
import torch

from remix_utils.circuits.attribution import logit_attribution, source_attribution
from remix_utils.circuits.stream import split_heads
from remix_utils.errors import MatchError, ShapeError
from remix_utils.graph.rewrite import split
from remix_utils.intervene import ablate
from tests.models.small_transformers import KINDS, loaded, network, outputs, tokens

GIVEN = tokens(rows=3, seq=9)
ANSWERS, OTHERS = torch.tensor([1, 0, 1]), torch.tensor([0, 1, 1])


def close(value, expected, within=1e-5):
    torch.testing.assert_close(value, expected, atol=within, rtol=within)


def logits_of(module, token):
    """[rows, seq] of this token at each row's every position; a classifier's [rows]."""
    logits = module(GIVEN)
    return logits.gather(-1, token.reshape(-1, *[1] * (logits.ndim - 1)).expand(*logits.shape[:-1], 1)).squeeze(-1)


def direction(module, seen, token, at):
    """Where the token's logit grows, in the stream at one position, [rows, d_model]: by autograd, with no formula."""
    stream = seen["blocks.1.resid_post"].clone()
    norm = module.ln_final
    if module.config.norm == "none":
        scale = torch.ones(3, 9, 1)
    elif module.config.norm == "layernorm":
        scale = (stream.var(-1, correction=0, keepdim=True) + norm.eps).sqrt()
    else:
        scale = (stream.square().mean(-1, keepdim=True) + norm.eps).sqrt()
    stream.requires_grad_()
    x = stream - stream.mean(-1, keepdim=True) if module.config.norm == "layernorm" else stream
    x = x / scale * norm.w if module.config.norm != "none" else x / scale
    logits = x[:, at] @ (module.embed.W_E.T if module.config.tied else module.unembed.W_U)
    logits.gather(-1, token.unsqueeze(-1)).sum().backward()
    return stream.grad[:, at]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("difference", [False, True])
def test_parts_sum_to_the_logit(kind, difference):
    """For every kind of network, one logit or a difference of two, to 1e-4 at the least."""
    module = network(kind)
    expected = logits_of(module, ANSWERS) - (logits_of(module, OTHERS) if difference else 0)
    expected = expected if kind == "classifier" else expected[:, -1]
    found = logit_attribution(loaded(kind), GIVEN, ANSWERS, OTHERS if difference else None)
    close(found.total, expected, within=1e-4)
    blocks = [name for name in found.parts if name.startswith("blocks.")]
    close(found.layers.sum(1), sum(found.parts[name] for name in blocks))


@pytest.mark.parametrize("kind", ["shortformer", "gpt2", "llama", "no norm", "classifier"])
def test_each_heads_part_is_its_output_along_the_gradient(kind):
    """A head's part, and that of every key it reads, equals plain torch: z W_O, or pattern × v W_O, by the gradient."""
    module, at = network(kind), 0 if kind == "classifier" else 5
    seen = outputs(module, GIVEN)
    towards = direction(module, seen, ANSWERS, at)
    heads, keys = torch.empty(3, 2, 4), torch.empty(3, 2, 4, 9)
    for layer in (0, 1):
        attention = module.blocks[layer].attn
        value = seen[f"blocks.{layer}.attn.v"]
        value = value.repeat_interleave(4 // value.shape[2], 2)
        onto = torch.einsum("hem,bm->bhe", attention.W_O, towards)
        heads[:, layer] = torch.einsum("bhe,bhe->bh", seen[f"blocks.{layer}.attn.z"][:, at], onto)
        keys[:, layer] = seen[f"blocks.{layer}.attn.pattern"][:, :, at] * torch.einsum("bkhe,bhe->bhk", value, onto)
    model = loaded(kind)
    close(logit_attribution(model, GIVEN, ANSWERS, position=at).heads, heads)
    close(source_attribution(model, GIVEN, ANSWERS, position=at), keys)


@pytest.mark.parametrize("position", [slice(0, 8), torch.tensor([2, 7])])
def test_several_positions(position):
    """Each position has its own answer, and its parts are those of the position alone."""
    model, answers = loaded("shortformer"), GIVEN.roll(-1, 1)[:, position]
    found = logit_attribution(model, GIVEN, answers, position=position)
    logits = network("shortformer")(GIVEN)[:, position]
    close(found.total, logits.gather(-1, answers.unsqueeze(-1)).squeeze(-1), within=1e-4)
    at = int(torch.arange(9)[position][1])
    close(found.heads[..., 1], logit_attribution(model, GIVEN, answers[:, 1], position=at).heads)
    sources = source_attribution(model, GIVEN, answers, position=position)
    assert sources.shape == (3, 2, 4, answers.shape[1], 9)
    close(sources.sum(-1), found.heads)


def test_one_token_for_all_rows():
    """A number stands for the same token in every row."""
    model = loaded("gpt2")
    close(logit_attribution(model, GIVEN, 4).heads, logit_attribution(model, GIVEN, torch.full((3,), 4)).heads)


def test_an_intervention_is_attributed_too():
    """Of a graph with an ablated head: that head adds nothing, and the parts sum to the logit that is left."""
    model = loaded("shortformer")
    graph = ablate(split_heads(model.graph(seq=9)), model.head(1, 3), "zero")
    found = logit_attribution(graph, GIVEN, ANSWERS)
    assert (found.heads[:, 1, 3] == 0).all() and (found.heads[:, 0, 3] != 0).all()
    module = network("shortformer")
    module.blocks[1].attn.W_O[3] = 0
    close(found.total, logits_of(module, ANSWERS)[:, -1], within=1e-4)
    with pytest.raises(MatchError, match="does not come from attention"):
        source_attribution(graph, GIVEN, ANSWERS)


def test_heads_in_groups_have_no_part_of_their_own():
    """The parts sum to the logit all the same, and asking for single heads says which stand together."""
    graph = split(loaded("shortformer").graph(seq=9), "blocks.0.attn_out", "head", parts=[[0], [1, 2], [3]])
    found = logit_attribution(graph, GIVEN, ANSWERS)
    close(found.total, logits_of(network("shortformer"), ANSWERS)[:, -1], within=1e-4)
    with pytest.raises(MatchError, match=r"head\.1-2\.out' is the output of several heads"):
        print(found.heads)


def test_answers_that_do_not_fit_are_refused():
    """One answer a row and position, or an error with both shapes."""
    with pytest.raises(ShapeError, match=r"answers are \[2\], and \[3\] logits"):
        logit_attribution(loaded("gpt2"), GIVEN, torch.tensor([1, 2]))
    with pytest.raises(ShapeError, match=r"others are \[3, 4\], and \[3\] logits"):
        logit_attribution(loaded("gpt2"), GIVEN, ANSWERS, torch.zeros(3, 4, dtype=torch.long))
