"""Write the weights of parens-planted: a transformer that is known to run one algorithm, and has a decoy.

python -m training.compile_parens             about a minute, for the figures on its card; nothing is trained
python -m training.compile_parens --seed 1    the same algorithm elsewhere: other heads, neurons and directions

What a neuron decides, it decides by a sign, or by a threshold with room on both sides, so that LayerNorm, which divides
by a number that differs from string to string, can never change it. Behind a threshold the neurons go on rising gently:
the answer is the same, and gradients do not vanish.
"""

from __future__ import annotations

import argparse
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from remix_utils.models.model import SHIPPED
from remix_utils.models.transformer import module
from remix_utils.models.transformer_config import TransformerConfig
from remix_utils.models.transformer_module import Transformer
from remix_utils.tasks import parens
from training.assembler import Assembler, Vector
from training.parens import figures, margins
from training.parens_circuit import circuit, decoy_figures
from training.run import publish, toml

NAME = "parens-planted"

SIZES = {
    "n_layers": 3,
    "n_heads": 4,
    "d_model": 72,
    "d_head": 42,
    "d_mlp": 56,
    "n_ctx": parens.LENGTH,
    "d_vocab": len(parens.VOCABULARY),
    "d_out": 2,
    "causal": False,
    "unembed_bias": True,
}
CONFIG = TransformerConfig.read(SIZES)
POSITIONS = [f"position {p}" for p in range(parens.LENGTH)]
SIGNALS = ["opens", "closes", "horizon", "broken", "excess", "broken, moved", "excess, moved", "unbalanced"]
DECOYS = ["starts", "mean", "uneven", "tempting", "untempting", "tempting, moved", "untempting, moved"]
UNREAD = [f"unread {i}" for i in range(9)]
DIRECTIONS = [*POSITIONS, *parens.VOCABULARY, *SIGNALS, *DECOYS, *UNREAD]
HEADS = (
    ("open share", "close share", "start", "mean"),
    ("any broken", "previous", "length", "broken share"),
    ("move broken", "move excess", "move tempting", "end"),
)

PLACE, TOKEN = 3.0, 1.0  # lengths of the two embeddings
FLAG = 0.5  # length of what a decision writes
FAINT = 0.02  # the same in the decoy: one neuron of a pair writes fifty times as much, which may not drown the rest
LEAK = 0.02  # how much it grows behind its threshold
MARGIN = 10.0  # between the logits, at least
SMALLEST = 1 / (parens.LONGEST + 1)  # difference of two shares that are not equal: of the longest string and its [end]


def scale(squared: float) -> float:
    """What LayerNorm divides by, for a residual of this squared length."""
    return math.sqrt(squared / CONFIG.d_model)


# The first is exact; the others are more than ever occurs, which a test sees to.
EMBEDDED, MLP_0, HEADS_1, MLP_1, HEADS_2, MLP_2, FINAL = (scale(n) for n in (10, 11.5, 13, 16, 18, 24, 26))


def looks(queries: Vector, keys: Vector, least: float, largest: float, key: float = PLACE) -> tuple[Vector, Vector]:
    """A term of the scores: at these positions, for these keys of length `key`, at least so much."""
    gain = least * math.sqrt(CONFIG.d_head) * largest**2 / (PLACE * key)
    return {name: gain * sign for name, sign in queries.items()}, keys


def embeddings(a: Assembler) -> None:
    a.weights["embed.W_E"] = torch.stack([a.vector({name: TOKEN}) for name in parens.VOCABULARY])
    a.weights["pos_embed.W_pos"] = torch.stack([a.vector({name: PLACE}) for name in POSITIONS])


def first_layer(a: Assembler) -> None:
    """At each position, the shares of "(" and ")" from there to the end; is "(" ever ahead?"""
    earlier = [
        looks({name: 1}, dict.fromkeys(POSITIONS[:p], -1.0), 40, EMBEDDED) for p, name in enumerate(POSITIONS) if p
    ]
    kind = {"(": FLAG * EMBEDDED, ")": -FLAG * EMBEDDED}
    a.head("open share", earlier, [({"(": EMBEDDED}, {"opens": 1})])
    a.head("close share", earlier, [({")": EMBEDDED}, {"closes": 1})])
    a.head("start", [looks(dict.fromkeys(POSITIONS, 1.0), {"position 1": 1}, 40, EMBEDDED)], [(kind, {"starts": 1})])
    a.head("mean", [], [(kind, {"mean": 1})])
    gain = 1.1 * MLP_0 / SMALLEST
    a.step("horizon", 0, {"opens": gain, "closes": -gain}, {"horizon": FLAG}, leak=LEAK)
    for sign in (1, -1):  # the mean is over [start] too
        a.step("uneven", 0, {"mean": sign * 2.1 * gain}, {"uneven": FAINT})


def second_layer(a: Assembler) -> None:
    """At position 1, is "(" ahead anywhere? And is ")" ahead in the whole string?"""
    everywhere, nominal = dict.fromkeys(POSITIONS, 1.0), scale(12)
    broken = looks({"position 1": 1}, {"horizon": 1}, 20, HEADS_1, FLAG)
    before = [looks({q: 1}, {k: 1}, 20, HEADS_1) for k, q in pairwise(POSITIONS)]
    end = looks(everywhere, {"[end]": 1}, 20, HEADS_1, TOKEN)
    a.head("any broken", [broken], [({"horizon": nominal}, {"broken": 1})])
    a.head("previous", before, [({"(": nominal / 2, ")": -nominal / 2}, {"unread 0": 1})])
    a.head("length", [end], [({name: p * nominal / 160 for p, name in enumerate(POSITIONS)}, {"unread 1": 1})])
    a.head("broken share", [], [({"horizon": nominal}, {"unread 2": 1})])
    gain = 1.1 * MLP_1 / SMALLEST
    a.step("excess", 1, {"closes": gain, "opens": -gain}, {"excess": FLAG}, leak=LEAK)
    reads = {"starts": 1.1 * MLP_1 / FLAG, "uneven": -2 * MLP_1 / FAINT}
    a.step("tempting", 1, reads, {"tempting": 1, "untempting": -1})
    a.weights["blocks.1.mlp.b_out"] += a.vector({"untempting": 1})


def third_layer(a: Assembler) -> None:
    """Position 0 reads both from position 1; one is enough."""
    nominal = scale(14)
    first = [looks({"position 0": 1}, {"position 1": 1}, 20, HEADS_2)]
    last = [looks({"position 0": 1}, {"[end]": 1}, 20, HEADS_2, TOKEN)]
    a.head("move broken", first, [({"broken": nominal}, {"broken, moved": 1})])
    a.head("move excess", first, [({"excess": nominal}, {"excess, moved": 1})])
    shown = [({name: 2 * nominal}, {f"{name}, moved": 1}) for name in ("tempting", "untempting")]
    a.head("move tempting", first, shown)
    a.head("end", last, [({"tempting": nominal}, {"unread 3": 1})])
    least = FLAG * (scale(12) / HEADS_1) * (nominal / HEADS_2)
    gain = 2.2 * MLP_2 / least
    reads = {"broken, moved": gain, "excess, moved": gain}
    a.step("either", 2, reads, {"unbalanced": 1}, bias=-1, leak=LEAK)


def readout(a: Assembler) -> None:
    difference = a.vector({"unbalanced": 2 * MARGIN * FINAL})
    a.weights["unembed.W_U"] = torch.stack([difference / 2, -difference / 2], 1)
    a.weights["unembed.b_U"] = torch.tensor([-MARGIN / 2, MARGIN / 2]).double()


def build(a: Assembler) -> Transformer:
    """The network with these weights, in float32."""
    return module({name: weight.float() for name, weight in a.weights.items()}, vars(CONFIG))


def assemble(seed: int) -> Assembler:
    assembler = Assembler(CONFIG, DIRECTIONS, HEADS, seed)
    for part in (embeddings, first_layer, second_layer, third_layer, readout, Assembler.fill):
        part(assembler)
    return assembler


ABOUT = {
    "what": "classifies a string of parentheses with two logits, unbalanced and balanced, read at position 0. Its "
    "weights were written and not trained. They run one algorithm, beside a decoy that only looks like one",
    "data": "none, since training/compile_parens.py compiles the weights",
    "data_licence": "generated, and free of rights",
    "how": "Each head and neuron has a fixed role. The residual basis, the order of heads and neurons, and the "
    "rotations inside a head are random. LayerNorm can't change a decision, since it only divides by a positive "
    "number",
    "measured": "random: 100,000 strings of remix_utils.tasks.parens, draw seed 2. every_12: every string of even "
    "length up to 12. Losses are in nats. least_margin is the smallest difference of the logits in favour of the "
    "right answer",
    "limits": "exact on strings of 1 to 40 parentheses. Longer strings don't fit",
}


def card(network: Transformer, seed: int) -> dict[str, Any]:
    """What the model card says beside name and checksum."""
    random, every = margins(network, parens.draw(100_000, seed=2)), margins(network, parens.every(12))
    return {
        **ABOUT,
        "config": SIZES,
        "training": {"seed": seed, "steps": 0, "torch": torch.__version__},
        "metrics": {
            name: {**figures(margin), "least_margin": round(margin.min().item(), 4)}
            for name, margin in (("random", random), ("every_12", every))
        },
    }


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Write the weights of parens-planted, and the circuit beside them.")
    parser.add_argument("--seed", type=int, default=0, help="of places and directions; the algorithm is the same")
    parser.add_argument("--into", type=Path, default=SHIPPED, help="where weights, card and circuit are published")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    assembler = assemble(options.seed)
    network = build(assembler)
    publish(NAME, network.state_dict(), card(network, options.seed), options.into)
    title = f"# The circuit of {NAME}, as it was written. Spoiler: this file is the answer to day 4, part 4.\n"
    truth = circuit(assembler)
    truth["decoy"] |= decoy_figures(assembler, network)
    (options.into / f"{NAME}.circuit.toml").write_text(title + toml(truth), encoding="utf-8")


if __name__ == "__main__":
    main()
