"""What the logits are good for: d1.0.19 (loss), d1.0.20 (a baseline), d1.0.21 and d1.0.22 (writing)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from remix_utils.checks.day1.probes import compare
from remix_utils.checks.exercise import Mistake, Wrong, exercise

# --- d1.0.19 and d1.0.20 ----------------------------------------------------------------------------------------------


def _predicted(seed):
    numbers = torch.Generator().manual_seed(seed)
    return [
        (2 * torch.randn(*shape, 9, generator=numbers), torch.randint(9, shape, generator=numbers))
        for shape in ((2, 6), (1, 9), (3, 3))
    ]


def _surprise(logits, tokens):
    return F.cross_entropy(logits.flatten(0, 1), tokens.flatten(), reduction="none").reshape(tokens.shape)


def _next(logits, tokens):
    return _surprise(logits[:, :-1], tokens[:, 1:])


exercise(
    "d1.0.19",
    cases=_predicted,
    oracle=_next,
    mistakes=[
        Mistake(
            "each position is asked for the token that it reads: the logits at i are about token i + 1.",
            lambda logits, tokens: _surprise(logits, tokens)[:, :-1],
        ),
        Mistake(
            "each position is asked for the token that it reads, the first left out: the logits at i are about token "
            "i + 1.",
            lambda logits, tokens: _surprise(logits, tokens)[:, 1:],
        ),
        Mistake(
            "the shift goes the other way: the logits at i are about token i + 1, not about i - 1.",
            lambda logits, tokens: _surprise(logits[:, 1:], tokens[:, :-1]),
        ),
        Mistake("these are log-probabilities, which are below 0: the loss is minus that.", lambda *a: -_next(*a)),
        Mistake("these are probabilities: take the logarithm, and the minus sign.", lambda *a: (-_next(*a)).exp()),
        Mistake(
            "the logits were taken for log-probabilities: log_softmax first.",
            lambda logits, tokens: -logits[:, :-1].gather(-1, tokens[:, 1:, None])[..., 0],
        ),
        Mistake("this is one number: keep a loss for each predicted token.", lambda *a: _next(*a).mean()),
        Mistake("these are bits: the natural logarithm gives nats.", lambda *a: _next(*a) / math.log(2)),
        Mistake(
            "there is a loss too many: the last position predicts a token that we do not have.",
            lambda logits, tokens: _surprise(logits, tokens.roll(-1, 1)),
        ),
    ],
)


def _corpora(seed):
    numbers = torch.Generator().manual_seed(seed)
    return [(torch.randint(5, shape, generator=numbers), d_vocab) for shape, d_vocab in (((3, 40), 7), ((60,), 9))]


def _counted(tokens, d_vocab):
    return torch.tensor([float((tokens == token).sum()) for token in range(d_vocab)])


def _plus_one(tokens, d_vocab):
    return (_counted(tokens, d_vocab) + 1) / (tokens.numel() + d_vocab)


exercise(
    "d1.0.20",
    cases=_corpora,
    oracle=lambda tokens, d_vocab: _plus_one(tokens, d_vocab).log(),
    mistakes=[
        Mistake(
            "a token that was never seen has probability 0 here, and costs infinitely much when it comes: add 1 to "
            "every count.",
            lambda tokens, d_vocab: (_counted(tokens, d_vocab) / tokens.numel()).log(),
        ),
        Mistake(
            "the probabilities do not add up to 1: divide by the sum of the counts, with the ones that were added.",
            lambda tokens, d_vocab: ((_counted(tokens, d_vocab) + 1) / tokens.numel()).log(),
        ),
        Mistake("these are probabilities: their logarithms are asked for.", _plus_one),
        Mistake(
            "these are counts: divide by their sum, then take logarithms.",
            lambda tokens, d_vocab: _counted(tokens, d_vocab) + 1,
        ),
        Mistake(
            "this is softmax of the counts, which is far too sure: divide the counts by their sum.",
            lambda tokens, d_vocab: (_counted(tokens, d_vocab) + 1).log_softmax(-1),
        ),
        Mistake(
            "the table ends at the largest token that was seen: it has d_vocab entries.",
            lambda tokens, d_vocab: _plus_one(tokens, int(tokens.max()) + 1).log(),
        ),
        Mistake("these are losses: log-probabilities are below 0.", lambda *a: -_plus_one(*a).log()),
    ],
)


# --- d1.0.21 ----------------------------------------------------------------------------------------------------------


def reader(seed):
    """A network whose logits depend on the last tokens and on their number: a stand-in that is quick."""
    table = torch.randn(3, 11, 11, generator=torch.Generator().manual_seed(seed))

    def run(tokens):
        if not isinstance(tokens, torch.Tensor) or tokens.ndim != 2 or tokens.is_floating_point():
            shape = list(getattr(tokens, "shape", []))
            raise Wrong(f"run was given tokens of shape {shape}: it reads [batch, seq], so give it tokens[None].")
        before = tokens.roll(1, 1)
        return table[0][tokens] + 0.7 * table[1][before] + table[2][torch.arange(tokens.shape[1]) % 11]

    return run


def use_greedy(function, seed, tokens, n):
    """The text that comes out; the network is made here, so that it is seen as it was called."""
    return function(reader(seed), tokens, n)


def _greedy(run, tokens, n, keep=slice(None), choose=torch.argmax, at=-1):
    text = tokens.tolist()
    for _ in range(n):
        text.append(int(choose(run(torch.tensor([text]))[0, at])))
    return torch.tensor(text)[keep]


def _all_at_once(run, tokens, n):
    best = run(tokens[None])[0].argmax(-1)
    return torch.cat([tokens, best[-n:]]) if n else tokens


def _same_again(run, tokens, n):
    return torch.cat([tokens, run(tokens[None])[0, -1].argmax().expand(n)])


def _forgets(run, tokens, n):
    text = tokens.tolist()
    for _ in range(n):
        text.append(int(run(torch.tensor([text[-1:]]))[0, -1].argmax()))
    return torch.tensor(text)


@exercise("d1.0.21")
def _(answer, seed, reference):
    numbers = torch.Generator().manual_seed(seed)
    cases = lambda seed: [
        (seed + i, torch.randint(11, (seq,), generator=numbers), n)
        for i, (seq, n) in enumerate(((4, 6), (1, 5), (3, 1), (6, 6)))
    ]
    mistakes = [
        Mistake(
            "the last logits are asked once, and their answer is repeated: run the network again with the token that "
            "was added.",
            _same_again,
        ),
        Mistake(
            "these are the best next tokens at the places of the prompt: only the last position speaks about what "
            "comes next.",
            _all_at_once,
        ),
        Mistake(
            "the logits are read at the first position: the last one predicts.",
            lambda run, tokens, n: _greedy(run, tokens, n, at=0),
        ),
        Mistake(
            "the network is shown its last token alone: it reads the whole text each time.",
            _forgets,
        ),
        Mistake(
            "the prompt is missing: return it with what was added.",
            lambda run, tokens, n: _greedy(run, tokens, n, slice(len(tokens), None)),
        ),
        Mistake(
            "the least likely token is taken: argmax.",
            lambda run, tokens, n: _greedy(run, tokens, n, choose=torch.argmin),
        ),
        Mistake("one token too few was added.", lambda run, tokens, n: _greedy(run, tokens, n - 1)),
    ]
    compare(answer, seed, reference, call=use_greedy, cases=cases, oracle=_greedy, mistakes=mistakes)


# --- d1.0.22 ----------------------------------------------------------------------------------------------------------

DRAWS = 4000


def _shares(function, logits, temperature):
    """How often each token is drawn in 4,000 draws from one generator, as one array."""
    numbers = torch.Generator().manual_seed(0)
    drawn = torch.tensor([_whole(function(logits, temperature, numbers), len(logits)) for _ in range(DRAWS)])
    return torch.bincount(drawn, minlength=len(logits)) / DRAWS


def _whole(token, d_vocab):
    token = token.item() if isinstance(token, torch.Tensor) and token.numel() == 1 else token
    if not isinstance(token, int) or not 0 <= token < d_vocab:
        raise Wrong(f"a draw gave {str(token)[:60]}, expected a token: a whole number from 0 to {d_vocab - 1}.")
    return token


def _repeats(function, logits):
    first, again = torch.Generator().manual_seed(3), torch.Generator().manual_seed(3)
    texts = [[_whole(function(logits, 1.0, g), len(logits)) for _ in range(40)] for g in (first, again)]
    return texts[0] == texts[1]


@exercise("d1.0.22")
def _(answer, seed, reference):
    if not callable(answer):
        raise Wrong(f"the answer is a {type(answer).__name__}, expected a function: pass it without calling it.")
    logits = torch.randn(5, generator=torch.Generator().manual_seed(seed)).sort().values + torch.arange(5) / 2
    for temperature in (0.5, 1.0, 2.0):
        found, right = _shares(answer, logits, temperature), (logits / temperature).softmax(-1)
        if _far(found, right):
            raise Wrong(_why(found, logits, temperature))
    if not _repeats(answer, logits):
        raise Wrong(
            "with two generators of one seed the draws differ: hand `generator` to torch.multinomial, or nobody can "
            "repeat the run."
        )


def _far(found, right):
    """Five standard errors and a little, for each token."""
    return bool(((found - right).abs() > 5 * (right * (1 - right) / DRAWS).sqrt() + 2 / DRAWS).any())


def _why(found, logits, temperature):
    """The known mistake whose shares these are, or the first token that comes too often or too seldom."""
    divided = logits.softmax(-1) / temperature
    known = {
        "the logits were multiplied by the temperature: a high temperature makes the draw more even, so divide.": (
            logits * temperature
        ).softmax(-1),
        "the temperature changes nothing: it acts on logits, before softmax. Probabilities that are divided by a "
        "number are in the same proportions as before.": divided / divided.sum(),
        "it always draws the likeliest token: that is greedy. Draw from the probabilities.": F.one_hot(
            logits.argmax(), len(logits)
        ).float(),
        "every token comes equally often: the logits are not looked at.": torch.full_like(logits, 1 / len(logits)),
    }
    for message, shares in known.items():
        if not _far(found, shares):
            return message
    right = (logits / temperature).softmax(-1)
    token = int((found - right).abs().argmax())
    many = "too often" if found[token] > right[token] else "too seldom"
    return (
        f"at temperature {temperature:g} token {token} is drawn in {100 * found[token]:.0f} % of {DRAWS} draws: {many}."
    )
