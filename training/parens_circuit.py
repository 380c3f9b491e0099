"""What is true of parens-planted: the role of each head and neuron, the edges of its circuit, and how well it works."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import contextmanager
from typing import Any

import torch

from remix_utils.models.transformer_module import Transformer
from remix_utils.tasks import parens
from training.assembler import Assembler
from training.parens import margins

CIRCUIT = {
    "open share": 'attends from each position to itself and all later ones, and computes the share of "("',
    "close share": 'attends from each position to itself and all later ones, and computes the share of ")"',
    "any broken": "attends from position 1 to the positions where the horizon test fails, and copies their flag",
    "move broken": "attends from position 0 to position 1, and copies the flag of the horizon test",
    "move excess": "attends from position 0 to position 1, and copies the flag of the count test",
}
NEURONS = {
    "horizon": 'tests the horizon at each position, true if "(" outnumber ")" from there to the end',
    "excess": "tests at position 1 the part of the count that the horizon test leaves open, true if "
    '")" outnumber "(" in the whole string',
    "either": "writes unbalanced at position 0 if one of the two flags is set",
}
DECOY = {
    "start": 'attends from every position to position 1, and copies whether it is "("',
    "mean": 'attends from every position to all others, and computes by how much "(" outnumber ")"',
    "move tempting": "attends from position 0 to position 1, and copies the decoy's flag at twice its length",
    "uneven": 'tests whether "(" and ")" differ in number',
    "tempting": 'tests whether the string starts with "(" and has as many "(" as ")". Such strings are nearly '
    "always balanced, and no later part of the circuit reads this flag",
}
IDLE = {
    "previous": "attends from each position to the previous one, and copies its token, which no later part reads",
    "length": "attends from each position to [end], and copies its position, which no later part reads",
    "broken share": "attends from each position to all others, and computes the share of them where the horizon "
    "test fails, which no later part reads",
    "end": "attends from position 0 to [end], and copies a flag of the decoy, which no later part reads",
}
EDGES = (
    ("embed", "open share.v", 'which tokens are "("'),
    ("embed", "close share.v", 'which tokens are ")"'),
    ("open share", "mlp 0", 'the share of "(" from each position on'),
    ("close share", "mlp 0", 'the share of ")" from each position on'),
    ("mlp 0", "any broken.k", "where the horizon test fails"),
    ("mlp 0", "any broken.v", "that it fails"),
    ("open share", "mlp 1", 'the share of "(" in the whole string'),
    ("close share", "mlp 1", 'the share of ")" in the whole string'),
    ("any broken", "move broken.v", "the horizon test failed somewhere"),
    ("mlp 1", "move excess.v", 'there are more ")"'),
    ("move broken", "mlp 2", "the horizon test failed somewhere"),
    ("move excess", "mlp 2", 'there are more ")"'),
    ("mlp 2", "logits", "unbalanced"),
)
GRADED = (
    "An edge leads along the residual stream, from embed, a head's out or an mlp_out to a head's q, k or v, an mlp.pre "
    "or the logits. Edges from pos_embed carry the same for every string, and they are not graded"
)


def circuit(a: Assembler) -> dict[str, Any]:
    """The circuit, its decoy and what idles, as tables for a file: edges are (from, to, content)."""

    def name(place: str, end: str) -> str:
        role, _, part = place.partition(".")
        if role.startswith("mlp "):
            return f"blocks.{role[-1]}.mlp{end}"
        if role not in CIRCUIT:
            return role
        layer, head = a.place(role)
        return f"blocks.{layer}.attn.head.{head}.{part or 'out'}"

    def parts(roles: dict[str, str]) -> dict[str, Any]:
        heads = [[*a.place(role), says] for role, says in roles.items() if role not in a.neurons]
        pairs = [[*place, says] for role, says in roles.items() for place in a.neurons.get(role, ())]
        return {"heads": heads, "neurons": pairs}

    return {
        "graded": GRADED,
        "rows": "An edge is [from, to, content], a head is [layer, head, role], and a neuron is [layer, neuron, role]",
        "edges": [[name(source, "_out"), name(target, ".pre"), says] for source, target, says in EDGES],
        "circuit": parts({**CIRCUIT, **NEURONS}),
        "decoy": parts(DECOY),
        "idle": parts(IDLE),
    }


@contextmanager
def resampled(network: Transformer, parts: Iterable[dict[str, Any]]):
    """Within it, these heads and neurons see each string's neighbour in the batch instead of the string."""
    handles = []
    for kind, where in (("heads", "attn.z"), ("neurons", "mlp.post")):
        for layer in range(network.config.n_layers):
            chosen = sorted({row[1] for part in parts for row in part[kind] if row[0] == layer})

            def swap(module, inputs, out, chosen=chosen):
                out = out.clone()
                out[:, :, chosen] = out[:, :, chosen].roll(1, 0)
                return out

            handles.append(network.get_submodule(f"blocks.{layer}.{where}").register_forward_hook(swap))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@torch.no_grad()
def decoy_figures(a: Assembler, network: Transformer) -> dict[str, Any]:
    """How much the decoy looks like the answer, and how little it does to it."""
    data, truth, seen = parens.draw(5000, seed=3), circuit(a), []
    handle = network.ln_final.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0][:, 0]))
    as_it_is = margins(network, data)
    handle.remove()
    final, label = torch.cat(seen), data["label"].float()
    total = final.var(0).sum()
    direction = a.vector({"tempting, moved": 0.5**0.5, "untempting, moved": -(0.5**0.5)}).float()
    answer = a.vector({"unbalanced": 1}).float()
    along = final @ direction
    with resampled(network, [truth["decoy"]]):
        changed = margins(network, data)
    return {
        "measured": "the final residual at position 0, on 5,000 strings of remix_utils.tasks.parens, draw seed 3. "
        "resampled: the decoy's heads and neurons read another string",
        "correlation_with_label": round(torch.corrcoef(torch.stack([along, label]))[0, 1].item(), 3),
        "accuracy_of_its_sign": round(((along > 0) == (label == 1)).float().mean().item(), 4),
        "share_of_variance": round((along.var() / total).item(), 3),
        "share_of_variance_of_the_answer": round(((final @ answer).var() / total).item(), 3),
        "accuracy_resampled": (changed > 0).float().mean().item(),
        "largest_change_of_margin": round((changed - as_it_is).abs().max().item(), 4),
    }
