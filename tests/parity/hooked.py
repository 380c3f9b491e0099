"""transformers' own GPT-2 under hooks: what day 5 reads and changes, without a graph of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

Head = tuple[int, int]  # layer and head
Site = tuple[str, int]  # "embed", "stream", "qkv", "z", "attn", "mlp" or "end", and a layer
Edits = Mapping[Site, Callable]
Values = Mapping[Site, object]


@dataclass(frozen=True)
class Seen:
    """The values of one run by site, after all edits, its attention [rows, head, query, key] and its logits.

    z and the parts q, k and v of "qkv" are [rows, seq, head, d_head], all else is [rows, seq, d_model].
    """

    tokens: torch.Tensor
    mask: torch.Tensor
    values: dict[Site, torch.Tensor]
    patterns: tuple[torch.Tensor, ...]
    logits: torch.Tensor

    def __getitem__(self, site: Site):
        return self.values[site]

    def z(self, head: Head) -> torch.Tensor:
        """What one head mixes from its values [rows, seq, d_head]."""
        return self["z", head[0]][:, :, head[1]]

    def difference(self, data) -> torch.Tensor:
        """The logit of IO minus that of S at the last position [rows]."""
        rows = torch.arange(len(self.logits))
        return self.logits[rows, -1, data["token.IO"]] - self.logits[rows, -1, data["token.S"]]


class Hooked:
    """A GPT-2 of transformers in double precision, with hooks on its modules."""

    def __init__(self, folder: Path):
        from transformers import GPT2LMHeadModel

        model = GPT2LMHeadModel.from_pretrained(folder, attn_implementation="eager")
        self.model = model.double().eval().requires_grad_(False)
        self.body, self.sizes = model.transformer, model.config
        self.layers, self.heads = range(model.config.n_layer), range(model.config.n_head)

    def apart(self, value: torch.Tensor) -> torch.Tensor:
        """The last axis as [head, d_head]."""
        return value.unflatten(-1, (len(self.heads), -1))

    def see(self, tokens: torch.Tensor, mask: torch.Tensor, edits: Edits | None = None) -> Seen:
        """Runs the model on tokens padded at the left, with hooks that record every site and change some."""
        edits, values = edits or {}, {}

        def keep(site: Site, value, *more):
            values[site] = edits[site](value, *more) if site in edits else value
            return values[site]

        handles = [handle for layer in self.layers for handle in self._hooks(layer, keep, values)]
        handles.append(self.body.wte.register_forward_hook(lambda module, given, out: keep(("embed", 0), out)))
        handles.append(self.body.ln_f.register_forward_pre_hook(lambda module, given: (keep(("end", 0), given[0]),)))
        positions = (mask.long().cumsum(-1) - 1).clamp(min=0)
        try:
            found = self.model(
                tokens,
                attention_mask=mask.long(),
                position_ids=positions,
                output_attentions=True,
                use_cache=False,
            )
        finally:
            for handle in handles:
                handle.remove()
        return Seen(tokens, mask, values, found.attentions, found.logits)

    def _hooks(self, layer: int, keep: Callable, values: dict) -> Iterable:
        block = self.body.h[layer]

        def stream(module, given):
            return (keep(("stream", layer), given[0]), *given[1:])

        def qkv(module, given, out):
            parts = dict(zip("qkv", map(self.apart, out.chunk(3, -1)), strict=True))
            parts = keep(("qkv", layer), parts, values["stream", layer])
            return torch.cat([parts[side].flatten(-2) for side in "qkv"], -1)

        def z(module, given):
            value = self.apart(given[0])
            return (keep(("z", layer), value, values["qkv", layer]["v"]).flatten(-2),)

        yield block.register_forward_pre_hook(stream)
        yield block.attn.c_attn.register_forward_hook(qkv)
        yield block.attn.c_proj.register_forward_pre_hook(z)
        yield block.attn.c_proj.register_forward_hook(lambda module, given, out: keep(("attn", layer), out))
        yield block.mlp.register_forward_hook(lambda module, given, out: keep(("mlp", layer), out))

    # --- what weights do to values, for edits and for attribution ---------------------------------

    def written(self, head: Head, z: torch.Tensor) -> torch.Tensor:
        """What a head adds to the stream, from its z [..., d_head]."""
        layer, number = head
        size = z.shape[-1]
        matrix = self.body.h[layer].attn.c_proj.weight[number * size : (number + 1) * size]
        return z @ matrix

    def asked(self, layer: int, stream: torch.Tensor) -> dict[str, torch.Tensor]:
        """The q, k and v of a layer that reads another stream."""
        block = self.body.h[layer]
        out = block.ln_1(stream) @ block.attn.c_attn.weight + block.attn.c_attn.bias
        return dict(zip("qkv", map(self.apart, out.chunk(3, -1)), strict=True))

    def scale(self, seen: Seen) -> torch.Tensor:
        """By what the final norm divides the last position [rows]."""
        end = seen["end", 0][:, -1]
        return (end.var(-1, unbiased=False) + self.body.ln_f.eps).sqrt()

    def onto_logits(self, added: torch.Tensor, seen: Seen) -> torch.Tensor:
        """What a vector [rows, d_model] at the last position adds to all logits, at the run's scale."""
        centred = (added - added.mean(-1, keepdim=True)) / self.scale(seen)[:, None]
        return (centred * self.body.ln_f.weight) @ self.model.lm_head.weight.T

    def onto_difference(self, added: torch.Tensor, seen: Seen, data) -> torch.Tensor:
        """What a vector at the last position adds to the difference [rows]."""
        rows, logits = torch.arange(len(added)), self.onto_logits(added, seen)
        return logits[rows, data["token.IO"]] - logits[rows, data["token.S"]]
