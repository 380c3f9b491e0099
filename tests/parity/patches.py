"""Patches as hooks make them: runs in which all is held but what a path changes (Wang et al. 2022)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from tests.parity.hooked import Head, Hooked, Seen, Site

Sent = Mapping[object, torch.Tensor]  # what some parts give: z by head, and values by site
Stages = Sequence[tuple[Sequence[Head], str]]  # receivers and the sides that are entered, logits first


def with_heads(sent: Sent, layer: int):
    """An edit that gives some heads of a layer their z."""

    def edit(z: torch.Tensor, *_: torch.Tensor) -> torch.Tensor:
        z = z.clone()
        for head in [key for key in sent if key[0] == layer]:
            z[:, :, head[1]] = sent[head]
        return z

    return edit


def with_sides(given: Seen, layer: int, heads: Sequence[Head], sides: str):
    """An edit that gives some heads of a layer their q, k or v of another run."""

    def edit(own: dict, *_: torch.Tensor) -> dict:
        changed = {side: value.clone() for side, value in own.items()}
        for side in sides:
            for number in [head for each, head in heads if each == layer]:
                changed[side][:, :, number] = given["qkv", layer][side][:, :, number]
        return changed

    return edit


def with_patterns(given: Seen, layer: int, heads: Sequence[Head]):
    """An edit that lets some heads mix their values by the pattern of another run."""

    def edit(z: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        z = z.clone()
        for number in [head for each, head in heads if each == layer]:
            z[:, :, number] = given.patterns[layer][:, number] @ v[:, :, number]
        return z

    return edit


def replaced(hooked: Hooked, seen: Seen, sent: Sent) -> Seen:
    """A run on the same tokens in which some parts give what was sent, and all that follows reacts."""
    edits = {key: constant(value) for key, value in sent.items() if isinstance(key[0], str)}
    heads = {key: value for key, value in sent.items() if not isinstance(key[0], str)}
    edits |= {("z", layer): with_heads(heads, layer) for layer in {layer for layer, _ in heads}}
    return hooked.see(seen.tokens, seen.mask, edits)


def constant(value: torch.Tensor):
    return lambda *_: value


def held(hooked: Hooked, clean: Seen, sent: Sent, react: Sequence[Site] = ()) -> Seen:
    """A run in which every head and MLP gives its clean value, but for those that send and those that react."""
    edits = {}
    for layer in hooked.layers:
        z = clean["z", layer].clone()
        for head in [key for key in sent if key[0] == layer]:
            z[:, :, head[1]] = sent[head]
        edits["z", layer] = constant(z)
        if ("mlp", layer) not in react:
            edits["mlp", layer] = constant(sent.get(("mlp", layer), clean["mlp", layer]))
    if ("embed", 0) in sent:
        edits["embed", 0] = constant(sent["embed", 0])
    return hooked.see(clean.tokens, clean.mask, edits)


def mlps(hooked: Hooked) -> list[Site]:
    """All MLPs, for those paths that may pass them."""
    return [("mlp", layer) for layer in hooked.layers]


def through(hooked: Hooked, clean: Seen, arriving: Seen, receivers: Sequence[Head], sides: str) -> Sent:
    """What receivers give if some of their sides are those of another run, and all else is clean."""
    edits = {}
    for layer in {layer for layer, _ in receivers}:
        edits["qkv", layer] = with_sides(arriving, layer, receivers, sides)
    for layer in hooked.layers:
        kept = {(layer, head): clean.z((layer, head)) for head in hooked.heads}
        for head in receivers:
            kept.pop(head, None)
        edits["z", layer] = with_heads(kept, layer)
        edits["mlp", layer] = constant(clean["mlp", layer])
        edits["stream", layer] = constant(clean["stream", layer])
    found = hooked.see(clean.tokens, clean.mask, edits)
    return {head: found.z(head) for head in receivers}


def down(hooked: Hooked, clean: Seen, stages: Stages, arriving: Seen) -> Seen:
    """The run at the logits, if what arrives at the last stage is that of another run."""
    for receivers, sides in reversed(stages):
        sent = through(hooked, clean, arriving, receivers, sides)
        arriving = held(hooked, clean, sent)
    return arriving


def part(seen: Seen, key: object) -> torch.Tensor:
    """What a head (layer, head) or a site gives in a run."""
    return seen[key] if isinstance(key[0], str) else seen.z(key)


def parts(seen: Seen, *keys: object) -> Sent:
    return {key: part(seen, key) for key in keys}
