"""Answers to d1.0.10 to d1.0.18: the parts of a transformer, and the whole."""

import torch
import torch.nn.functional as F

from tests.answers.day1.part0_axes import layernorm_by_torch

# --- d1.0.10 to d1.0.14 -----------------------------------------------------------------------------------------------


def embed(tokens, weights):
    return F.embedding(tokens, weights["embed.W_E"])


def with_positions(x, weights):
    return torch.add(x, weights["pos_embed.W_pos"].narrow(0, 0, x.shape[1]))


def hide_by_adding(scores, future=-1e9):
    places = torch.arange(scores.shape[-1])
    return scores + future * (places > places[:, None])


def hide_with_infinity(scores, hidden):
    return scores.masked_fill(hidden, float("-inf"))


def ones_of(scores):
    return torch.ones_like(scores).bool()


def of_head(x, weights, layer, letter, bias=True):
    """[batch, head, seq, d_head], by broadcasting over heads."""
    name = f"blocks.{layer}.attn"
    added = weights[f"{name}.b_{letter}"][:, None] if bias else 0
    return x[:, None] @ weights[f"{name}.W_{letter}"] + added


def scores(q_input, k_input, weights, layer, scale=None, bias=True):
    q, k = of_head(q_input, weights, layer, "Q", bias), of_head(k_input, weights, layer, "K", bias)
    return q @ k.mT / (q.shape[-1] ** 0.5 if scale is None else scale)


def scores_as_list_of_heads(q_input, k_input, weights, layer):
    return [list(each) for each in scores(q_input, k_input, weights, layer)]


def attention(q_input, k_input, v_input, weights, layer, hide=hide_by_adding, over=-1, b_V=True, out=1, times=1):
    pattern = hide(scores(q_input, k_input, weights, layer)).softmax(over)
    z = pattern @ of_head(v_input, weights, layer, "V", b_V)
    flat = z.transpose(1, 2).flatten(2)
    return times * flat @ weights[f"blocks.{layer}.attn.W_O"].flatten(0, 1) + out * weights[f"blocks.{layer}.attn.b_O"]


def attention_with(**changes):
    def changed(q_input, k_input, v_input, weights, layer):
        return attention(q_input, k_input, v_input, weights, layer, **changes)

    return changed


def no_softmax(q_input, k_input, v_input, weights, layer):
    name = f"blocks.{layer}.attn"
    z = scores(q_input, k_input, weights, layer).tril() @ of_head(v_input, weights, layer, "V")
    return torch.einsum("bhse,hed->bsd", z, weights[f"{name}.W_O"]) + weights[f"{name}.b_O"]


# --- d1.0.15 to d1.0.18 -----------------------------------------------------------------------------------------------


def mlp(x, weights, layer, act=F.relu, b_in=True, b_out=True):
    name = f"blocks.{layer}.mlp"
    post = act(F.linear(x, weights[f"{name}.W_in"].T, weights[f"{name}.b_in"] if b_in else None))
    return F.linear(post, weights[f"{name}.W_out"].T, weights[f"{name}.b_out"] if b_out else None)


def mlp_with(**changes):
    return lambda x, weights, layer: mlp(x, weights, layer, **changes)


def b_in_after_relu(x, weights, layer):
    name = f"blocks.{layer}.mlp"
    return ((x @ weights[f"{name}.W_in"]).relu() + weights[f"{name}.b_in"]) @ weights[f"{name}.W_out"] + weights[
        f"{name}.b_out"
    ]


def norm(x, weights, name):
    return layernorm_by_torch(x, weights[f"{name}.w"], weights[f"{name}.b"])


def block(x, weights, layer, first="ln1", second="ln2", at_values=False, at_keys=True, early=False, keep=True):
    """The right block, with a switch for each way to go wrong."""
    name = f"blocks.{layer}"
    read = norm(x, weights, f"{name}.{first}") if first else x
    placed = with_positions(read, weights) if at_keys else read
    wrote = attention(placed, placed, placed if at_values else read, weights, layer)
    after = x + wrote
    if f"{name}.mlp.W_in" in weights:
        source = x if early else after
        wrote = wrote + mlp(norm(source, weights, f"{name}.{second}") if second else source, weights, layer)
    return x + wrote if keep else wrote


def block_with(**changes):
    return lambda x, weights, layer: block(x, weights, layer, **changes)


def block_that_normalises_the_stream(x, weights, layer):
    name = f"blocks.{layer}"
    x = norm(x, weights, f"{name}.ln1")
    placed = with_positions(x, weights)
    x = x + attention(placed, placed, x, weights, layer)
    if f"{name}.mlp.W_in" in weights:
        x = norm(x, weights, f"{name}.ln2")
        x = x + mlp(x, weights, layer)
    return x


def block_without_mlp(x, weights, layer):
    return block(x, {name: value for name, value in weights.items() if ".mlp." not in name}, layer)


def unembed(x, weights):
    return torch.tensordot(norm(x, weights, "ln_final"), weights["unembed.W_U"], dims=1)


def depth(weights):
    return len({name.split(".")[1] for name in weights if name.startswith("blocks")})


def transformer(tokens, weights, layers=None, stream_positions=False, advance=True):
    x = embed(tokens, weights)
    start = x = with_positions(x, weights) if stream_positions else x
    for layer in range(depth(weights)) if layers is None else layers(depth(weights)):
        x = block(x if advance else start, weights, layer)
    return unembed(x, weights)


def transformer_with(**changes):
    return lambda tokens, weights: transformer(tokens, weights, **changes)


WRONG = [
    ("d1.0.10", lambda tokens, weights: weights["embed.W_E"].T[tokens], "a token has a row of the table"),
    (
        "d1.0.10",
        lambda tokens, weights: weights["embed.W_E"][torch.arange(tokens.shape[1])].repeat(len(tokens), 1, 1),
        "the row of the position, not of the token",
    ),
    ("d1.0.10", lambda tokens, weights: weights["unembed.W_U"].T[tokens], "columns of the unembedding"),
    ("d1.0.10", lambda tokens, weights: with_positions(embed(tokens, weights), weights), "positions are in it already"),
    ("d1.0.10", lambda tokens, weights: embed(tokens[0], weights), "the batch is lost"),
    ("d1.0.11", lambda x, weights: x + weights["pos_embed.W_pos"][-x.shape[1] :], "counting begins at 0"),
    ("d1.0.11", lambda x, weights: x + weights["pos_embed.W_pos"][: len(x)].unsqueeze(1), "the second axis of x"),
    ("d1.0.11", lambda x, weights: x + weights["pos_embed.W_pos"], "take as many as x has positions"),
    ("d1.0.11", lambda x, weights: with_positions(torch.zeros_like(x), weights), "these are the positions alone"),
    ("d1.0.12", lambda s: s * ones_of(s).tril(), "exp(0) is 1"),
    ("d1.0.12", lambda s: hide_with_infinity(s, ones_of(s).tril(-1)), "key > query is what must go"),
    ("d1.0.12", lambda s: hide_with_infinity(s, ones_of(s).triu()), "the diagonal stays"),
    ("d1.0.12", lambda s: hide_with_infinity(s, ones_of(s).triu(2)), "the next token is still seen"),
    ("d1.0.12", lambda s: hide_by_adding(s, 0), "nothing is hidden"),
    ("d1.0.12", lambda s: hide_by_adding(s).softmax(-1), "softmax comes later"),
    ("d1.0.13", lambda q, k, weights, layer: scores(q, k, weights, layer, 1), "the scores are not scaled"),
    ("d1.0.13", lambda q, k, weights, layer: scores(q, k, weights, layer, 5), "by its square root, please"),
    ("d1.0.13", lambda q, k, weights, layer: scores(q, k, weights, layer, 8**0.5), "the root is that of d_model"),
    ("d1.0.13", lambda q, k, weights, layer: scores(q, k, weights, layer, bias=False), "b_Q and b_K"),
    ("d1.0.13", lambda q, k, weights, layer: scores(q, k, weights, layer).mT, "rows and columns are exchanged"),
    ("d1.0.13", lambda q, k, weights, layer: scores(q, q, weights, layer), "they have an input of their own"),
    ("d1.0.13", lambda q, k, weights, layer: scores(q, k, weights, 0), "whatever the layer"),
    ("d1.0.13", lambda q, k, weights, layer: scores(q, k, weights, layer).movedim(1, 3), "batch query key head"),
    ("d1.0.14", attention_with(over=-2), "softmax went over queries"),
    ("d1.0.14", attention_with(hide=lambda scores: scores), "the future is seen"),
    ("d1.0.14", attention_with(out=0), "b_O is missing"),
    ("d1.0.14", attention_with(out=2), "b_O was added for each head"),
    ("d1.0.14", attention_with(times=0.5), "the heads were averaged"),
    ("d1.0.14", lambda q, k, v, weights, layer: attention(q, k, k, weights, layer), "without positions"),
    ("d1.0.14", attention_with(b_V=False), "b_V is missing"),
    ("d1.0.14", no_softmax, "scores are no weights yet"),
    ("d1.0.15", mlp_with(act=lambda pre: pre), "one matrix, written as two"),
    ("d1.0.15", mlp_with(b_in=False), "b_in is missing"),
    ("d1.0.15", mlp_with(b_out=False), "b_out is missing"),
    ("d1.0.15", b_in_after_relu, "it belongs before"),
    ("d1.0.15", lambda x, weights, layer: mlp(x, weights, layer).clamp(min=0), "only neurons have it"),
    ("d1.0.15", lambda x, weights, layer: mlp(x, weights, layer) + x, "added to the stream later"),
    ("d1.0.15", mlp_with(act=F.gelu), "this is gelu"),
    ("d1.0.16", block_with(keep=False), "the stream itself is lost"),
    ("d1.0.16", block_that_normalises_the_stream, "replaced by its normalised self"),
    ("d1.0.16", block_with(first="", second=""), "they read it through ln1 and ln2"),
    ("d1.0.16", block_with(at_values=True), "values read positions too"),
    ("d1.0.16", block_with(at_keys=False), "nobody reads positions"),
    ("d1.0.16", block_with(early=True), "it comes second"),
    ("d1.0.16", block_with(second="ln1"), "a layernorm of its own"),
    ("d1.0.16", block_without_mlp, "some blocks have one"),
    ("d1.0.17", lambda x, weights: x @ weights["unembed.W_U"], "the final layernorm is missing"),
    ("d1.0.17", lambda x, weights: unembed(x, weights).softmax(-1), "these are probabilities"),
    ("d1.0.17", lambda x, weights: unembed(x, weights).log_softmax(-1), "these are log-probabilities"),
    ("d1.0.17", lambda x, weights: norm(x, weights, "ln_final") @ weights["embed.W_E"].T, "a matrix of its own"),
    ("d1.0.17", lambda x, weights: unembed(x[:, -1], weights), "only the last position is left"),
    (
        "d1.0.17",
        lambda x, weights: norm(x, weights, "blocks.0.ln1") @ weights["unembed.W_U"],
        "the final one is called ln_final",
    ),
    ("d1.0.18", transformer_with(stream_positions=True), "positions are in the stream"),
    ("d1.0.18", transformer_with(layers=lambda n: range(1)), "only the first block has run"),
    ("d1.0.18", transformer_with(layers=lambda n: range(2)), "two blocks have run"),
    ("d1.0.18", transformer_with(layers=lambda n: range(n - 1)), "the last block has not run"),
    ("d1.0.18", transformer_with(layers=lambda n: [0] * n), "every layer is layer 0"),
    ("d1.0.18", transformer_with(layers=lambda n: range(n)[::-1]), "from the top down"),
    ("d1.0.18", transformer_with(advance=False), "what the block before it returned"),
]

RIGHT = [
    ("d1.0.10", embed),
    ("d1.0.11", with_positions),
    ("d1.0.12", hide_by_adding),
    ("d1.0.13", scores),
    ("d1.0.13", scores_as_list_of_heads),
    ("d1.0.14", attention),
    ("d1.0.15", mlp),
    ("d1.0.16", block),
    ("d1.0.17", unembed),
    ("d1.0.18", transformer),
]
