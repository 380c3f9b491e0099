"""The planted network does exactly what was written into it, and its circuit is what the file beside it says."""

import re
import tomllib
from itertools import product

import pytest
import torch

from remix_utils import models
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.ops import placeholder
from remix_utils.graph.rewrite import split
from remix_utils.graph.select import find
from remix_utils.graph.selector import at
from remix_utils.intervene import path_patch
from remix_utils.models.model import SHIPPED
from remix_utils.tasks import parens
from training import compile_parens
from training.parens import margins
from training.parens_circuit import circuit, resampled

PLANTED = models.load("parens-planted")
NETWORK = PLANTED.module()
TRUTH = tomllib.loads((SHIPPED / "parens-planted.circuit.toml").read_text(encoding="utf-8"))
DATA = parens.draw(500, seed=7)


def only(kind, rows):
    return [{"heads": [], "neurons": [], kind: rows}]


def spare_neurons():
    """All neurons that are in no list, and the decoy's."""
    used = {(layer, neuron) for layer, neuron, _ in TRUTH["circuit"]["neurons"]}
    return [[layer, neuron, ""] for layer in range(3) for neuron in range(56) if (layer, neuron) not in used]


@pytest.mark.parametrize("strings", ["every to length 12", "odd lengths", "random"])
def test_every_answer_is_right_with_room_to_spare(strings):
    """By enumeration, in odd lengths, and on random strings up to 40: never wrong, and never nearly so."""
    if strings == "odd lengths":
        data = parens.describe(["".join(text) for n in (1, 3, 5, 7) for text in product("()", repeat=n)])
    else:
        data = parens.every(12) if strings == "every to length 12" else parens.draw(4000, seed=9)
    assert margins(NETWORK, data).min() > 9.99


def test_the_longest_and_the_narrowest_failures_are_seen():
    """One pair that is the wrong way round, anywhere in 40 parentheses, is enough; and so is one too many."""
    deep, flat = "(" * 20 + ")" * 20, "()" * 20
    narrow = [flat[:i] + ")(" + flat[i + 2 :] for i in range(0, 40, 2)] + [deep[:-1] + "(", ")" + deep[1:]]
    data = parens.describe([deep, flat, *narrow, flat[:-1] + "(", "(" + deep[:-1], deep[1:] + ")"])
    assert data["label"].sum() == 2 and data["length"].min() == 40
    assert margins(NETWORK, data).min() > 9.99


def test_each_edge_of_the_circuit_matters_and_no_other_does():
    """Each of 262 edges carrying another string's value: those of the circuit spoil answers, all others none."""
    graph = split(PLANTED.graph(parens.LENGTH, mask=True), "blocks.*.attn_out", "head")
    names = [node.name for node in find(graph, "*")]
    sources = [name for name in names if re.fullmatch(r"embed|blocks\.\d\.(attn\.head\.\d\.out|mlp_out)", name)]
    targets = [name for name in names if re.fullmatch(r"logits|blocks\.\d\.(attn\.head\.\d\.[qkv]|mlp\.pre)", name)]
    height = {name: _height(name) for name in sources + targets}
    edges = [(source, target) for source in sources for target in targets if height[source] < height[target]]
    true = {(source, target) for source, target, _ in TRUTH["edges"]}
    assert len(edges) == 262 and len(true) == 13 and true < set(edges)
    inputs, ways = {"tokens": DATA["tokens"][:100], "mask": DATA["mask"][:100]}, {}
    other = {name: placeholder(f"other {name}", (parens.LENGTH,), column.dtype) for name, column in inputs.items()}
    inputs |= {f"other {name}": column.roll(1, 0) for name, column in inputs.items()}
    for source, target in edges:
        direct = (at(target) >> at(source)).avoiding(at("*.out") | at("*.mlp_out"))
        ways[source, target] = path_patch(graph, direct, other)
    sign = 2 * DATA["label"][:100] - 1
    margin = {edge: logits.diff(dim=1)[:, 0] * sign for edge, logits in evaluate(ways, inputs).items()}
    right = {edge: (value > 0).float().mean().item() for edge, value in margin.items()}
    assert max(right[edge] for edge in true) < 0.93
    assert all(right[edge] == 1 and margin[edge].min() > 9 for edge in edges if edge not in true)


def _height(name: str) -> int:
    if name in ("embed", "logits"):
        return -1 if name == "embed" else 6
    return 2 * int(name.split(".")[1]) + ("mlp" in name)


@pytest.mark.parametrize("kind", ["heads", "neurons"])
def test_each_part_of_the_circuit_matters(kind):
    """Any one head or neuron of the circuit that sees another string spoils answers."""
    for row in TRUTH["circuit"][kind]:
        with resampled(NETWORK, only(kind, [row])):
            assert (margins(NETWORK, DATA) > 0).float().mean() < 0.96, row


def test_no_other_part_matters_alone_or_together():
    """Heads that idle or tempt, alone; all of them and every other neuron, together: no answer changes."""
    idle = TRUTH["decoy"]["heads"] + TRUTH["idle"]["heads"]
    assert len(idle) + len(TRUTH["circuit"]["heads"]) == 12
    for part in [
        *(only("heads", [row]) for row in idle),
        *(only("neurons", [row]) for row in TRUTH["decoy"]["neurons"]),
    ]:
        with resampled(NETWORK, part):
            assert margins(NETWORK, DATA).min() > 9, part
    with resampled(NETWORK, only("heads", idle) + only("neurons", spare_neurons())):
        assert margins(NETWORK, DATA).min() > 9


def test_the_decoy_tempts():
    """Its direction has most of the final residual's variance and says the label 94 times in 100; nobody reads it."""
    decoy, assembler = TRUTH["decoy"], compile_parens.assemble(PLANTED.card["training"]["seed"])
    assert decoy["correlation_with_label"] > 0.85 and decoy["accuracy_of_its_sign"] > 0.93
    assert decoy["share_of_variance"] > 5 * decoy["share_of_variance_of_the_answer"]
    assert decoy["accuracy_resampled"] == 1 and decoy["largest_change_of_margin"] < 1
    seen = []
    handle = NETWORK.ln_final.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0][:, 0]))
    margins(NETWORK, DATA)
    handle.remove()
    final, label = torch.cat(seen), DATA["label"] == 1
    direction = assembler.vector({"tempting, moved": 1, "untempting, moved": -1}).float()
    assert ((final @ direction > 0) == label).float().mean() > 0.92
    assert (direction @ PLANTED.weights["unembed.W_U"]).abs().max() < 1e-5
    spread = (final - final.mean(0)).square().sum()
    assert (((final - final.mean(0)) @ direction).square().sum() / 2 / spread) > 0.4


def test_layernorm_never_has_to_divide_by_more_than_was_reckoned_with():
    """The bounds that the thresholds are made for hold at every position of every kind of string."""
    bounds = {
        "blocks.0.ln1": "EMBEDDED",
        "blocks.0.ln2": "MLP_0",
        "blocks.1.ln1": "HEADS_1",
        "blocks.1.ln2": "MLP_1",
        "blocks.2.ln1": "HEADS_2",
        "blocks.2.ln2": "MLP_2",
        "ln_final": "FINAL",
    }
    largest = dict.fromkeys(bounds, 0.0)

    def note(name):
        def hook(module, inputs):
            largest[name] = max(largest[name], inputs[0].square().mean(-1).sqrt().max().item())

        return hook

    handles = [NETWORK.get_submodule(name).register_forward_pre_hook(note(name)) for name in bounds]
    for data in (parens.every(10), DATA):
        margins(NETWORK, data)
    for handle in handles:
        handle.remove()
    for name, bound in bounds.items():
        assert largest[name] <= getattr(compile_parens, bound) * (1 + 1e-6), name


def test_what_ships_is_what_the_script_writes():
    """The same seed gives these weights and this circuit; another seed puts the same algorithm elsewhere."""
    assembler = compile_parens.assemble(PLANTED.card["training"]["seed"])
    for name, weight in assembler.weights.items():
        torch.testing.assert_close(weight.float(), PLANTED.weights[name], atol=1e-4, rtol=1e-4)
    written = circuit(assembler)
    assert [tuple(edge) for edge in written["edges"]] == [tuple(edge) for edge in TRUTH["edges"]]
    elsewhere = compile_parens.assemble(1)
    assert circuit(elsewhere)["edges"] != written["edges"]
    assert margins(compile_parens.build(elsewhere), DATA).min() > 9.99


def test_the_card_says_how_sure_it_is():
    """No string was wrong, out of 100,000 random ones and all 5,460 short ones."""
    metrics = PLANTED.card["metrics"]
    assert metrics["random"]["strings"] == 100_000 and metrics["every_12"]["strings"] == 5460
    assert metrics["random"]["wrong"] == metrics["every_12"]["wrong"] == 0
    assert min(part["least_margin"] for part in metrics.values()) > 9.99
