"""Interventions, each beside the same by plain torch on a transformer with skip connections."""

import inspect

import pytest
import torch

from benchmarks.gpt2 import build_graph
from remix_utils.data import Dataset
from remix_utils.errors import InputError
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Node
from remix_utils.graph.ops import apply, placeholder
from remix_utils.graph.rewrite import split
from remix_utils.graph.select import find
from remix_utils.graph.selector import at
from remix_utils.intervene import ablate, freeze, patch, path_patch
from tests.plain_transformer import SEQ, network, tokens, values

ROWS = 4
PLAIN = network()
GRAPH = build_graph(PLAIN, SEQ)
CLEAN, CORRUPTED, OTHERS = tokens(ROWS, 0), tokens(ROWS, 1), tokens(9, 2)
ON_CLEAN, ON_CORRUPTED, ON_OTHERS = (values(PLAIN, each) for each in (CLEAN, CORRUPTED, OTHERS))
OTHER = placeholder("other", (SEQ,), torch.long)

# One step, several beside each other, and several of which each is read by the next.
STEPS = {
    "blocks.1.attn.pattern": ["blocks.1.attn.pattern"],
    "blocks.0.attn.[qk]": ["blocks.0.attn.q", "blocks.0.attn.k"],
    "*.mlp_out": [f"blocks.{layer}.mlp_out" for layer in range(3)],
    "blocks.2.resid_mid": ["blocks.2.resid_mid"],
    "logits": ["logits"],
}
parametrize_steps = pytest.mark.parametrize(("selector", "steps"), STEPS.items(), ids=STEPS.keys())


def logits(graph: Node, given: torch.Tensor = CLEAN, **inputs: torch.Tensor) -> torch.Tensor:
    return evaluate(graph, {"tokens": given, **inputs})


def plain(given: torch.Tensor, edits: dict) -> torch.Tensor:
    return values(PLAIN, given, edits)["logits"]


def same(left: torch.Tensor, right: torch.Tensor) -> bool:
    return torch.allclose(left, right, atol=1e-4, rtol=1e-4)


def to(value: torch.Tensor):
    """The edit that puts a value in a step's place."""
    return lambda old: value.expand_as(old)


def test_the_graph_and_plain_torch_are_the_same_network():
    """What the tests below compare is equal before any intervention, and depends on the tokens."""
    assert same(logits(GRAPH), ON_CLEAN["logits"])
    assert not same(ON_CLEAN["logits"], ON_CORRUPTED["logits"])


def test_interventions_have_the_signatures_that_other_code_relies_on():
    """Their parameters, in order, and the defaults."""
    signatures = {
        ablate: "(graph, which, how, data=None, seed=0)",
        patch: "(graph, which, value)",
        freeze: "(graph, which, data)",
        path_patch: "(graph, which, corrupted)",
    }
    for intervention, expected in signatures.items():
        parameters = [p.replace(annotation=p.empty) for p in inspect.signature(intervention).parameters.values()]
        assert str(inspect.Signature(parameters)) == expected


# ---------------------------------------------------------------- ablations


@parametrize_steps
def test_zero_ablation_puts_zeros(selector, steps):
    """Like a hook on each step that returns zeros."""
    edits = dict.fromkeys(steps, torch.zeros_like)
    assert same(logits(ablate(GRAPH, selector, "zero")), plain(CLEAN, edits))


@parametrize_steps
def test_mean_ablation_puts_means_over_the_data(selector, steps):
    """Means over nine rows, used on four, all of the unablated network: also where one ablated step reads another."""
    edits = {step: to(ON_OTHERS[step].mean(0)) for step in steps}
    ablated = ablate(GRAPH, selector, "mean", {"tokens": OTHERS})
    assert same(logits(ablated), plain(CLEAN, edits))
    assert same(logits(ablated, CORRUPTED[:1]), plain(CORRUPTED[:1], edits))


@parametrize_steps
@pytest.mark.parametrize("seed", [0, 1])
def test_resampling_puts_each_step_at_its_value_on_one_drawn_row(selector, steps, seed):
    """Every selected step reads the same permutation of the data, from its first row on."""
    drawn = torch.randperm(9, generator=torch.Generator().manual_seed(seed))[:ROWS]
    edits = {step: to(ON_OTHERS[step][drawn]) for step in steps}
    ablated = ablate(GRAPH, selector, "resample", Dataset(tokens=OTHERS, unused=torch.arange(9)), seed)
    assert same(logits(ablated), plain(CLEAN, edits))


def test_resampling_draws_without_replacement():
    """With as many rows as the data has, every row of it comes once, in another order for another seed."""
    x = placeholder("x", ())
    orders = [
        evaluate(ablate(apply("abs", x), "abs", "resample", {"x": torch.arange(9.0)}, seed), {"x": torch.zeros(9)})
        for seed in range(3)
    ]
    assert all(torch.equal(order.sort().values, torch.arange(9.0)) for order in orders)
    assert len({tuple(order.tolist()) for order in orders}) == 3


def test_resampling_does_not_depend_on_chunks():
    """Each row reads its own draw, however many rows are computed at a time."""
    ablated = ablate(GRAPH, "*.attn_out", "resample", {"tokens": OTHERS})
    assert same(evaluate(ablated, {"tokens": CLEAN}, batch_size=3), logits(ablated))


def test_data_of_other_lengths():
    """One row serves all; more rows than are needed are cut; fewer are refused with both numbers."""
    one = ablate(GRAPH, "blocks.1.attn_out", "resample", {"tokens": OTHERS[:1]})
    assert same(logits(one), plain(CLEAN, {"blocks.1.attn_out": to(ON_OTHERS["blocks.1.attn_out"][:1])}))
    assert same(logits(freeze(GRAPH, "blocks.1.attn_out", {"tokens": OTHERS[:1]})), logits(one))
    few = ablate(GRAPH, "blocks.1.attn_out", "resample", {"tokens": OTHERS[:3]})
    with pytest.raises(InputError, match=r"brings 3 rows of its own, the inputs have 4\."):
        logits(few)
    with pytest.raises(InputError, match=r"brings 9 rows of its own, the inputs have 4\."):
        logits(freeze(GRAPH, "blocks.1.attn_out", {"tokens": OTHERS}))


def test_ablating_a_head_is_ablating_its_term():
    """After a split a head is a node: zeroed, it leaves what the other head writes."""
    heads = split(GRAPH, "blocks.1.attn_out", "head")

    def without(z: torch.Tensor) -> torch.Tensor:
        return torch.stack([z[:, :, 0], torch.zeros_like(z[:, :, 1])], 2)

    ablated = ablate(heads, "blocks.1.attn.head.1.out", "zero")
    assert same(logits(ablated), plain(CLEAN, {"blocks.1.attn.z": without}))


# ---------------------------------------------------------------- patching and freezing


def test_a_patch_puts_a_tensor_or_a_node():
    """One example's value for all rows, or a placeholder that is given a value a row."""
    name = "blocks.1.attn.z"
    fixed = patch(GRAPH, name, ON_CORRUPTED[name][0])
    assert same(logits(fixed), plain(CLEAN, {name: to(ON_CORRUPTED[name][0])}))
    by_row = patch(GRAPH, name, placeholder("z", (SEQ, 2, 4)))
    assert same(logits(by_row, z=ON_CORRUPTED[name]), plain(CLEAN, {name: to(ON_CORRUPTED[name])}))


@parametrize_steps
def test_freezing_holds_steps_at_their_values_on_the_data(selector, steps):
    """Clean inputs with steps at their corrupted values is noising; the other way round is denoising."""
    noised = freeze(GRAPH, selector, {"tokens": CORRUPTED})
    denoised = freeze(GRAPH, selector, {"tokens": CLEAN})
    assert same(logits(noised, CLEAN), plain(CLEAN, {step: to(ON_CORRUPTED[step]) for step in steps}))
    assert same(logits(denoised, CORRUPTED), plain(CORRUPTED, {step: to(ON_CLEAN[step]) for step in steps}))


def test_frozen_values_stay_when_the_data_is_written_to():
    """What was frozen is a copy."""
    data = CORRUPTED.clone()
    frozen = freeze(GRAPH, "logits", {"tokens": data})
    data.zero_()
    assert same(logits(frozen), ON_CORRUPTED["logits"])


@pytest.mark.parametrize("edited", ["blocks.0.mlp_out", "blocks.0.attn.pattern", "*.mlp.post"])
def test_what_is_held_is_held_through_later_edits(edited):
    """With patterns frozen, or resampled, a later edit of what they read, or of one of them, moves no other pattern."""
    patterns = [f"blocks.{layer}.attn.pattern" for layer in range(3)]
    names = [name for name in ON_CLEAN if at(edited).ends()(placeholder(name, ()))]
    drawn = torch.randperm(ROWS, generator=torch.Generator().manual_seed(0))
    for held, values_held in (
        (freeze(GRAPH, "*.attn.pattern", {"tokens": CORRUPTED}), ON_CORRUPTED),
        (ablate(GRAPH, "*.attn.pattern", "resample", {"tokens": CORRUPTED[drawn.argsort()]}), ON_CORRUPTED),
    ):
        edits = {name: to(values_held[name]) for name in patterns} | dict.fromkeys(names, torch.zeros_like)
        assert same(logits(ablate(held, edited, "zero")), plain(CLEAN, edits))


def test_a_graph_that_no_longer_reads_an_input_has_its_rows():
    """Where everything is held, the inputs that are given still say how many rows are wanted."""
    resampled = ablate(GRAPH, "tokens", "resample", {"tokens": OTHERS})
    assert logits(resampled).shape == ON_CLEAN["logits"].shape
    assert evaluate(resampled).shape == ON_OTHERS["logits"].shape
    with pytest.raises(InputError, match=r"brings 9 rows of its own, the inputs have 4\."):
        logits(freeze(GRAPH, "logits", {"tokens": OTHERS}))


# ---------------------------------------------------------------- path patching


@parametrize_steps
def test_patching_all_paths_to_a_step_is_patching_the_step(selector, steps):
    """A selector by name takes every path: what is above is computed again."""
    patched = path_patch(GRAPH, selector, {"tokens": OTHER})
    noised = plain(CLEAN, {step: to(ON_CORRUPTED[step]) for step in steps})
    denoised = plain(CORRUPTED, {step: to(ON_CLEAN[step]) for step in steps})
    assert same(logits(patched, CLEAN, other=CORRUPTED), noised)
    assert same(logits(patched, CORRUPTED, other=CLEAN), denoised)


def test_a_direct_path_passes_no_other_attention():
    """From layer 0's heads to the logits through the stream and the MLPs: later attention stays as it was."""
    held = {f"blocks.{layer}.attn_out": to(ON_CLEAN[f"blocks.{layer}.attn_out"]) for layer in (1, 2)}
    expected = plain(CLEAN, held | {"blocks.0.attn_out": to(ON_CORRUPTED["blocks.0.attn_out"])})
    patched = path_patch(GRAPH, at("blocks.0.attn_out").avoiding("blocks.[12].attn_out"), {"tokens": OTHER})
    assert same(logits(patched, CLEAN, other=CORRUPTED), expected)
    assert not same(expected, plain(CLEAN, {"blocks.0.attn_out": to(ON_CORRUPTED["blocks.0.attn_out"])}))


def test_queries_from_the_embeddings_only():
    """Layer 1's queries read a stream in which only the embedding is corrupted: what layer 0 added is clean."""
    only = (at("blocks.1.attn.q") >> at("embed")).avoiding(at("blocks.0.attn_out") | at("blocks.0.mlp_out"))
    stream = ON_CLEAN["blocks.0.resid_post"] + ON_CORRUPTED["embed"] - ON_CLEAN["embed"]
    block = PLAIN.blocks[1]
    queries = (block.attention.qkv(block.ln1(stream))[:, :, :8]).view(ROWS, SEQ, 2, 4)
    patched = path_patch(GRAPH, only, {"tokens": OTHER})
    assert same(logits(patched, CLEAN, other=CORRUPTED), plain(CLEAN, {"blocks.1.attn.q": to(queries)}))


def test_by_name_the_embeddings_are_all_paths_to_them():
    """Without `.avoiding` the same words claim the paths through layer 0 as well: another value."""
    everything = path_patch(GRAPH, at("blocks.1.attn.q") >> at("embed"), {"tokens": OTHER})
    by_step = plain(CLEAN, {"blocks.1.attn.q": to(ON_CORRUPTED["blocks.1.attn.q"])})
    assert same(logits(everything, CLEAN, other=CORRUPTED), by_step)


def test_noising_some_paths_is_denoising_all_others():
    """Corrupting along a set of paths, or starting corrupted and cleaning along the rest: the same graph's value."""
    some = at("blocks.1.mlp.post") >> at("tokens")
    rest = at("tokens") & ~some
    noised, denoised = (path_patch(GRAPH, which, {"tokens": OTHER}) for which in (some, rest))
    assert same(logits(noised, CLEAN, other=CORRUPTED), logits(denoised, CORRUPTED, other=CLEAN))
    assert not same(logits(noised, CLEAN, other=CORRUPTED), logits(denoised, CLEAN, other=CORRUPTED))


# ---------------------------------------------------------------- all of them


EVERY = {
    "zero": lambda: ablate(GRAPH, "blocks.1.attn_out", "zero"),
    "mean": lambda: ablate(GRAPH, "blocks.1.attn_out", "mean", {"tokens": OTHERS}),
    "resample": lambda: ablate(GRAPH, "blocks.1.attn_out", "resample", {"tokens": OTHERS}),
    "patch": lambda: patch(GRAPH, "blocks.1.attn_out", torch.ones(SEQ, 8)),
    "freeze": lambda: freeze(GRAPH, "blocks.1.attn_out", {"tokens": CORRUPTED}),
    "path_patch": lambda: path_patch(GRAPH, "blocks.2.attn_out", {"tokens": OTHER}),
}


def test_an_intervention_is_a_graph_and_leaves_the_other_as_it_was():
    """Each gives a new node of the same shape; the graph that it was made from computes what it computed."""
    before = [node.name for node in find(GRAPH, "*")]
    made = [intervene() for intervene in EVERY.values()]
    assert all(isinstance(graph, Node) and graph.shape == GRAPH.shape and graph is not GRAPH for graph in made)
    assert [node.name for node in find(GRAPH, "*")] == before
    assert same(logits(GRAPH), ON_CLEAN["logits"])


def test_a_sweep_is_its_single_runs():
    """Evaluated together, each intervention has the value that it has alone."""
    inputs = {"tokens": CLEAN, "other": CORRUPTED}
    together = evaluate({name: intervene() for name, intervene in EVERY.items()}, inputs)
    for name, intervene in EVERY.items():
        assert same(together[name], evaluate(intervene(), inputs)), name
    assert len({value.sum().item() for value in together.values()}) == len(EVERY)


def test_interventions_compose():
    """An intervention on an intervened graph is both."""
    both = ablate(freeze(GRAPH, "blocks.0.attn.pattern", {"tokens": CORRUPTED}), "blocks.2.mlp_out", "zero")
    edits = {"blocks.0.attn.pattern": to(ON_CORRUPTED["blocks.0.attn.pattern"]), "blocks.2.mlp_out": torch.zeros_like}
    assert same(logits(both), plain(CLEAN, edits))
