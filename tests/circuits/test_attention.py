"""Detectors equal loops over the module's attention patterns."""

import pytest
import torch

from remix_utils.circuits import attention
from remix_utils.data import Dataset
from remix_utils.errors import DataError, InputError, MatchError, ShapeError
from remix_utils.graph.ops import placeholder
from remix_utils.graph.rewrite import split
from remix_utils.graph.selector import at
from remix_utils.intervene import ablate, patch, path_patch
from remix_utils.models.catalogue import load
from remix_utils.models.model import ModelError
from remix_utils.tasks import repeated
from tests.models.small_transformers import loaded, network, outputs, tokens

# what a key must be for a query to look at it, from the tokens of one row
LOOKS = {
    "prefix_matching": lambda row, q, k: 0 < k < q and row[k - 1] == row[q],
    "duplicate_token": lambda row, q, k: k < q and row[k] == row[q],
    "previous_token": lambda row, q, k: k == q - 1,
    "current_token": lambda row, q, k: k == q > 0,
    "first_token": lambda row, q, k: k == 0 < q,
}


def patterns(kind, given):
    """[rows, layer, head, query, key], as the module's hooks give them."""
    seen = outputs(network(kind), given)
    return torch.stack([seen[f"blocks.{layer}.attn.pattern"] for layer in (0, 1)], 1)


def by_loops(looks, given, pattern):
    """The mean over queries of the attention to the keys they look for, [rows, layer, head]."""
    found = torch.zeros(pattern.shape[:3])
    for number, row in enumerate(given.tolist()):
        wanted = {q: [k for k in range(len(row)) if looks(row, q, k)] for q in range(len(row))}
        wanted = {q: keys for q, keys in wanted.items() if keys}
        for q, keys in wanted.items():
            found[number] += pattern[number, :, :, q, keys].sum(-1) / len(wanted)
    return found


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize("kind", ["shortformer", "llama", "classifier"])
def test_a_detector_equals_a_loop_over_queries_and_keys(name, kind):
    """Mean and standard error over rows are those of one number a row, found by looking at every query and key."""
    given = tokens(rows=4, seq=16)
    values = by_loops(LOOKS[name], given, patterns(kind, given))
    score = getattr(attention, name)(loaded(kind), given)
    torch.testing.assert_close(score.mean, values.mean(0))
    torch.testing.assert_close(score.se, values.std(0) / 2)


def test_the_offset_on_repeated_tokens_is_one_less_than_a_copy():
    """In the second copy of different tokens the key that counts stands length − 1 back, and no other distance fits."""
    length, kind = 8, "shortformer"
    given = torch.stack(
        [torch.randperm(11, generator=torch.Generator().manual_seed(seed))[:length] for seed in range(3)]
    )
    given = given.repeat(1, 2)
    found = patterns(kind, given)
    at = {back: found.diagonal(-back, -2, -1)[..., -length + (back - length + 1) :].mean(-1).mean(0) for back in (7, 8)}
    score = attention.prefix_matching(loaded(kind), given).mean
    torch.testing.assert_close(score, at[length - 1])
    assert not torch.allclose(score, at[length], atol=1e-3)


@pytest.mark.parametrize("name", LOOKS)
def test_a_head_that_does_only_this_scores_one(name):
    """A pattern that is spread over nothing but the keys in question has score 1 for its own detector."""
    row = [3, 1, 4, 1, 5, 9, 3, 1, 4, 1, 5, 9]
    ideal = torch.zeros(4, 12, 12)
    for q in range(12):
        keys = [k for k in range(12) if LOOKS[name](row, q, k)] or [q]
        ideal[:, q, keys] = 1 / len(keys)
    graph = patch(loaded("attention only").graph(seq=12), "blocks.1.attn.pattern", ideal)
    score = getattr(attention, name)(graph, torch.tensor([row, row]))
    torch.testing.assert_close(score.mean[1], torch.ones(4))
    torch.testing.assert_close(score.se[1], torch.zeros(4))
    assert (score.mean[0] < 0.99).all()


@pytest.mark.parametrize("name", LOOKS)
def test_padding_does_not_count(name):
    """Padded on the left, a row scores what it scores alone."""
    model, given = loaded("gpt2"), tokens(rows=2, seq=16)
    mask = torch.ones(2, 16, dtype=torch.bool)
    mask[1, :5] = False
    detector = getattr(attention, name)
    alone = [detector(model, given[:1]).mean, detector(model, given[1:, 5:]).mean]
    torch.testing.assert_close(detector(model, Dataset(tokens=given, mask=mask)).mean, sum(alone) / 2)


def test_tokens_of_a_seed():
    """Without tokens they are random ones said twice, others with another seed, and as many as a graph reads."""
    model = loaded("attention only")
    first, same, other = (attention.prefix_matching(model, seed=seed).mean for seed in (0, 0, 1))
    assert torch.equal(first, same) and not torch.equal(first, other)
    given = repeated.draw(20, 10, 11, seed=1)["tokens"]
    assert torch.equal(attention.prefix_matching(model, given).mean, other)
    assert torch.equal(attention.prefix_matching(model.graph(seq=20), seed=1).mean, other)
    assert attention.prefix_matching(model.graph(seq=7)).mean.shape == (2, 4)


def test_heads_that_are_split_or_ablated():
    """Splitting changes no score; an ablated head has 0, the others of its layer what they had, later ones another."""
    model, given = loaded("shortformer"), tokens(rows=4, seq=16)
    graph = split(model.graph(seq=16), "blocks.*.attn_out", "head")
    before = attention.previous_token(model, given).mean
    torch.testing.assert_close(attention.previous_token(graph, given).mean, before)
    after = attention.previous_token(ablate(graph, model.head(0, 2), "zero"), given).mean
    torch.testing.assert_close(after[0], before[0] * torch.tensor([1, 1, 0, 1]))
    assert (after[1] - before[1]).abs().min() > 1e-6
    pairs = split(model.graph(seq=16), "blocks.0.attn_out", "head", parts=[[0, 3], [1], [2]])
    torch.testing.assert_close(attention.previous_token(pairs, given).mean, before)


def test_any_targets():
    """Attention to targets that the caller names, by row or for all rows; queries without any do not count."""
    given, found = tokens(rows=3, seq=6), patterns("shortformer", tokens(rows=3, seq=6))
    targets = torch.rand(3, 6, 6, generator=torch.Generator().manual_seed(0)) < 0.2
    score = attention.attention_to(loaded("shortformer"), given, targets)
    rows = [
        torch.stack([found[row, :, :, q, targets[row, q]].sum(-1) for q in range(6) if targets[row, q].any()]).mean(0)
        for row in range(3)
    ]
    torch.testing.assert_close(score.mean, torch.stack(rows).mean(0))
    targets[1] = False
    torch.testing.assert_close(
        attention.attention_to(loaded("shortformer"), given, targets).mean, (rows[0] + rows[2]) / 2
    )


def test_one_row_has_a_score_and_no_standard_error():
    """A single text may be given without an axis for rows; how sure its score is cannot be known."""
    score = attention.current_token(loaded("gpt2"), tokens()[0])
    assert score.mean.isfinite().all() and score.se.isnan().all()


def test_what_has_no_score_is_refused():
    """No target, targets or tokens that do not fit, a network without attention, two heads of one name."""
    model = loaded("attention only")
    with pytest.raises(DataError, match="No query has a target"):
        attention.prefix_matching(model, torch.arange(10).unsqueeze(0))
    with pytest.raises(ShapeError, match=r"Targets \[5, 6\] for tokens \[3, 6\]"):
        attention.attention_to(model, tokens(seq=6), torch.ones(5, 6))
    for wrong in (torch.ones(3, 6), torch.zeros(2, 3, 6, dtype=torch.long), {"x": torch.ones(2)}):
        with pytest.raises(InputError, match="The tokens are"):
            attention.current_token(model, wrong)
    with pytest.raises(ModelError, match="has no attention heads"):
        attention.prefix_matching(load("digits-a"))
    with pytest.raises(MatchError, match="'embed'"):
        attention.prefix_matching(load("digits-a").graph())


def test_a_head_that_is_there_twice_has_no_score():
    """Where a path reads a head on other inputs, and another reads it on its own, one score would hide one of them."""
    model, both = loaded("attention only"), {"tokens": tokens(), "other": tokens(seed=1)}
    graph = split(model.graph(seq=16), "blocks.*.attn_out", "head")
    path = at("blocks.1.attn.head.0.q") >> model.head(0, 2)
    patched = path_patch(graph, path, {"tokens": placeholder("other", (16,), torch.long)})
    with pytest.raises(MatchError, match=r"Two nodes .* are called 'blocks\.0\.attn\.head\.2\.pattern'"):
        attention.previous_token(patched, both)
