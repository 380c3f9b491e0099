"""Scores of attention, and of what it leads to: d2.1.6, d2.1.7 and d2.1.8."""

from __future__ import annotations

import torch

from remix_utils.checks.exercise import Mistake, exercise


def causal_patterns(seed, *shapes):
    """Random attention patterns [..., query, key] that see no future."""
    numbers = torch.Generator().manual_seed(seed)
    scores = [2 * torch.randn(shape, generator=numbers) for shape in shapes]
    future = [torch.ones(shape[-2:]).triu(1).bool() for shape in shapes]
    return [each.masked_fill(hidden, -torch.inf).softmax(-1) for each, hidden in zip(scores, future, strict=True)]


def _paid(patterns, pairs):
    """Mean attention over pairs of a query and its key."""
    return torch.stack([patterns[..., query, key] for query, key in pairs]).mean(0)


# --- d2.1.6 -----------------------------------------------------------------------------------------------------------


def _detectors(current=lambda seq: [(q, q) for q in range(1, seq)],
               previous=lambda seq: [(q, q - 1) for q in range(1, seq)],
               first=lambda seq: [(q, 0) for q in range(1, seq)], share=lambda seq: 1.0):  # fmt: skip
    def looks_at(patterns):
        seq = patterns.shape[-1]
        kinds = {"current": current, "previous": previous, "first": first}
        return {kind: share(seq) * _paid(patterns, pairs(seq)) for kind, pairs in kinds.items()}

    return looks_at


def _with_zero(current=True, first=True):
    """Query 0 counts as well."""
    more = {}
    if current:
        more["current"] = lambda seq: [(q, q) for q in range(seq)]
    if first:
        more["first"] = lambda seq: [(q, 0) for q in range(seq)]
    return _detectors(**more)


ZERO = "query 0 is counted: it sees one token only, and has no choice. Leave it out."

exercise(
    "d2.1.6",
    cases=lambda seed: [(each,) for each in causal_patterns(seed, (3, 5, 5), (2, 2, 6, 6), (7, 7))],
    oracle=_detectors(),
    mistakes=[
        Mistake(f"in \"current\" and \"first\" {ZERO}", _with_zero()),
        Mistake(f"in \"current\" {ZERO}", _with_zero(first=False)),
        Mistake(f"in \"first\" {ZERO}", _with_zero(current=False)),
        Mistake("\"previous\" looks at the token after, where there is nothing: rows are queries, so the token before "
                "is one column to the left, offset -1.",
                _detectors(previous=lambda seq: [(q - 1, q) for q in range(1, seq)])),
        Mistake("the sums are divided by the number of all queries: query 0 is left out of the count, too.",
                _detectors(share=lambda seq: (seq - 1) / seq)),
        Mistake("\"first\" is the first query, which has no choice: the first token is the first key, a column.",
                _detectors(first=lambda seq: [(0, k) for k in range(1, seq)])),
        Mistake("\"first\" counts queries from 2 on: query 1 has a choice between two tokens.",
                _detectors(first=lambda seq: [(q, 0) for q in range(2, seq)])),
        Mistake("\"previous\" lacks a query: the diagonal below the main one begins with query 1 already.",
                _detectors(previous=lambda seq: [(q, q - 1) for q in range(2, seq)])),
        Mistake("these are sums over queries: take the mean.", _detectors(share=lambda seq: seq - 1.0)),
        Mistake("the heads are averaged, too: keep whatever axes stand before query and key.",
                lambda patterns: {kind: score.mean() for kind, score in _detectors()(patterns).items()}),
    ],
)  # fmt: skip


# --- d2.1.7 -----------------------------------------------------------------------------------------------------------


def _copies(seed):
    return [(pattern, pattern.shape[-1] // 2) for pattern in causal_patterns(seed, (2, 8, 8), (3, 2, 10, 10), (12, 12))]


def _matching(back=-1, first=0, last=0, share=1.0):
    """Attention to the key that is `length + back` positions before each query of the second copy."""

    def score(patterns, length):
        queries = range(length + first, 2 * length + last)
        return share * _paid(patterns, [(query, query - length - back) for query in queries])

    return score


_prefix = _matching()

exercise(
    "d2.1.7",
    cases=_copies,
    oracle=_prefix,
    mistakes=[
        Mistake("this is the attention to the same token, `length` back: what *followed* it is one nearer.",
                _matching(back=0)),
        Mistake("this is the attention to the token before the earlier occurrence: what followed is `length` - 1 back.",
                _matching(back=1, first=1)),
        Mistake("a query too many: the last one of the first copy has nothing to match yet. The diagonal begins there; "
                "leave its first entry out.", _matching(first=-1)),
        Mistake("the last query is missing: what followed its token is the beginning of the second copy.",
                _matching(last=-1)),
        Mistake("the first query of the second copy is missing: its token occurred before, and something followed.",
                _matching(first=1)),
        Mistake("it is divided by all the queries: only those of the second copy have something to match.",
                _matching(share=0.5)),
        Mistake("this is above the diagonal, where no query looks: keys lie to the left, so the offset is negative.",
                lambda patterns, length: patterns.diagonal(length - 1, -2, -1).mean(-1)),
        Mistake("this is a sum over queries: take the mean.",
                lambda patterns, length: _prefix(patterns, length) * length),
        Mistake("the heads are averaged, too: keep whatever axes stand before query and key.",
                lambda *case: _prefix(*case).mean()),
    ],
)  # fmt: skip


# --- d2.1.8 -----------------------------------------------------------------------------------------------------------


def _raised(seed):
    numbers = torch.Generator().manual_seed(seed)
    return [(torch.randn(rows, length, length, generator=numbers) + 0.7,) for rows, length in ((2, 5), (3, 4), (1, 7))]


def _shares(raised, ahead=1, left=lambda row: row - row.mean(), kept=lambda row: row.clamp(min=0), queries=0):
    found = []
    for row in raised:
        for query in range(len(row) + queries):
            above = kept(left(row[query]))
            found.append((above[(query + ahead) % len(row)] / above.sum()).item())
    return found


def _copied(**more):
    return lambda raised: sum(_shares(raised, **more)) / len(_shares(raised, **more))


def _pooled(raised):
    above = (raised - raised.mean(-1, keepdim=True)).relu()
    query = torch.arange(raised.shape[1])
    return above[:, query, (query + 1) % len(query)].sum() / above.sum()


def _over_queries(raised):
    above = (raised - raised.mean(1, keepdim=True)).relu()
    query = torch.arange(raised.shape[1])
    return (above[:, query, (query + 1) % len(query)] / above.sum(-1)).mean()


exercise(
    "d2.1.8",
    cases=_raised,
    oracle=_copied(),
    mistakes=[
        Mistake("this is the share of the token that stands there already: the one to copy is the next, query + 1.",
                _copied(ahead=0)),
        Mistake("this is the share of the token before: the one to copy is the next, query + 1.", _copied(ahead=-1)),
        Mistake("the mean is not taken off: a head that raises all tokens alike would seem to copy.",
                _copied(left=lambda row: row)),
        Mistake("what is below the mean is still in it: keep what is positive (relu), or the shares pass 1.",
                _copied(kept=lambda row: row)),
        Mistake("what is lowered counts as raised: relu keeps what is positive, abs does not.",
                _copied(kept=lambda row: row.abs())),
        Mistake("the last query is left out: after it comes token 0, with which both copies begin.",
                _copied(queries=-1)),
        Mistake("this is one share of all sums: take the share at each query, and then the mean.", _pooled),
        Mistake("the mean was taken over queries: take it over the tokens, the last axis.", _over_queries),
        Mistake("these are the shares of each query: give their mean.",
                lambda raised: torch.tensor(_shares(raised)).reshape(raised.shape[:2])),
    ],
)  # fmt: skip
