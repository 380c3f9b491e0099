"""The transformer as a graph: raw weights, the field's names, one add for each step of the residual stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch

from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, apply, array, einsum, index, placeholder
from remix_utils.graph.selector import Selector, at
from remix_utils.models.model import Model, ModelError
from remix_utils.models.transformer_config import TransformerConfig
from remix_utils.models.transformer_module import Transformer

Arrays = Mapping[str, Node]


def graph(arrays: Arrays, table: Mapping[str, Any], seq: int, mask: bool = False) -> Node:
    """The network of a configuration on `seq` tokens, reading the placeholder `tokens` [seq].

    `arrays` are its weights as nodes. With `mask` it also reads the placeholder `mask` [seq], true at real tokens;
    in a causal network padding then stands on the left, and positions are counted from the first real token.

    >>> table = {"n_layers": 1, "n_heads": 2, "d_model": 8, "n_ctx": 16, "d_vocab": 5}
    >>> weights = Transformer(TransformerConfig.read(table)).state_dict()
    >>> graph({name: array(tensor, name) for name, tensor in weights.items()}, table, seq=6)
    Einsum 'logits' [6, 5]
    """
    config = TransformerConfig.read(table)
    return _Builder(arrays, config, seq, mask).logits()


def module(weights: Mapping[str, torch.Tensor], table: Mapping[str, Any]) -> Transformer:
    """The network in torch, with its own copy of these weights, ready to evaluate.

    >>> config = TransformerConfig(n_layers=1, n_heads=2, d_model=8, n_ctx=16, d_vocab=5)
    >>> module(Transformer(config).state_dict(), vars(config)).training
    False
    """
    with torch.device("meta"):
        network = Transformer(TransformerConfig.read(table), seed=None)
    network.load_state_dict({name: value.clone() for name, value in weights.items()}, assign=True)
    return network.eval().requires_grad_(False)


def head_name(layer: int, head: int) -> str:
    """The name of the output of one head.

    >>> head_name(1, 5)
    'blocks.1.attn.head.5.out'
    """
    return f"blocks.{layer}.attn.head.{head}.out"


def head(layer: int, head: int) -> Selector:
    """The output of one head, once `split(graph, "blocks.*.attn_out", "head")` has made a node of it.

    >>> head(1, 5)
    at('blocks.1.attn.head.5.out')
    """
    return at(head_name(layer, head))


def model(
    name: str, weights: Mapping[str, torch.Tensor], config: TransformerConfig, card: Mapping[str, Any], tokenizer: Any
) -> Model:
    """Weights and their configuration as a Model, once they are found to fit each other.

    >>> config = TransformerConfig(n_layers=1, n_heads=2, d_model=8, n_ctx=16, d_vocab=5)
    >>> model("fresh", Transformer(config).state_dict(), config, {}, None).graph(seq=6).shape
    (6, 5)

    Raises ModelError for a weight that is missing, superfluous or of another shape.
    """
    with torch.device("meta"):
        wanted = {key: tuple(value.shape) for key, value in Transformer(config, seed=None).state_dict().items()}
    found = {key: tuple(value.shape) for key, value in weights.items()}
    for key in sorted(wanted.keys() | found.keys()):
        if found.get(key) != wanted.get(key):
            has, says = (list(shapes[key]) if key in shapes else "missing" for shapes in (found, wanted))
            raise ModelError(
                f"{name!r}: weight {key!r} is {has}, in its configuration {says}.",
                fix="keep weights and configuration together.",
                weight=key,
            )
    return Model(name, asdict(config), weights, graph, module, card, tokenizer, head, head_name)


def untrained(seed: int = 0, **sizes: Any) -> Model:
    """A network as it is before training, its weights drawn by `seed`: what to compare a trained one with.

    >>> untrained(n_layers=1, n_heads=2, d_model=8, n_ctx=16, d_vocab=5).graph(seq=6).shape
    (6, 5)

    Raises ModelError for sizes that do not make a TransformerConfig.
    """
    config = TransformerConfig.read(sizes)
    return model("untrained", Transformer(config, seed).state_dict(), config, {}, None)


class _Builder:
    """What all the blocks of one graph share."""

    def __init__(self, arrays: Arrays, config: TransformerConfig, seq: int, mask: bool):
        self.arrays, self.config = arrays, config
        self.tokens = placeholder("tokens", (seq,), torch.long)
        self.mask = placeholder("mask", (seq,), torch.bool) if mask else None
        self.visible = [array(torch.ones(seq, seq, dtype=torch.bool).tril(), "causal")] if config.causal else []
        self.visible += [self.mask] if self.mask else []
        # Constants have the weights' dtype, whatever torch's default is.
        dtype = arrays["embed.W_E"].dtype
        self.scale = array(torch.tensor(config.d_head**-0.5, dtype=dtype), "1/√d_head")
        eps = array(torch.tensor(config.norm_eps, dtype=dtype), "eps")
        self.eps = [] if config.norm_eps == 1e-5 else [eps]
        places = self.places(seq)
        if config.positions in ("learned", "shortformer"):
            self.pos_embed = apply("embed", places, arrays["pos_embed.W_pos"], name="pos_embed")
        if config.positions == "rotary":
            self.angles = apply("rotary_angles", places, arrays["rotary.frequencies"], name="rotary")

    def places(self, seq: int) -> Node:
        """The position of each token, counted from the first real one in a causal network with a mask.

        Evaluation knows the constant "positions" as one that padding would change; every network that is not causal
        counts padding too.
        """
        if not self.config.causal:
            return array(torch.arange(seq), "every position")
        if self.mask is None:
            return array(torch.arange(seq), "positions")
        return apply("positions", self.mask, name="positions")

    def logits(self) -> Node:
        config = self.config
        x = apply("embed", self.tokens, self.arrays["embed.W_E"], name="embed")
        x = add(x, self.pos_embed, name="blocks.0.resid_pre") if config.positions == "learned" else x
        for layer in range(config.n_layers):
            x = self.block(f"blocks.{layer}", x)
        x = self.norm("ln_final", x)
        pattern = "seq d_model, d_model vocab -> seq vocab"
        if config.d_out:
            x, pattern = index(x, 0, name="final"), "d_model, d_model out -> out"
        if config.tied:
            return self.linear("seq d_model, vocab d_model -> seq vocab", x, "embed.W_E", "unembed.b_U", "logits")
        return self.linear(pattern, x, "unembed.W_U", "unembed.b_U", "logits")

    def block(self, name: str, x: Node) -> Node:
        pre = x if x.name == f"{name}.resid_pre" else add(x, name=f"{name}.resid_pre")
        attn_out = self.attention(name, self.norm(f"{name}.ln1", pre))
        if not self.config.d_mlp:
            return add(pre, attn_out, name=f"{name}.resid_post")
        if self.config.parallel:
            mlp_out = self.mlp(name, self.norm(f"{name}.ln2", pre))
            return add(pre, attn_out, mlp_out, name=f"{name}.resid_post")
        mid = add(pre, attn_out, name=f"{name}.resid_mid")
        return add(mid, self.mlp(name, self.norm(f"{name}.ln2", mid)), name=f"{name}.resid_post")

    def norm(self, name: str, x: Node) -> Node:
        if self.config.norm == "none":
            return x
        parts = ("w", "b") if self.config.norm == "layernorm" else ("w",)
        return apply(self.config.norm, x, *(self.arrays[f"{name}.{part}"] for part in parts), *self.eps, name=name)

    def attention(self, block: str, x: Node) -> Node:
        config, name = self.config, f"{block}.attn"
        sources = dict.fromkeys("qkv", x)
        if config.positions == "shortformer":
            sources |= {letter: add(x, self.pos_embed, name=f"{block}.{letter}_input") for letter in "qk"}
        q, k, v = (
            self.linear(
                "seq d_model, head d_model d_head -> seq head d_head",
                sources[letter],
                f"{name}.W_{letter.upper()}",
                f"{name}.b_{letter.upper()}",
                f"{name}.{letter}",
            )
            for letter in "qkv"
        )
        q, k = (self.turned(name, letter, each) for letter, each in (("q", q), ("k", k)))
        k, v = self.shared(k), self.shared(v)
        scores = "query head d_head, key head d_head, -> head query key"
        scores = einsum(scores, q, k, self.scale, name=f"{name}.scores")
        softmax = "masked_softmax" if self.visible else "softmax"
        pattern = apply(softmax, scores, *self.visible, name=f"{name}.pattern")
        z = einsum("head query key, key head d_head -> query head d_head", pattern, v, name=f"{name}.z")
        out = "query head d_head, head d_head d_model -> query d_model"
        return self.linear(out, z, f"{name}.W_O", f"{name}.b_O", f"{block}.attn_out")

    def turned(self, attn: str, letter: str, x: Node) -> Node:
        """Queries or keys as scores read them: normalised and rotated, where the network does that."""
        if self.config.qk_norm:
            weight = self.arrays[f"{attn}.{letter}_norm.w"]
            x = apply("rmsnorm", x, weight, *self.eps, name=f"{attn}.{letter}_norm")
        if self.config.positions == "rotary":
            x = apply("rotary", x, self.angles, name=f"{attn}.rot_{letter}")
        return x

    def shared(self, keys: Node) -> Node:
        """Keys or values [seq, head, d_head] once for each head that reads them."""
        group = self.config.n_heads // self.config.n_kv_heads
        if group == 1:
            return keys
        return index(keys, (slice(None), torch.arange(self.config.n_heads) // group), name="index")

    def mlp(self, block: str, x: Node) -> Node:
        name, into = f"{block}.mlp", "seq d_model, d_model neuron -> seq neuron"
        linear = f"{name}.pre_linear" if self.config.gated else f"{name}.pre"
        linear = self.linear(into, x, f"{name}.W_in", f"{name}.b_in", linear)
        post = f"{name}.post"
        if self.config.gated:
            gate = self.linear(into, x, f"{name}.W_gate", f"{name}.b_gate", f"{name}.pre")
            gate = apply(self.config.activation, gate, name=f"{name}.gate")
            post = einsum("seq neuron, seq neuron -> seq neuron", gate, linear, name=post)
        else:
            post = apply(self.config.activation, linear, name=post)
        out = "seq neuron, neuron d_model -> seq d_model"
        return self.linear(out, post, f"{name}.W_out", f"{name}.b_out", f"{block}.mlp_out")

    def linear(self, pattern: str, x: Node, weight: str, bias: str, name: str) -> Node:
        if bias not in self.arrays:
            return einsum(pattern, x, self.arrays[weight], name=name)
        product = einsum(pattern, x, self.arrays[weight], name=f"{name}.product")
        return add(product, self.arrays[bias], name=name)
