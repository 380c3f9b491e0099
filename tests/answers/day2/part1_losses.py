"""Answers to d2.1.1 to d2.1.4: positions in a graph, and losses."""

import math

import torch
import torch.nn.functional as F

from remix_utils import at, find, find_one
from remix_utils.graph.select import paths

# --- d2.1.1 -----------------------------------------------------------------------------------------------------------


def by_paths(graph, name):
    """Every path to positions, listed."""
    ways = paths(find_one(graph, name), "pos_embed") if found(graph, name) else []
    return any(not any(node.name.endswith(".pattern") for node in way) for way in ways)


def found(graph, name):
    return find(find_one(graph, name), "pos_embed", missing="ok")


def by_steps(graph, name):
    """A walk by hand."""

    def reaches(node):
        if node.name == "pos_embed":
            return True
        return any(reaches(child) for child in node.children if not child.name.endswith(".pattern"))

    return reaches(find_one(graph, name))


def any_path(graph, name):
    return bool(found(graph, name))


def from_the_root(graph, name):
    return bool(find(graph, at("pos_embed").avoiding("*.pattern"), missing="ok"))


def strict(graph, name):
    return bool(find(find_one(graph, name), at("pos_embed").avoiding("*.pattern")))


def exchanged(graph, name):
    return not find(find_one(graph, name), at("pos_embed").avoiding("*.pattern"), missing="ok")


def children_only(graph, name):
    return "pos_embed" in [child.name for child in find_one(graph, name).children]


# --- d2.1.2 -----------------------------------------------------------------------------------------------------------


def by_cross_entropy(logits, tokens):
    return F.cross_entropy(logits[:, :-1].transpose(1, 2), tokens[:, 1:], reduction="none")


def by_loops(logits, tokens):
    def one(row, place):
        scores = logits[row, place].tolist()
        return math.log(sum(map(math.exp, scores))) - scores[tokens[row, place + 1]]

    return [[one(row, place) for place in range(tokens.shape[1] - 1)] for row in range(len(tokens))]


def log_probs(logits, tokens):
    return logits.log_softmax(-1).gather(-1, tokens[..., None])[..., 0]


# --- d2.1.3 and d2.1.4 ------------------------------------------------------------------------------------------------


def by_reshaping(losses, length):
    copies = losses.reshape(len(losses), 2, length)
    return copies[:, 0].mean(-1), copies[:, 1, 1:].mean(-1)


def by_sums(losses, length):
    rows = losses.tolist()
    return [sum(row[:length]) / length for row in rows], [sum(row[length + 1 :]) / (length - 1) for row in rows]


def by_padding(losses, early, late):
    """A column for token 0 in front: then numbers of tokens are numbers of columns."""
    padded = F.pad(losses, (1, 0))
    change = padded[:, late.start : late.stop].mean(1) - padded[:, early.start : early.stop].mean(1)
    return torch.stack([change.mean(), change.var().div(len(change)).sqrt()])


def change(losses, early, late, shift=1):
    before, after = (losses[:, [token - shift for token in tokens]].mean(1) for tokens in (early, late))
    return after - before


def with_error(error, shift=1):
    return lambda *case: (change(*case, shift).mean(), error(change(*case, shift)))


def standard(values):
    return values.std() / len(values) ** 0.5


def as_entries(losses, early, late):
    """The last token of all may not be there."""
    some = losses[:, late.start : late.stop].mean(1) - losses[:, early.start : early.stop].mean(1)
    return some.mean(), standard(some)


def unpaired(losses, early, late):
    errors = [losses[:, [token - 1 for token in tokens]].mean(1).var() / len(losses) for tokens in (early, late)]
    return change(losses, early, late).mean(), sum(errors) ** 0.5


def by_tokens(losses, early, late):
    parts = [losses[:, [token - 1 for token in tokens]] for tokens in (early, late)]
    return change(losses, early, late).mean(), sum(part.var() / part.numel() for part in parts) ** 0.5


WRONG = [
    ("d2.1.1", any_path, "paths through attention patterns count, too"),
    ("d2.1.1", from_the_root, "find the node first, and search below that"),
    ("d2.1.1", strict, 'unless it is told missing="ok"'),
    ("d2.1.1", exchanged, "yes and no are exchanged"),
    ("d2.1.1", children_only, "only the node's own children"),
    ("d2.1.1", lambda graph, name: False, "it is always no"),
    ("d2.1.1", lambda graph, name: find_one(graph, name), "it gives no yes or no"),
    ("d2.1.2", lambda logits, tokens: -log_probs(logits, tokens)[:, :-1], "the token that is read"),
    ("d2.1.2", lambda logits, tokens: -log_probs(logits, tokens)[:, 1:], "the token that is read, without the first"),
    ("d2.1.2", lambda logits, tokens: -log_probs(logits, tokens), "one too many"),
    ("d2.1.2", lambda *case: -by_cross_entropy(*case), "the sign is missing"),
    ("d2.1.2", lambda *case: by_cross_entropy(*case).neg().exp(), "these are probabilities"),
    (
        "d2.1.2",
        lambda logits, tokens: -logits[:, :-1].gather(-1, tokens[:, 1:, None]).squeeze(-1),
        "the logits were taken as they are",
    ),
    ("d2.1.2", lambda *case: by_cross_entropy(*case).mean(), "keep one number for each token"),
    ("d2.1.2", lambda *case: by_cross_entropy(*case).unsqueeze(-1), "left over from gather"),
    ("d2.1.3", lambda losses, length: (losses[:, :length].mean(1), losses[:, length:].mean(1)), "first token is in it"),
    (
        "d2.1.3",
        lambda losses, length: (losses[:, :length].mean(1), losses[:, length + 2 :].mean(1)),
        "begins one token late",
    ),
    (
        "d2.1.3",
        lambda losses, length: (losses[:, 1:length].mean(1), losses[:, length + 1 :].mean(1)),
        "the first copy lacks its first token",
    ),
    (
        "d2.1.3",
        lambda losses, length: (losses[:, : length + 1].mean(1), losses[:, length + 1 :].mean(1)),
        "is counted to the first",
    ),
    ("d2.1.3", lambda *case: by_reshaping(*case)[::-1], "the copies are exchanged"),
    ("d2.1.3", lambda *case: [part.mean() for part in by_reshaping(*case)], "one number each"),
    ("d2.1.4", as_entries, "token 21 is entry 20"),
    ("d2.1.4", lambda *case: (-change(*case).mean(), standard(change(*case))), "the sign is turned"),
    ("d2.1.4", unpaired, "treats early and late as independent"),
    ("d2.1.4", by_tokens, "counts every token as independent"),
    ("d2.1.4", with_error(torch.std), "this is the standard deviation over rows"),
    ("d2.1.4", with_error(lambda values: values.std() / len(values)), "by its square root"),
    ("d2.1.4", with_error(lambda values: values.std(correction=0) / len(values) ** 0.5), "their number less one"),
    ("d2.1.4", change, "give their mean, and its standard error"),
    ("d2.1.4", lambda *case: change(*case).mean(), "the error is missing"),
]

RIGHT = [
    ("d2.1.1", by_paths),
    ("d2.1.1", by_steps),
    ("d2.1.1", lambda graph, name: find(find_one(graph, name), at("pos_embed").avoiding("*.pattern"), missing="ok")),
    ("d2.1.2", by_cross_entropy),
    ("d2.1.2", by_loops),
    ("d2.1.3", by_reshaping),
    ("d2.1.3", by_sums),
    ("d2.1.4", by_padding),
    ("d2.1.4", with_error(standard)),
]
