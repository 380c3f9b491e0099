"""How much a hypothesis leaves free: by hand on whole trees, exact cases, errors; and several metrics of one pass."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from remix_utils.data import Dataset, Exact, Matching, Uniform
from remix_utils.errors import DataError, MatchError
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.ops import sample
from remix_utils.graph.select import find
from remix_utils.graph.selector import at
from remix_utils.scrub.hypothesis import HypothesisError, Interp
from remix_utils.scrub.moved import Distances
from remix_utils.scrub.result import ScrubResult
from remix_utils.scrub.scrubbing import scrub, treeify
from tests.graph.transformer import tokens, transformer
from tests.scrub.published import hypotheses, parity

DATA = Dataset(tokens(6))
GRAPH = transformer(layers=2)
PLACES = ("logits", "blocks.1.attn.q", "blocks.1.resid_mid", "blocks.0.attn_out", "embed")
RANDOM = Interp("logits", at("logits"), Uniform())
EXACT = Interp("logits", at("logits"), Exact())


def metric(output, reference):
    return output[:, -1, 0]


def by_hand(hypothesis, place, seed, n=5):
    """The squared distance in the tree with nothing lifted: the mean over all copies of the node."""
    rows = scrub(GRAPH, hypothesis, DATA, n, seed, metric).rows["reference"]
    clean = evaluate(sample(find(GRAPH, place)[0], rows), DATA)
    copies = evaluate(find(treeify(GRAPH, hypothesis, DATA, n, seed), place), DATA)
    return torch.stack([(copy - clean).double().square().flatten(1).sum(1) for copy in copies])


@settings(max_examples=40)
@given(hypotheses(GRAPH, depth=3), st.sampled_from(PLACES), st.integers(0, 3))
def test_distances_are_those_of_the_whole_tree(hypothesis, place, seed):
    """However high samples stand, each draw's distance is that of the tree in which everything is computed apart."""
    try:
        result = scrub(GRAPH, hypothesis, DATA, 5, seed, metric)
    except HypothesisError:
        assume(False)
    copies = by_hand(hypothesis, place, seed)
    distances = result.distances(place)
    # Copies that read the same rows are one node in the lifted graph, so a mean lies between them.
    assert bool((distances >= copies.amin(0) - 1e-4).all() and (distances <= copies.amax(0) + 1e-4).all())


def test_nothing_is_free_where_all_is_exact_and_as_much_as_in_the_baseline_where_all_is_random():
    """0 and 1, without an error; a feature frees a part."""
    claims = {"exact": EXACT, "random": RANDOM, "half": Interp("logits", at("logits"), Matching(parity))}
    found = scrub(GRAPH, claims, DATA, 400, metric=metric)
    for place in PLACES:
        assert repr(found["exact"].moved(place, found["random"])) == "0.000 ± 0.000"
        assert repr(found["random"].moved(place, found["random"])) == "1.000 ± 0.000"
        half = found["half"].moved(place, found["random"])
        assert 0.2 < half < 0.95 and 0 < half.se < 0.15


def test_the_error_says_how_far_the_share_is_from_that_of_all_cases():
    """Over 40 seeds the share lies within 4 errors of the exact one, and spreads as the error says."""
    claims = {"half": Interp("logits", at("logits"), Matching(parity)), "random": RANDOM}
    exact = scrub(GRAPH, claims, DATA, "all", metric=metric)
    expected = exact["half"].moved("logits", exact["random"])
    assert expected.se == 0
    shares = [scrub(GRAPH, claims, DATA, 100, seed, metric) for seed in range(40)]
    shares = [each["half"].moved("logits", each["random"]) for each in shares]
    assert all(abs(share - expected) < 4 * share.se for share in shares)
    spread = torch.tensor(shares).std().item()
    assert 0.6 < spread / (sum(share.se for share in shares) / 40) < 1.6


def test_what_is_claimed_is_not_free_and_what_is_not_is():
    """A claim about the queries of layer 1 holds them, and frees what else layer 1 reads."""
    held = Interp("logits", at("logits"), Exact(), [Interp("q", at("blocks.1.attn.q"), Exact())])
    found = scrub(GRAPH, {"held": held, "random": RANDOM}, DATA, 200, metric=metric)
    assert found["held"].moved("blocks.1.attn.q", found["random"]) == 0
    assert found["held"].moved("blocks.1.attn.v", found["random"]) > 0.8


def test_several_nodes_count_by_their_distances():
    """A selector of queries and keys lies between the two, weighed by how far the baseline moves each."""
    claims = {"half": Interp("logits", at("logits"), Matching(parity)), "random": RANDOM}
    found = scrub(GRAPH, claims, DATA, 100, metric=metric)
    places = ["blocks.1.attn.q", "blocks.1.attn.k"]
    both = at(places[0]) | at(places[1])
    own, baseline = ([each.distances(place).sum() for place in places] for each in found.values())
    assert found["half"].moved(both, found["random"]) == pytest.approx(float(sum(own) / sum(baseline)))


def test_what_cannot_be_compared_is_refused():
    """A name that is not there, a baseline that moves nothing, and a result without a graph."""
    found = scrub(GRAPH, {"exact": EXACT, "random": RANDOM}, DATA, 10, metric=metric)
    with pytest.raises(MatchError, match="blocks"):
        found["exact"].moved("blocks.1.attn.qq", found["random"])
    with pytest.raises(DataError, match="'logits' moves nothing"):
        found["random"].moved("logits", found["exact"])
    alone = ScrubResult("made", torch.ones(2), torch.ones(2) / 2, GRAPH, {"reference": torch.arange(2)})
    with pytest.raises(DataError, match="no graph to compare"):
        alone.moved("logits", found["random"])


def test_several_metrics_are_those_of_one_pass():
    """Results by metric, or by hypothesis and metric, equal those of a scrub each, and have its rows and its graph."""
    metrics = {"first": metric, "largest": lambda output, reference: output[:, -1].amax(-1)}
    one = scrub(GRAPH, RANDOM, DATA, 20, metric=metrics)
    two = scrub(GRAPH, {"exact": EXACT, "random": RANDOM}, DATA, 20, metric=metrics)
    assert list(one) == ["first", "largest"] and {name: list(each) for name, each in two.items()} == {
        "exact": ["first", "largest"],
        "random": ["first", "largest"],
    }
    for name, each in metrics.items():
        alone = scrub(GRAPH, RANDOM, DATA, 20, metric=each)
        assert torch.equal(one[name].per_example, alone.per_example)
        assert torch.equal(two["random"][name].per_example, alone.per_example)
        assert one[name].graph is one["first"].graph and one[name].graph.key == alone.graph.key


def test_a_distance_is_computed_once(monkeypatch):
    """A baseline that is compared with several hypotheses is evaluated for the first of them only."""
    claims = {"random": RANDOM, "half": Interp("logits", at("logits"), Matching(parity)), "exact": EXACT}
    found = scrub(GRAPH, claims, DATA, 20, metric=metric)
    evaluated = []
    between = Distances.between
    monkeypatch.setattr(Distances, "between", lambda self, *nodes: evaluated.append(self) or between(self, *nodes))
    shares = [found[name].moved(at("blocks.1.attn.q"), found["random"]) for name in ("half", "exact", "half")]
    assert shares[0] == shares[2] and len(evaluated) == 3
