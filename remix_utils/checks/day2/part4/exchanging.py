"""Weights of one checkpoint put into another: d2.4.4."""

from __future__ import annotations

import torch

from remix_utils.checks.exercise import Mistake, exercise

NAMES = ("embed.W_E", "blocks.1.attn.W_Q", "blocks.1.ln1.w", "blocks.10.attn.W_Q", "unembed.W_U", "old.blocks.1.ln1.w")


def checkpoints(seed):
    """Names that begin with, hold and end in the same words."""
    numbers = torch.Generator().manual_seed(seed)
    early, late = ({name: torch.randn(3, generator=numbers) for name in NAMES} for _ in range(2))
    return [(early, late, parts) for parts in (("blocks.1.",), ("embed", "unembed."), (), ("blocks.1.ln1.w",))]


def _graft(chosen=lambda name, beginnings: name.startswith(beginnings)):
    def graft(early, late, beginnings):
        return {name: (late if chosen(name, tuple(beginnings)) else early)[name] for name in early}

    return graft


exercise(
    "d2.4.4",
    cases=checkpoints,
    oracle=_graft(),
    mistakes=[
        Mistake("early and late are exchanged: what begins so comes from late, all else from early.",
                lambda early, late, beginnings: _graft()(late, early, beginnings)),
        Mistake("it looks for the words anywhere in a name: 'embed' is in 'unembed', too. Use startswith.",
                _graft(lambda name, beginnings: any(each in name for each in beginnings))),
        Mistake("it asks for the whole name: it is to *begin* so.",
                _graft(lambda name, beginnings: name in beginnings)),
        Mistake("only the exchanged weights are there: a model needs all of them.",
                lambda early, late, beginnings: {n: late[n] for n in late if n.startswith(tuple(beginnings))}),
        Mistake("only the first of the beginnings counts.",
                _graft(lambda name, beginnings: name.startswith(beginnings[:1]))),
        Mistake("all weights come from late.", lambda early, late, beginnings: late),
        Mistake("nothing was exchanged.", lambda early, late, beginnings: early),
        Mistake("the means of both were taken: a weight comes from one of them.",
                lambda early, late, beginnings: {
                    n: (early[n] + late[n]) / 2 if n.startswith(tuple(beginnings)) else early[n] for n in early}),
    ],
)  # fmt: skip
