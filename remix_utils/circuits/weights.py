"""Circuits in the weights: what a head reads, writes and attends to, whatever the input."""

from __future__ import annotations

import torch

from remix_utils.circuits.factored import FactoredMatrix
from remix_utils.circuits.network import Head
from remix_utils.models.model import Model, ModelError
from remix_utils.models.transformer_module import rotate


def ov(model: Model, *heads: Head, folded: bool = True) -> FactoredMatrix:
    """The OV circuit W_V W_O [d_model, d_model] of a head (layer, head): what it adds to the stream for what it reads.

    Of several heads in a row it is that of their virtual attention head: the second reads what the first wrote, and so
    on (Elhage et al. 2021). Vectors are rows. With `folded`, here and below, whatever reads the residual stream takes
    over the weight of the layernorm before it, and its centring; biases and the scale of a layernorm are left out.

    >>> from remix_utils.models.transformer import untrained
    >>> model = untrained(n_layers=2, n_heads=4, d_model=32, n_ctx=16, d_vocab=20)
    >>> ov(model, (1, 2)), ov(model, (0, 3), (1, 2))
    (FactoredMatrix [32, 32] of rank 8, FactoredMatrix [32, 32] of rank 8)

    Raises ModelError for a head that does not exist, and for heads that are not in the order of their layers.
    """
    _in_order(model, heads)
    circuits = [FactoredMatrix(reads(model, "V", head, folded), writes(model, head)) for head in heads]
    whole = circuits[0]
    for circuit in circuits[1:]:
        whole = whole @ circuit
    return whole


def qk(model: Model, head: Head, folded: bool = True, distance: int = 0) -> FactoredMatrix:
    """The QK circuit W_Q W_Kᵀ / √d_head [d_model, d_model]: x_query · QK · x_key is an attention score.

    With rotary positions that is so for a key `distance` tokens back; without, at any distance.

    >>> from remix_utils.models.transformer import untrained
    >>> qk(untrained(n_layers=2, n_heads=4, d_model=32, n_ctx=16, d_vocab=20), (1, 2))
    FactoredMatrix [32, 32] of rank 8

    Raises ModelError for a head that does not exist, and for a network that normalises queries and keys.
    """
    require_qk(model)
    query, key = reads(model, "Q", head, folded), reads(model, "K", head, folded)
    if model.config["positions"] == "rotary":
        query = rotate(query, distance * model.weights["rotary.frequencies"])
    return FactoredMatrix(query * model.config["d_head"] ** -0.5, key.T)


def full_ov(model: Model, *heads: Head, folded: bool = True, embedding: torch.Tensor | None = None) -> FactoredMatrix:
    """The full OV circuit W_E W_V W_O W_U [d_vocab, d_vocab]: the logits that a head adds for a token it attends to.

    Of several heads in a row, it is that of their virtual attention head; `full_ov(...) + full_ov(...)` is that of two
    heads at once. `embedding` [d_vocab, d_model] stands in for W_E, such as the stream after the first MLP.

    >>> from remix_utils.models.transformer import untrained
    >>> model = untrained(n_layers=2, n_heads=4, d_model=32, n_ctx=16, d_vocab=20)
    >>> both = full_ov(model, (1, 2)) + full_ov(model, (1, 3))
    >>> both, both.top_k_accuracy(k=20)
    (FactoredMatrix [20, 20] of rank 16, tensor(1.))

    Raises ModelError for a head that does not exist, and for heads that are not in the order of their layers.
    """
    embedding = model.weights["embed.W_E"] if embedding is None else embedding
    circuit = ov(model, *heads, folded=folded)
    return FactoredMatrix(embedding @ circuit.A, circuit.B @ unembedding(model, folded))


def full_qk(
    model: Model, head: Head, folded: bool = True, distance: int = 0, embedding: torch.Tensor | None = None
) -> FactoredMatrix:
    """The full QK circuit [d_vocab, d_vocab]: the attention score of a query token, a row, for a key token, a column.

    >>> from remix_utils.models.transformer import untrained
    >>> full_qk(untrained(n_layers=2, n_heads=4, d_model=32, n_ctx=16, d_vocab=20), (0, 1))
    FactoredMatrix [20, 20] of rank 8

    Raises ModelError for a head that does not exist.
    """
    embedding = model.weights["embed.W_E"] if embedding is None else embedding
    return _between(embedding, qk(model, head, folded, distance))


def positional_qk(model: Model, head: Head, folded: bool = True) -> FactoredMatrix:
    """The positional QK circuit [n_ctx, n_ctx]: the attention score of a query's position for a key's, both alone.

    Shortformer positions are added after the layernorm, so that nothing of it is folded into their circuit.

    >>> from remix_utils.models.transformer import untrained
    >>> model = untrained(n_layers=2, n_heads=4, d_model=32, n_ctx=16, d_vocab=20, positions="shortformer")
    >>> positional_qk(model, (0, 1))[:4, :4].full().shape
    torch.Size([4, 4])

    Raises ModelError for a head that does not exist, and for positions that are no vectors.
    """
    kind = model.config.get("positions")
    if kind not in ("learned", "shortformer"):
        raise ModelError(
            f"{model.name!r} has {kind} positions, which are no vectors.",
            fix="look at qk(..., distance=...) for rotary positions, or at attention patterns.",
            positions=kind,
        )
    vectors = model.weights["pos_embed.W_pos"]
    return _between(vectors, qk(model, head, folded and kind == "learned"))


def require_qk(model: Model) -> None:
    """Raises ModelError for a network whose attention scores are no bilinear form of the residual stream."""
    if model.config.get("qk_norm"):
        raise ModelError(
            f"{model.name!r} normalises queries and keys, so that no matrix gives its attention scores.",
            fix="look at attention patterns of inputs instead.",
        )


def reads(model: Model, letter: str, head: Head, folded: bool) -> torch.Tensor:
    """W_Q, W_K or W_V [d_model, d_head] of a head, the layernorm before it folded in or not."""
    layer, number = checked(model, head)
    weight = model.weights[f"blocks.{layer}.attn.W_{letter}"]
    weight = weight[number * len(weight) // model.config["n_heads"]]  # keys and values may be shared
    return fold(model, f"blocks.{layer}.ln1", weight) if folded else weight


def writes(model: Model, head: Head) -> torch.Tensor:
    """W_O [d_head, d_model] of a head."""
    layer, number = checked(model, head)
    return model.weights[f"blocks.{layer}.attn.W_O"][number]


def unembedding(model: Model, folded: bool) -> torch.Tensor:
    """W_U [d_model, d_vocab], the last layernorm folded in or not."""
    weights = model.weights
    weight = weights["embed.W_E"].T if model.config["tied"] else weights["unembed.W_U"]
    return fold(model, "ln_final", weight) if folded else weight


def fold(model: Model, norm: str, weight: torch.Tensor) -> torch.Tensor:
    """A matrix [..., d_model, n] that reads a norm's output, as one that reads what is only divided by its scale."""
    if model.config["norm"] == "none":
        return weight
    weight = model.weights[f"{norm}.w"].unsqueeze(-1) * weight
    return weight - weight.mean(-2, keepdim=True) if model.config["norm"] == "layernorm" else weight


def checked(model: Model, head: Head) -> Head:
    """The head, once it is known to exist."""
    if not (isinstance(head, tuple) and len(head) == 2 and all(isinstance(part, int) for part in head)):
        raise ModelError(f"{head!r} is no head.", fix="give a pair (layer, head), such as (1, 5).", given=head)
    model.head(*head)
    return head


def _between(vectors: torch.Tensor, circuit: FactoredMatrix) -> FactoredMatrix:
    return FactoredMatrix(vectors @ circuit.A, circuit.B @ vectors.T)


def _in_order(model: Model, heads: tuple[Head, ...]) -> None:
    layers = [checked(model, head)[0] for head in heads]
    if not heads or layers != sorted(set(layers)):
        raise ModelError(
            f"Heads {list(heads)} do not follow each other.",
            fix="give at least one, each of a later layer.",
            heads=heads,
        )
