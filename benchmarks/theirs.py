"""transformers' own models with the weights of ours, and the hooks that patch paths in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import nn

from benchmarks.gpt2 import Network
from remix_utils.models.model import Model

Head = tuple[int, int]
Hook = Callable[..., Any]


@dataclass(frozen=True)
class Hooked:
    """A causal model of transformers, and which of its modules hooks go on, one a layer."""

    model: Any
    outs: Sequence[nn.Module]  # read what all heads give, [batch, seq, heads × d_head]
    mlps: Sequence[nn.Module]
    queries: Sequence[nn.Module]  # what they give begins with the queries of all heads
    d_head: int

    def entries(self, head: int) -> slice:
        """Where a head stands among the heads."""
        return slice(head * self.d_head, (head + 1) * self.d_head)

    def logits(self, tokens: torch.Tensor, changes: Changes | None = None) -> torch.Tensor:
        """The logits at the last position, [batch, vocabulary], with some values put in the place of others."""
        with self._changed(changes or Changes()):
            return self.model(tokens).logits[:, -1]

    def values(self, tokens: torch.Tensor) -> Changes:
        """What heads and MLPs give, as a change that would change nothing."""
        kept = Changes()
        handles = [
            *(out.register_forward_pre_hook(lambda module, given: kept.heads.append(given[0])) for out in self.outs),
            *(mlp.register_forward_hook(lambda module, given, value: kept.mlps.append(value)) for mlp in self.mlps),
        ]
        self.model(tokens)
        for handle in handles:
            handle.remove()
        return kept

    @contextmanager
    def _changed(self, changes: Changes) -> Iterator[None]:
        handles = [
            *(self.outs[layer].register_forward_pre_hook(partial(_read, z)) for layer, z in enumerate(changes.heads)),
            *(self.mlps[layer].register_forward_hook(partial(_give, out)) for layer, out in enumerate(changes.mlps)),
            *(self.queries[layer].register_forward_hook(hook) for layer, hook in changes.queries.items()),
        ]
        yield
        for handle in handles:
            handle.remove()


@dataclass(frozen=True)
class Changes:
    """What each layer's heads and MLP are made to give (nothing listed: what they compute), and hooks on queries."""

    heads: list[torch.Tensor] = field(default_factory=list)
    mlps: list[torch.Tensor] = field(default_factory=list)
    queries: Mapping[int, Hook] = field(default_factory=dict)


def _read(z: torch.Tensor, module: nn.Module, given: tuple) -> tuple[torch.Tensor]:
    return (z,)


def _give(value: torch.Tensor, module: nn.Module, given: tuple, own: torch.Tensor) -> torch.Tensor:
    return value


def sent(hooked: Hooked, clean: Changes, corrupted: Changes, sender: Head, mlps: bool) -> Changes:
    """All heads held at their clean values, but the sender at its corrupted one; MLPs held too, where asked."""
    layer, head = sender
    heads = [z.clone() for z in clean.heads]
    heads[layer][..., hooked.entries(head)] = corrupted.heads[layer][..., hooked.entries(head)]
    return Changes(heads, clean.mlps if mlps else [])


def to_queries(hooked: Hooked, tokens: torch.Tensor, held: Changes, receivers: Sequence[Head]) -> torch.Tensor:
    """Two passes: one records the receivers' queries, the other puts them into a model that is left alone."""
    kept: dict[int, torch.Tensor] = {}
    layers = dict.fromkeys(layer for layer, _ in receivers)

    def record(module: nn.Module, given: tuple, value: torch.Tensor, layer: int) -> None:
        kept[layer] = value

    def put(module: nn.Module, given: tuple, value: torch.Tensor, layer: int) -> torch.Tensor:
        value = value.clone()
        for head in [head for each, head in receivers if each == layer]:
            value[..., hooked.entries(head)] = kept[layer][..., hooked.entries(head)]
        return value

    hooks = {layer: partial(record, layer=layer) for layer in layers}
    hooked.logits(tokens, Changes(held.heads, held.mlps, hooks))
    return hooked.logits(tokens, Changes(queries={layer: partial(put, layer=layer) for layer in layers}))


def gpt2(plain: Network) -> Hooked:
    """transformers' GPT-2 with a network's weights."""
    from transformers import GPT2Config, GPT2LMHeadModel

    sizes = plain.sizes
    config = GPT2Config(
        vocab_size=sizes.vocabulary,
        n_positions=sizes.longest,
        n_embd=sizes.d_model,
        n_layer=sizes.layers,
        n_head=sizes.heads,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = GPT2LMHeadModel(config).eval().requires_grad_(False)
    body = model.transformer
    body.wte.weight.copy_(plain.tokens.weight)
    body.wpe.weight.copy_(plain.positions.weight)
    for theirs, ours in zip(body.h, plain.blocks, strict=True):
        attention = ours.attention
        matrices = {theirs.attn.c_attn: attention.qkv, theirs.attn.c_proj: attention.out}
        matrices |= {theirs.mlp.c_fc: ours.up, theirs.mlp.c_proj: ours.down}
        for new, old in matrices.items():  # a Conv1D holds its matrix as [in, out]
            new.weight.copy_(old.weight.T)
            new.bias.copy_(old.bias)
        theirs.ln_1.load_state_dict(ours.ln1.state_dict())
        theirs.ln_2.load_state_dict(ours.ln2.state_dict())
    body.ln_f.load_state_dict(plain.ln_final.state_dict())
    attentions = [block.attn for block in body.h]
    outs, queries = ([getattr(attention, name) for attention in attentions] for name in ("c_proj", "c_attn"))
    return Hooked(model, outs, [block.mlp for block in body.h], queries, sizes.d_head)


def llama(ours: Model) -> Hooked:
    """transformers' Llama with the weights of a model of that shape."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=ours.config["d_vocab"],
        hidden_size=ours.config["d_model"],
        intermediate_size=ours.config["d_mlp"],
        num_hidden_layers=ours.config["n_layers"],
        num_attention_heads=ours.config["n_heads"],
        num_key_value_heads=ours.config["n_kv_heads"],
        head_dim=ours.config["d_head"],
        max_position_embeddings=ours.config["n_ctx"],
        rms_norm_eps=ours.config["norm_eps"],
        rope_parameters={"rope_type": "default", "rope_theta": ours.config["rotary_base"]},
        tie_word_embeddings=ours.config["tied"],
        bos_token_id=0,
        eos_token_id=0,
    )
    model = LlamaForCausalLM(config).eval().requires_grad_(False)
    body, weights = model.model, ours.weights
    body.embed_tokens.weight.copy_(weights["embed.W_E"])
    body.norm.weight.copy_(weights["ln_final.w"])
    for number, block in enumerate(body.layers):
        name, attention = f"blocks.{number}", block.self_attn
        block.input_layernorm.weight.copy_(weights[f"{name}.ln1.w"])
        block.post_attention_layernorm.weight.copy_(weights[f"{name}.ln2.w"])
        for matrix, letter in ((attention.q_proj, "Q"), (attention.k_proj, "K"), (attention.v_proj, "V")):
            matrix.weight.copy_(weights[f"{name}.attn.W_{letter}"].transpose(1, 2).flatten(0, 1))
        attention.o_proj.weight.copy_(weights[f"{name}.attn.W_O"].flatten(0, 1).T)
        for matrix, part in ((block.mlp.gate_proj, "gate"), (block.mlp.up_proj, "in"), (block.mlp.down_proj, "out")):
            matrix.weight.copy_(weights[f"{name}.mlp.W_{part}"].T)
    attentions = [block.self_attn for block in body.layers]
    outs, queries = ([getattr(attention, name) for attention in attentions] for name in ("o_proj", "q_proj"))
    return Hooked(model, outs, [block.mlp for block in body.layers], queries, ours.config["d_head"])
