"""How large everything is: at full size, and at a size that only shows that everything runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.gpt2 import Sizes


@dataclass(frozen=True)
class Scale:
    """The sizes of every row."""

    repetitions: int
    nodes: int  # of the graph that is built and searched
    layers: int  # of the skip chain
    network: Sizes
    batch: int
    seq: int
    sweeps: int  # repetitions of path patching, which takes longest
    prompts: int
    prompt_seq: int
    small_llama: dict[str, Any] | None  # in the place of SmolLM2
    passes: int  # with hooks that are run; a sweep is counted at their mean
    draws: int
    images: int
    scrubbed: int  # rows of text that are scrubbed
    scrubbed_seq: int  # and their tokens
    scrub_seq: int  # tokens where the rows are many
    strings: int  # of parentheses that are scrubbed
    population: int  # rows of text from which few references are drawn
    strings_at_hand: int  # and strings
    few: tuple[int, ...]
    sequences: int  # rows of a scrub whose memory is measured
    lessons: int  # from whose exercises a pair rejoins


FULL = Scale(
    repetitions=7,
    nodes=10_000,
    layers=60,
    network=Sizes(),
    batch=4,
    seq=64,
    sweeps=3,
    prompts=50,
    prompt_seq=20,
    small_llama=None,
    passes=6,
    draws=50,
    images=600,
    scrubbed=100,
    scrubbed_seq=300,
    scrub_seq=128,
    strings=4000,
    population=1000,
    strings_at_hand=10_000,
    few=(32, 100),
    sequences=10_000,
    lessons=100,
)
TINY = {
    "n_layers": 4,
    "n_heads": 4,
    "n_kv_heads": 2,
    "d_model": 16,
    "d_head": 4,
    "d_mlp": 24,
    "n_ctx": 8,
    "d_vocab": 40,
    "positions": "rotary",
    "rotary_dim": 4,
    "rotary_base": 100.0,
    "activation": "silu",
    "gated": True,
    "norm": "rmsnorm",
    "tied": True,
    "attn_bias": False,
    "mlp_bias": False,
}
QUICK = Scale(
    repetitions=2,
    nodes=400,
    layers=6,
    network=Sizes(layers=2, heads=3, d_head=8, vocabulary=40, longest=8),
    batch=2,
    seq=8,
    sweeps=1,
    prompts=3,
    prompt_seq=5,
    small_llama=TINY,
    passes=6,
    draws=3,
    images=20,
    scrubbed=4,
    scrubbed_seq=8,
    scrub_seq=8,
    strings=60,
    population=20,
    strings_at_hand=80,
    few=(3, 6),
    sequences=10,
    lessons=2,
)
