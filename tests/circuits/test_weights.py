"""Circuits in the weights equal the explicit matrices, and what the network computes with them."""

import pytest
import torch

from remix_utils.circuits.composition import composition
from remix_utils.circuits.stream import direct_logits, head_outputs
from remix_utils.circuits.weights import full_ov, full_qk, ov, positional_qk, qk
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.select import find_one
from remix_utils.intervene import ablate
from remix_utils.models.catalogue import load
from remix_utils.models.model import ModelError
from remix_utils.models.transformer import model as build
from tests.models.small_transformers import KINDS, config, loaded, network

HEADS = [(0, 0), (0, 3), (1, 2)]


def close(value, expected):
    torch.testing.assert_close(value, expected, atol=1e-5, rtol=1e-5)


def folded(weights, norm, kind):
    """The matrix that stands before whatever reads a norm: centring, then the norm's weight."""
    weight = weights.get(f"{norm}.w", torch.ones(32)).diag()
    centring = torch.eye(32) - (1 / 32 if kind not in ("llama", "no norm") else 0)
    return centring @ weight


@pytest.mark.parametrize("fold", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_every_circuit_equals_the_product_of_its_matrices(kind, fold):
    """OV, QK and both in full, for every kind of network, shared keys and values included, folded or raw."""
    model = loaded(kind)
    weights, group = model.weights, 4 // model.config["n_kv_heads"]
    embed = weights["embed.W_E"]
    unembed = embed.T if model.config["tied"] else weights["unembed.W_U"]
    for layer, head in HEADS:
        before = folded(weights, f"blocks.{layer}.ln1", kind) if fold else torch.eye(32)
        after = folded(weights, "ln_final", kind) if fold else torch.eye(32)
        W_Q, W_K, W_V, W_O = (weights[f"blocks.{layer}.attn.W_{letter}"] for letter in "QKVO")
        value_output = before @ W_V[head // group] @ W_O[head]
        query_key = before @ W_Q[head] @ (before @ W_K[head // group]).T / W_Q.shape[-1] ** 0.5
        close(ov(model, (layer, head), folded=fold).full(), value_output)
        close(qk(model, (layer, head), folded=fold).full(), query_key)
        close(full_ov(model, (layer, head), folded=fold).full(), embed @ value_output @ after @ unembed)
        close(full_qk(model, (layer, head), folded=fold).full(), embed @ query_key @ embed.T)
    read = folded(weights, "blocks.1.ln1", kind) if fold else torch.eye(32)
    first, second = ov(model, (0, 3), folded=False).full(), ov(model, (1, 2), folded=False).full()
    before = folded(weights, "blocks.0.ln1", kind) if fold else torch.eye(32)
    close(ov(model, (0, 3), (1, 2), folded=fold).full(), before @ first @ read @ second)
    assert ov(model, (0, 3), (1, 2)).A.shape[1] == model.config["d_head"]


def without_biases(kind, **changes):
    """A model whose biases are all zero, the weights of its norms random."""
    made = network(kind, **changes)
    weights = {
        name: torch.zeros_like(value) if name.rsplit(".", 1)[-1][0] == "b" else value
        for name, value in made.state_dict().items()
    }
    return build(kind, weights, made.config, {}, None)


@pytest.mark.parametrize("kind", ["shortformer", "llama", "no norm"])
def test_a_row_of_the_full_ov_circuit_is_what_a_lone_token_adds_to_the_logits(kind):
    """A head that sees one token alone moves the logits as that token's row says, over the scales of two norms."""
    model = without_biases(kind)
    graph, every = model.graph(seq=1), torch.arange(11).unsqueeze(1)
    for head in ((0, 1), (0, 2)):
        added = evaluate(direct_logits(graph, head_outputs(graph)[head]), {"tokens": every})[:, 0]
        row = full_ov(model, head).full()
        close(added / added.norm(dim=1, keepdim=True), row / row.norm(dim=1, keepdim=True))
        if kind == "no norm":
            close(added, row)


def test_the_embedding_may_be_another():
    """With the stream after the first MLP for an embedding, rows are those of a later head that reads it."""
    model = without_biases("llama")
    graph = ablate(model.graph(seq=1), "blocks.0.attn_out", "zero")
    every = {"tokens": torch.arange(11).unsqueeze(1)}
    stream = evaluate(find_one(graph, "blocks.0.resid_post"), every)[:, 0]
    added = evaluate(direct_logits(graph, head_outputs(graph)[1, 2]), every)[:, 0]
    row = full_ov(model, (1, 2), embedding=stream).full()
    close(added / added.norm(dim=1, keepdim=True), row / row.norm(dim=1, keepdim=True))
    other = full_qk(model, (1, 2), embedding=stream).full()
    close(other, stream @ qk(model, (1, 2)).full() @ stream.T)


def test_the_full_qk_circuit_gives_the_scores_of_two_tokens():
    """Without a norm, positions or biases the scores of the first layer are its entries."""
    model, given = loaded("no norm"), torch.tensor([[3, 7, 7, 0]])
    scores = evaluate(find_one(model.graph(seq=4), "blocks.0.attn.scores"), {"tokens": given})[0]
    for head in range(4):
        close(full_qk(model, (0, head))[given[0], given[0]].full(), scores[head])


@pytest.mark.parametrize("kind", ["neox", "llama"])
def test_rotary_scores_depend_on_the_distance(kind):
    """The full QK circuit at a distance gives the score of a query for a key so many tokens back, all of a head turned
    or a part of it."""
    model = without_biases(kind, norm="none")
    given = torch.tensor([[3, 7, 1, 0, 5]])
    scores = evaluate(find_one(model.graph(seq=5), "blocks.0.attn.scores"), {"tokens": given})[0]
    for query in range(5):
        for key in range(query + 1):
            circuit = full_qk(model, (0, 3), distance=query - key)
            close(circuit[int(given[0, query]), int(given[0, key])], scores[3, query, key])


def test_the_positional_circuit_of_shortformer_positions_is_exact():
    """Where tokens say nothing, the scores of any layer are those of positions, whatever the norm's weights are."""
    model = without_biases("shortformer")
    silent = build("silent", {**model.weights, "embed.W_E": torch.zeros(11, 32)}, config("shortformer"), {}, None)
    for layer, head in HEADS:
        scores = evaluate(
            find_one(silent.graph(seq=6), f"blocks.{layer}.attn.scores"), {"tokens": torch.zeros(6).long()}
        )
        close(positional_qk(model, (layer, head))[:6, :6].full(), scores[head])


def test_the_positional_circuit_of_learned_positions_is_read_through_the_norm():
    """They stand in the stream, so that the norm before a head is folded into it, unless it is asked for raw."""
    model, vectors = loaded("gpt2"), loaded("gpt2").weights["pos_embed.W_pos"]
    for fold in (True, False):
        circuit = vectors @ qk(model, (1, 2), folded=fold).full() @ vectors.T
        close(positional_qk(model, (1, 2), folded=fold).full(), circuit)


def test_what_has_no_circuit_is_refused():
    """Heads that are not there, not pairs or not in order; positions without vectors; networks without heads."""
    model = loaded("shortformer")
    with pytest.raises(ModelError, match=r"has no head 2\.0"):
        ov(model, (2, 0))
    with pytest.raises(ModelError, match="1 is no head"):
        full_ov(model, 1, 2)
    for wrong in ([], [(1, 0), (0, 1)], [(0, 1), (0, 2)]):
        with pytest.raises(ModelError, match="do not follow each other"):
            ov(model, *wrong)
    with pytest.raises(ModelError, match="has rotary positions, which are no vectors"):
        positional_qk(loaded("neox"), (0, 0))
    with pytest.raises(ModelError, match="has no attention heads"):
        qk(load("digits-a"), (0, 0))


def test_normalised_queries_and_keys_have_no_circuit():
    """A score is then no product of the streams, so the error says so in place of a matrix; OV circuits are as ever."""
    model = loaded("qwen3")
    for ask in (qk, full_qk):
        with pytest.raises(ModelError, match="normalises queries and keys"):
            ask(model, (1, 2))
    for kind in ("Q", "K"):
        with pytest.raises(ModelError, match="normalises queries and keys"):
            composition(model, kind)
    assert ov(model, (1, 2)).shape == (32, 32) and composition(model, "V").shape == (2, 4, 2, 4)
