"""Answers to d1.0.19 to d1.0.22 and the quiz; and those of the whole part, gathered."""

import math

import torch
import torch.nn.functional as F

from tests.answers.day1 import part0_axes, part0_parts

# --- d1.0.19 and d1.0.20 ----------------------------------------------------------------------------------------------


def losses(logits, tokens):
    return F.cross_entropy(logits[:, :-1].transpose(1, 2), tokens[:, 1:], reduction="none")


def losses_by_loop(logits, tokens):
    def loss(row, i):
        return -math.log(logits[row, i].softmax(-1)[tokens[row, i + 1]])

    return [[loss(row, i) for i in range(tokens.shape[1] - 1)] for row in range(len(tokens))]


def all_losses(logits, tokens):
    return F.cross_entropy(logits.transpose(1, 2), tokens, reduction="none")


def raw_logits(logits, tokens):
    return -torch.gather(logits[:, :-1], 2, tokens[:, 1:].unsqueeze(-1)).squeeze(-1)


def unigram_by_one_hot(tokens, d_vocab):
    counts = F.one_hot(tokens.reshape(-1), d_vocab).sum(0) + 1
    return counts.log() - math.log(counts.sum())


def unigram_by_bincount(tokens, d_vocab, ones=1, total=None, minlength=True):
    counts = torch.bincount(tokens.reshape(-1), minlength=d_vocab if minlength else 0) + ones
    return torch.log(counts / (counts.sum() if total is None else total))


# --- d1.0.21 and d1.0.22 ----------------------------------------------------------------------------------------------


def write_recursively(run, tokens, n):
    if n == 0:
        return tokens
    best = run(tokens.unsqueeze(0)).squeeze(0)[-1].topk(1).indices
    return write_recursively(run, torch.cat((tokens, best)), n - 1)


def write_once(run, tokens, n):
    best = run(tokens[None])[0, -1].argmax()
    return torch.cat([tokens, best.repeat(n)])


def write_with(choose=torch.argmax, window=None, place=-1):
    def write(run, tokens, n):
        for _ in range(n):
            seen = tokens if window is None else tokens[-window:]
            tokens = torch.cat([tokens, choose(run(seen[None])[0, place])[None]])
        return tokens

    return write


def without_a_batch(run, tokens, n):
    return torch.cat([tokens, run(tokens)[-1].argmax()[None]])


def draw_by_gumbel(logits, temperature, generator):
    noise = torch.rand(logits.shape, generator=generator).clamp(1e-9).log().neg().log().neg()
    return int((logits / temperature + noise).argmax())


def draw_by_cumulative(logits, temperature, generator):
    edges = (logits / temperature).softmax(-1).cumsum(-1)
    place = torch.searchsorted(edges, torch.rand(1, generator=generator))
    return place.clamp(max=len(logits) - 1)


def draw_with(probabilities, global_generator=False):
    def draw(logits, temperature, generator):
        chosen = None if global_generator else generator
        return torch.multinomial(probabilities(logits, temperature), 1, generator=chosen).item()

    return draw


RECALL = {"summed": "left out", "scale": "d_head", "softmax": "keys", "positions": "values", "predicts": 6}

WRONG = [
    *part0_axes.WRONG,
    *part0_parts.WRONG,
    ("d1.0.19", lambda logits, tokens: all_losses(logits, tokens)[:, :-1], "asked for the token that it reads:"),
    ("d1.0.19", lambda logits, tokens: all_losses(logits, tokens)[:, 1:], "the first left out"),
    ("d1.0.19", lambda logits, tokens: all_losses(logits[:, 1:], tokens[:, :-1]), "the shift goes the other way"),
    ("d1.0.19", lambda logits, tokens: -losses(logits, tokens), "the loss is minus that"),
    ("d1.0.19", lambda logits, tokens: torch.exp(-losses(logits, tokens)), "these are probabilities"),
    ("d1.0.19", raw_logits, "log_softmax first"),
    ("d1.0.19", lambda logits, tokens: losses(logits, tokens).mean(), "keep a loss for each predicted token"),
    ("d1.0.19", lambda logits, tokens: losses(logits, tokens) / math.log(2), "these are bits"),
    ("d1.0.19", lambda logits, tokens: all_losses(logits, tokens.roll(-1, 1)), "there is a loss too many"),
    ("d1.0.20", lambda tokens, d_vocab: unigram_by_bincount(tokens, d_vocab, 0), "add 1 to every count"),
    (
        "d1.0.20",
        lambda tokens, d_vocab: unigram_by_bincount(tokens, d_vocab, total=tokens.numel()),
        "the probabilities do not add up to 1",
    ),
    ("d1.0.20", lambda tokens, d_vocab: unigram_by_one_hot(tokens, d_vocab).exp(), "their logarithms are asked for"),
    (
        "d1.0.20",
        lambda tokens, d_vocab: (torch.bincount(tokens.flatten(), minlength=d_vocab) + 1.0).log_softmax(0),
        "far too sure",
    ),
    (
        "d1.0.20",
        lambda tokens, d_vocab: unigram_by_bincount(tokens, d_vocab, minlength=False),
        "the table ends at the largest token",
    ),
    ("d1.0.20", lambda tokens, d_vocab: torch.bincount(tokens.flatten(), minlength=d_vocab) + 1, "these are counts"),
    ("d1.0.21", write_once, "run the network again"),
    (
        "d1.0.21",
        lambda run, tokens, n: torch.cat([tokens, run(tokens[None]).argmax(-1)[0, -n:]]),
        "at the places of the prompt",
    ),
    ("d1.0.21", write_with(place=0), "the last one predicts"),
    ("d1.0.21", write_with(window=1), "it reads the whole text each time"),
    ("d1.0.21", write_with(choose=torch.argmin), "the least likely token"),
    ("d1.0.21", lambda run, tokens, n: write_recursively(run, tokens, n)[len(tokens) :], "the prompt is missing"),
    ("d1.0.21", lambda run, tokens, n: write_recursively(run, tokens, n - 1), "one token too few"),
    ("d1.0.21", without_a_batch, "so give it tokens[None]"),
    ("d1.0.22", draw_with(lambda logits, t: (logits * t).softmax(-1)), "so divide"),
    ("d1.0.22", draw_with(lambda logits, t: logits.softmax(-1) / t), "it acts on logits, before softmax"),
    ("d1.0.22", draw_with(lambda logits, t: torch.ones_like(logits)), "every token comes equally often"),
    ("d1.0.22", lambda logits, temperature, generator: logits.argmax().item(), "that is greedy"),
    ("d1.0.22", draw_with(lambda logits, t: (logits / t).softmax(-1), global_generator=True), "of one seed the draws"),
    ("d1.0.22", draw_with(lambda logits, t: (logits / t).softmax(-1) + 0.2), "too seldom"),
    ("d1.0.22", lambda logits, temperature, generator: logits / temperature, "expected a token"),
    ("d1.0.quiz", RECALL | {"summed": "named"}, "what does the output do with an axis"),
    ("d1.0.quiz", RECALL | {"scale": "d_model"}, "how many products are added up"),
    ("d1.0.quiz", RECALL | {"softmax": "queries"}, "among whom?"),
    ("d1.0.quiz", RECALL | {"positions": "keys"}, "is not told where it was"),
    ("d1.0.quiz", RECALL | {"predicts": 5}, "has it not been told"),
]

RIGHT = [
    *part0_axes.RIGHT,
    *part0_parts.RIGHT,
    ("d1.0.19", losses),
    ("d1.0.19", losses_by_loop),
    ("d1.0.20", unigram_by_one_hot),
    ("d1.0.20", unigram_by_bincount),
    ("d1.0.21", write_recursively),
    ("d1.0.22", draw_by_gumbel),
    ("d1.0.22", draw_by_cumulative),
    ("d1.0.quiz", {**RECALL, "summed": "It is left out.", "scale": "sqrt(d_head)", "softmax": "Keys"}),
]
