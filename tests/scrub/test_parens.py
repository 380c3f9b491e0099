"""Hypotheses about balanced parentheses: the experiments of Chan et al. 2022 on our own model.

`python -m tests.scrub.test_parens` prints them beside the published figures, which are another model's.
"""

import pytest
import torch
import torch.nn.functional as F

from remix_utils import (
    Dataset,
    Exact,
    Interp,
    Matching,
    Node,
    Uniform,
    add,
    array,
    at,
    einsum,
    evaluate,
    find_one,
    models,
    placeholder,
    scrub,
    show,
    split,
)
from remix_utils.data import feature
from remix_utils.graph.rules import residual
from remix_utils.graph.selector import Selector
from remix_utils.tasks import parens

DRAWS = 3000
MODEL = models.load("parens")
STRINGS = parens.draw(DRAWS, seed=5, part="held-out")
DATA = Dataset(**STRINGS.columns, p=parens.open_proportion(STRINGS["tokens"]))
GRAPH = split(MODEL.graph(seq=parens.LENGTH, mask=True), "blocks.*.attn_out", "head")
HEADS, MLPS = at("*.out"), at("*.mlp_out")


def loss(logits: torch.Tensor, reference: Dataset) -> torch.Tensor:
    """In nats, [draws]."""
    return F.cross_entropy(logits, reference["label"], reduction="none")


@feature
def count(data):
    return data["count_ok"]


@feature
def horizon(data):
    return data["horizon_ok"]


@feature
def left_horizon(data):
    return data["left_ok"]


@feature
def both_horizons(data):
    return 2 * data["horizon_ok"] + data["left_ok"]


@feature
def starts_open(data):
    return data["starts_open"]


@feature
def count_open(data):
    return data["count_ok"] & data["starts_open"]


@feature
def p_if_open(data):
    """The proportion of "(", where the string starts with one."""
    return torch.where(data["starts_open"], data["p"][:, 1], -1.0)


# ---------------------------------------------------------------- the published hypotheses


def direct(layer: int, head: int) -> Selector:
    """What a head writes, straight down the stream: through no other head and no MLP."""
    return MODEL.head(layer, head).avoiding(HEADS | MLPS)


def experiment_1(test) -> Interp:
    """Heads 1.0 and 2.0 agree on a test, head 2.1 on the horizon test; all else is another string."""
    heads = [
        Interp("1.0", direct(1, 0), Matching(test)),
        Interp("2.0", direct(2, 0), Matching(test)),
        Interp("2.1", direct(2, 1), Matching(horizon)),
    ]
    return Interp("logits", at("logits"), Exact(), heads)


def experiment_2(p: Selector) -> Interp:
    """Heads 1.0 and 2.0 look at position 1 only, and there at the proportion of "(" and at the first parenthesis."""
    heads = [Interp("2.1", direct(2, 1), Matching(horizon))]
    for name, layer in (("1.0", 1), ("2.0", 2)):
        reads = [
            Interp(f"{name} p", p, Matching(p_if_open)),
            Interp(f"{name} first", at("embed").avoiding(HEADS | MLPS), Matching(starts_open)),
        ]
        place = Interp(f"{name} at 1", at(f"blocks.{layer}.ln1.position.1"), Matching(count_open), reads)
        heads.append(Interp(name, direct(layer, 0), Matching(count_open), [place]))
    return Interp("logits", at("logits"), Exact(), heads)


def position_1(graph: Node) -> Node:
    """What heads 1.0 and 2.0 read, by position: 0, 1 and all others."""
    places = [[0], [1], list(range(2, parens.LENGTH))]
    return split(graph, (MODEL.head(1, 0) | MODEL.head(2, 0)) >> at("blocks.*.ln1"), "position", places)


def phi(graph: Node) -> Node:
    """Head 0.0 as φ(p), between what it says of strings of "(" alone and of ")" alone, and what φ(p) misses."""
    alone = [parens.describe([symbol * n for n in range(2, 41, 2)]) for symbol in "()"]
    opens, closes = (evaluate(find_one(GRAPH, MODEL.head(0, 0)), each)[:, 1].mean(0) for each in alone)
    along = einsum("seq, d_model -> seq d_model", placeholder("p", (parens.LENGTH,)), array(opens - closes))
    estimate = add(along, array(closes.expand(parens.LENGTH, -1)), name="phi")
    return residual(graph, at("blocks.*.ln1.position.1") >> MODEL.head(0, 0), estimate)


PUBLISHED = {  # loss in nats, recovered in per cent
    "0a exact": (0.0003, 100.0),
    "0b labels permuted": (4.30, 0.0),
    "1a count and horizon": (0.52, 87.9),
    '1b and starts with "("': (0.30, 93.0),
    "2a position 1 only": (0.55, 87.2),
    "2b φ(p)": (0.53, 87.7),
}
EXACT, PERMUTED, FIRST, OPEN, PLACE, PHI = PUBLISHED
ROLES = "the published roles, through MLPs too"
OURS = "our model's roles, a horizon an end"
SWAPPED = "our model's roles, swapped"
BOTH = "both horizons in 1.0, 2.0 and 2.1"


# ---------------------------------------------------------------- and what our model does


def roles(**tests) -> Interp:
    """Late heads agree on a test each, in all that they write but what later heads read of it."""
    chosen = {name: MODEL.head(int(name[1]), int(name[2])).avoiding(HEADS) for name in tests}
    heads = [Interp(name, chosen[name], Matching(test)) for name, test in tests.items()]
    return Interp("logits", at("logits"), Exact(), heads)


@pytest.fixture(scope="module")
def results():
    return measured()


def measured():
    """All results by name."""
    first = {
        EXACT: Interp("logits", at("logits"), Exact()),
        PERMUTED: Interp("logits", at("logits"), Uniform()),
        FIRST: experiment_1(count),
        OPEN: experiment_1(count_open),
        ROLES: roles(h10=count, h20=count, h21=horizon),
        OURS: roles(h20=horizon, h21=left_horizon),
        SWAPPED: roles(h20=left_horizon, h21=horizon),
        BOTH: roles(h10=both_horizons, h20=both_horizons, h21=both_horizons),
    }
    place, head = position_1(GRAPH), direct(0, 0)
    graphs = [(GRAPH, first), (place, {PLACE: experiment_2(head)}), (phi(place), {PHI: experiment_2(head.child(0))})]
    return {name: each for graph, some in graphs for name, each in scrub(graph, some, DATA, DRAWS, 0, loss).items()}


def table(results) -> str:
    """Losses and what they recover, ± standard errors, beside the published figures."""
    lines = [f"{'':38}{'loss (nats)':17}{'recovered':17}published loss and recovered"]
    for name in [*PUBLISHED, ROLES, OURS, SWAPPED, BOTH]:
        published = "{:8.4g} {:7.1f} %".format(*PUBLISHED[name]) if name in PUBLISHED else ""
        share = recovered(results, name)
        ours = f"{results[name].mean:.3f} ± {results[name].se:.3f}", f"{share:.1%} ± {share.se:.1%}"
        lines.append(f"{name:38}{ours[0]:17}{ours[1]:17}{published}".rstrip())
    return "\n".join(lines)


def recovered(results, name):
    return results[name].recovered(results[EXACT], results[PERMUTED])


def test_permuted_labels_cost_what_they_should(results):
    """The baseline is the mean over all pairs of a string's logits and another's label, to three standard errors."""
    logits = evaluate(MODEL.graph(seq=parens.LENGTH, mask=True), DATA)
    costs = -logits.double().log_softmax(-1).mean(0)
    expected = float(costs @ DATA["label"].bincount().double() / DRAWS)
    assert abs(results[PERMUTED].mean - expected) < 3 * results[PERMUTED].se
    clean = loss(logits, DATA)[results[EXACT].rows["reference"]]
    assert results[EXACT].mean == pytest.approx(float(clean.mean()), abs=1e-6)


def test_the_published_roles_are_not_this_models(results):
    """Straight down the stream they recover some 60 %, where the published model's heads recover 88 %."""
    assert 0.5 < recovered(results, FIRST) < 0.68
    assert results[OPEN].mean < results[FIRST].mean and recovered(results, OPEN) < 0.7


def test_its_count_is_not_taken_at_position_1(results):
    """Claiming that costs a tenth of what the model does; φ(p) for head 0.0 there costs no more."""
    assert recovered(results, PLACE) + 3 * recovered(results, PLACE).se < recovered(results, OPEN)
    assert abs(results[PHI].mean - results[PLACE].mean) < 2 * results[PLACE].se


def test_two_late_heads_run_a_horizon_test_each(results):
    """2.0 tests the horizon from the right and 2.1 from the left: some 83 %, and no more than 60 % swapped."""
    share, swapped = recovered(results, OURS), recovered(results, SWAPPED)
    assert share - 2 * share.se > 0.77
    assert swapped + 3 * swapped.se < 0.6
    assert recovered(results, ROLES) < 0.7


def test_three_heads_carry_the_outcome_of_both_horizon_tests(results):
    """Heads that agree on the outcome of both tests, neither of which is the label alone, recover 99 %."""
    share = recovered(results, BOTH)
    assert share - 2 * share.se > 0.97


def test_experiments_print_on_a_screen(results):
    """The table, every hypothesis with its paths and draws, and every scrubbed graph: 60 lines."""
    assert len(table(results).splitlines()) == 1 + len(results)
    for result in results.values():
        said = show(result).splitlines()
        assert len(said) <= 60 and max(map(len, said)) <= 120
        assert len(show(result.graph, brief=True).splitlines()) <= 60


if __name__ == "__main__":
    print(table(measured()))
