"""Copying, three ways: on tokens, by eigenvalues, by accuracy; each equals the long way round."""

import pytest
import torch

from remix_utils.circuits.copying import copying, copying_accuracy, copying_eigenvalues
from remix_utils.circuits.stream import split_heads
from remix_utils.circuits.weights import full_ov
from remix_utils.data import Dataset
from remix_utils.errors import ShapeError
from remix_utils.intervene import ablate
from remix_utils.models.transformer import model as build
from tests.models.small_transformers import KINDS, config, loaded, network, outputs, tokens

GIVEN = tokens(rows=3, seq=8)
LANGUAGE = [kind for kind in KINDS if kind != "classifier"]


def by_loops(kind, given):
    """[rows, layer, head]: of what each head adds to the logits, unembedded through the last norm with its bias off."""
    module = network(kind)
    seen, found = outputs(module, given), torch.zeros(len(given), 2, 4)
    unembed = module.embed.W_E.T if module.config.tied else module.unembed.W_U
    weight = module.ln_final.w if module.config.norm != "none" else torch.ones(32)
    for layer in (0, 1):
        for head in range(4):
            out = seen[f"blocks.{layer}.attn.z"][:, :, head] @ module.blocks[layer].attn.W_O[head]
            out = out - out.mean(-1, keepdim=True) if module.config.norm == "layernorm" else out
            logits, pattern = out * weight @ unembed, seen[f"blocks.{layer}.attn.pattern"][:, head]
            for row, line in enumerate(given.tolist()):
                shares = []
                for query in range(1, len(line)):
                    raised = logits[row, query, line[: query + 1]]
                    raised = (raised - raised.mean()).relu()
                    shares.append(raised[pattern[row, query].argmax()] / raised.sum())
                found[row, layer, head] = torch.stack(shares).mean()
    return found


@pytest.mark.parametrize("kind", LANGUAGE)
def test_the_score_equals_a_loop_over_tokens(kind):
    """The share of the most attended token in all that a head raises, among the tokens so far."""
    values, score = by_loops(kind, GIVEN), copying(loaded(kind), GIVEN)
    torch.testing.assert_close(score.mean, values.mean(0), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(score.se, values.std(0) / 3**0.5, atol=1e-5, rtol=1e-4)


def copier(sign):
    """A network whose first layer's heads write the embedding of what they look at, or its opposite."""
    weights = dict(loaded("no norm", d_model=16, n_heads=2, d_head=16).weights)
    basis = torch.linalg.qr(torch.randn(16, 11, generator=torch.Generator().manual_seed(0))).Q.T
    weights |= {"embed.W_E": basis, "unembed.W_U": basis.T, "blocks.0.attn.W_V": torch.eye(16).expand(2, 16, 16)}
    weights["blocks.0.attn.W_O"] = sign * weights["blocks.0.attn.W_V"]
    return build("copier", weights, config("no norm", d_model=16, n_heads=2, d_head=16), {}, None)


def test_a_head_that_only_copies_and_one_that_only_suppresses():
    """What is attended to most has the most of what is raised, all eigenvalues are positive, every token comes first;
    with the sign turned, nothing of it, all negative, never."""
    copies, suppresses = copier(1), copier(-1)
    assert copying(copies).mean[0].min() > copying(loaded("no norm")).mean.max()
    assert copying(suppresses).mean[0].max() == 0
    torch.testing.assert_close(copying_eigenvalues(copies)[0], torch.ones(2))
    torch.testing.assert_close(copying_eigenvalues(suppresses)[0], -torch.ones(2))
    assert copying_accuracy(copies)[0].tolist() == [1, 1] and copying_accuracy(suppresses)[0].tolist() == [0, 0]


def test_padding_ablation_and_seeds():
    """Padding on the left does not count, an ablated head copies nothing, tokens are those of the seed."""
    model, mask = loaded("gpt2"), torch.ones(2, 8, dtype=torch.bool)
    mask[1, :3] = False
    padded = copying(model, Dataset(tokens=GIVEN[:2], mask=mask)).mean
    alone = [copying(model, GIVEN[:1]).mean, copying(model, GIVEN[1:2, 3:]).mean]
    torch.testing.assert_close(padded, sum(alone) / 2, atol=1e-5, rtol=1e-4)
    graph = ablate(split_heads(model.graph(seq=8)), model.head(0, 1), "zero")
    assert copying(graph, GIVEN).mean[0, 1] == 0
    first, same, other = (copying(model, seed=seed).mean for seed in (0, 0, 1))
    assert torch.equal(first, same) and not torch.equal(first, other)
    assert copying(model.graph(seq=8)).mean.shape == (2, 4)


@pytest.mark.parametrize("folded", [True, False])
@pytest.mark.parametrize("kind", LANGUAGE)
def test_eigenvalues_and_accuracy_are_those_of_the_full_circuit(kind, folded):
    """Σ λ / Σ |λ| and top-k accuracy of every head equal those of the whole matrix of tokens by tokens."""
    model = loaded(kind)
    for layer in (0, 1):
        for head in range(4):
            dense = full_ov(model, (layer, head), folded=folded).full()
            values = torch.linalg.eigvals(dense.double())
            statistic = (values.sum().real / values.abs().sum()).float()
            torch.testing.assert_close(copying_eigenvalues(model, folded)[layer, head], statistic, atol=1e-4, rtol=1e-4)
            hits = torch.tensor([float(row in dense[row].topk(3).indices) for row in range(11)])
            assert copying_accuracy(model, 3, folded=folded)[layer, head] == hits.mean()
            some = torch.tensor([1, 4])
            assert copying_accuracy(model, 3, some, folded)[layer, head] == hits[some].mean()


def test_two_heads_together():
    """The accuracy of a sum of circuits is that of the sum of the matrices, not of the accuracies."""
    model = loaded("shortformer")
    pair = full_ov(model, (1, 0)) + full_ov(model, (1, 3))
    dense = full_ov(model, (1, 0)).full() + full_ov(model, (1, 3)).full()
    assert pair.top_k_accuracy().item() == pytest.approx((dense.argmax(1) == torch.arange(11)).float().mean().item())


def test_a_classifier_copies_nothing():
    """Where outputs are no tokens, each way of asking is refused with both numbers."""
    with pytest.raises(ShapeError, match="are no logits of tokens"):
        copying(loaded("classifier"))
    for ask in (copying_eigenvalues, copying_accuracy):
        with pytest.raises(ShapeError, match="has 2 outputs, and reads 11 tokens"):
            ask(loaded("classifier"))
