"""Answers to d2.1.5 to d2.1.8: patterns, and scores of them."""

import torch

from remix_utils import evaluate, find, find_one

# --- d2.1.5 -----------------------------------------------------------------------------------------------------------


def layers(graph, tokens, part="pattern"):
    return evaluate(find(graph, f"blocks.*.attn.{part}"), {"tokens": tokens})


def row_by_row(graph, tokens):
    return [torch.stack([layer[0] for layer in layers(graph, row[None])]) for row in tokens]


def merged(graph, tokens):
    return torch.cat(layers(graph, tokens), 1)


# --- d2.1.6 -----------------------------------------------------------------------------------------------------------


def by_index(patterns):
    later = torch.arange(1, patterns.shape[-1])
    keys = {"first": later * 0, "previous": later - 1, "current": later}
    return {kind: patterns[..., later, key].mean(-1) for kind, key in keys.items()}


def by_masks(patterns):
    query, key = torch.meshgrid(*[torch.arange(patterns.shape[-1])] * 2, indexing="ij")
    wanted = {"current": key == query, "previous": key == query - 1, "first": key == 0}
    return {kind: (patterns * (where & (query > 0))).sum((-1, -2)) / query.max() for kind, where in wanted.items()}


def with_query_zero(patterns):
    return by_index(patterns) | {
        "current": patterns.diagonal(0, -2, -1).mean(-1),
        "first": patterns[..., 0].mean(-1),
    }


def the_next(patterns):
    return by_index(patterns) | {"previous": patterns.diagonal(1, -2, -1).mean(-1)}


def first_query(patterns):
    return by_index(patterns) | {"first": patterns[..., 0, 1:].mean(-1)}


def of_all_queries(patterns):
    return {kind: score * (1 - 1 / patterns.shape[-1]) for kind, score in by_index(patterns).items()}


# --- d2.1.7 -----------------------------------------------------------------------------------------------------------


def prefix_by_index(patterns, length):
    query = torch.arange(length, 2 * length)
    return patterns[..., query, query - length + 1].mean(-1)


def prefix_by_loop(patterns, length):
    return sum(patterns[..., length + place, place + 1] for place in range(length)) / length


def diagonal(offset, entries=slice(None)):
    return lambda patterns, length: patterns.diagonal(offset(length), -2, -1)[..., entries].mean(-1)


# --- d2.1.8 -----------------------------------------------------------------------------------------------------------


def above(raised, axis=-1):
    return (raised - raised.mean(axis, keepdim=True)).clamp(min=0)


def copied(parts, ahead=1):
    """The share that goes `ahead` of each query."""
    wanted = parts.roll(-ahead, -1).diagonal(0, 1, 2)
    return (wanted / parts.sum(-1)).mean()


def by_loop(raised):
    shares = []
    for row in above(raised):
        for query, parts in enumerate(row.tolist()):
            shares.append(parts[(query + 1) % len(parts)] / sum(parts))
    return sum(shares) / len(shares)


def without_last(raised):
    parts = above(raised)
    return (parts.diagonal(1, 1, 2) / parts.sum(-1)[:, :-1]).mean()


def one_share(raised):
    parts = above(raised)
    return parts.roll(-1, -1).diagonal(0, 1, 2).sum() / parts.sum()


WRONG = [
    ("d2.1.5", lambda *case: torch.stack(layers(*case)), "layers come first"),
    ("d2.1.5", lambda *case: torch.stack(layers(*case), 2), "heads come before layers"),
    ("d2.1.5", lambda graph, tokens: layers(graph, tokens)[-1], "the patterns of one layer"),
    ("d2.1.5", lambda *case: torch.stack(layers(*case, "scores"), 1), "these are the scores"),
    ("d2.1.5", merged, "layers and heads are one axis"),
    ("d2.1.5", lambda graph, tokens: find(graph, "blocks.*.attn.pattern"), "these are nodes"),
    ("d2.1.5", lambda *case: torch.stack(layers(*case), 1).mean(0), "the rows are averaged"),
    ("d2.1.5", lambda *case: torch.stack(layers(*case), 1)[0], "the first row alone"),
    ("d2.1.6", with_query_zero, 'in "current" and "first" query 0 is counted'),
    ("d2.1.6", the_next, "looks at the token after"),
    ("d2.1.6", first_query, "is the first query"),
    ("d2.1.6", of_all_queries, "divided by the number of all queries"),
    (
        "d2.1.6",
        lambda patterns: {kind: score.mean() for kind, score in by_masks(patterns).items()},
        "heads are averaged",
    ),
    ("d2.1.7", diagonal(lambda length: -length), "the same token, `length` back"),
    ("d2.1.7", diagonal(lambda length: -length - 1), "the token before the earlier occurrence"),
    ("d2.1.7", diagonal(lambda length: 1 - length), "a query too many"),
    ("d2.1.7", diagonal(lambda length: 1 - length, slice(1, -1)), "the last query is missing"),
    ("d2.1.7", diagonal(lambda length: length - 1), "above the diagonal"),
    ("d2.1.7", lambda *case: prefix_by_index(*case).mean(), "the heads are averaged"),
    ("d2.1.7", lambda patterns, length: prefix_by_index(patterns, length) / 2, "divided by all the queries"),
    ("d2.1.8", lambda raised: copied(above(raised), 0), "the token that stands there already"),
    ("d2.1.8", lambda raised: copied(raised.relu()), "the mean is not taken off"),
    ("d2.1.8", lambda raised: copied(raised - raised.mean(-1, keepdim=True)), "what is below the mean is still in it"),
    ("d2.1.8", lambda raised: copied((raised - raised.mean(-1, keepdim=True)).abs()), "relu keeps what is positive"),
    ("d2.1.8", without_last, "the last query is left out"),
    ("d2.1.8", one_share, "one share of all sums"),
    ("d2.1.8", lambda raised: copied(above(raised, 1)), "the mean was taken over queries"),
]

RIGHT = [
    ("d2.1.5", row_by_row),
    ("d2.1.5", lambda graph, tokens: torch.stack([
        evaluate(find_one(graph, f"blocks.{layer}.attn.pattern"), {"tokens": tokens})
        for layer in range(len(find(graph, "blocks.*.attn.pattern")))
    ], dim=1)),
    ("d2.1.6", by_index),
    ("d2.1.6", by_masks),
    ("d2.1.7", prefix_by_index),
    ("d2.1.7", prefix_by_loop),
    ("d2.1.8", lambda raised: copied(above(raised))),
    ("d2.1.8", by_loop),
]  # fmt: skip
