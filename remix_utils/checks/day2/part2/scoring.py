"""A score as a node of the graph: d2.2.5."""

from __future__ import annotations

import torch

from remix_utils.checks.day1.rewriting import Graph, judged, rewritten
from remix_utils.checks.day1.transformer_cases import is_plain, plain_torch, said
from remix_utils.checks.exercise import exercise
from remix_utils.graph.ops import placeholder


def some_patterns(seed):
    """Patterns on an end of text and random tokens said twice, to be read from a placeholder."""
    numbers, cases = torch.Generator().manual_seed(seed), []
    for length in (3, 5):
        seq = 2 * length + 1
        scores = torch.randn(4, seq, seq, generator=numbers)
        pattern = scores.masked_fill(torch.ones(seq, seq).triu(1).bool(), -torch.inf).softmax(-1)
        cases.append((Graph(placeholder("pattern", (seq, seq)), {"pattern": pattern}), length))
    return cases


def _paid(queries=lambda length: range(length + 1, 2 * length + 1), back=lambda length: length - 1,
          share=lambda length: length):  # fmt: skip
    def score(graph, length):
        pattern = graph.inputs["pattern"]
        return sum(pattern[:, query, query - back(length)] for query in queries(length)) / share(length)

    return plain_torch(score)


def _each(graph, length):
    queries = torch.arange(length + 1, 2 * length + 1)
    return graph.inputs["pattern"][:, queries, queries - length + 1]


def use_pattern(function, graph, length):
    if is_plain(function):
        return said(graph, function(graph, length))
    return said(graph, rewritten(function, graph, length))


@exercise("d2.2.5")
def _(answer, seed, reference):
    mistakes = [
        ("this is the attention to the same token: what followed it is `length` - 1 back.", _paid(back=lambda n: n)),
        ("the end of text in front is forgotten: the second copy is positions `length` + 1 to 2 * `length`.",
         _paid(queries=lambda n: range(n, 2 * n))),
        ("a query too many: position `length` is the last of the first copy, and has nothing to match.",
         _paid(queries=lambda n: range(n, 2 * n + 1), share=lambda n: n + 1)),
        ("a query too many in the sum: position `length` is the last of the first copy.",
         _paid(queries=lambda n: range(n, 2 * n + 1))),
        ("the last query is missing: the second copy ends at 2 * `length`.",
         _paid(queries=lambda n: range(n + 1, 2 * n), share=lambda n: n - 1)),
        ("the last query is missing from the sum: the second copy ends at 2 * `length`.",
         _paid(queries=lambda n: range(n + 1, 2 * n))),
        ("this is a sum over queries: divide by their number, `length`.", _paid(share=lambda n: 1)),
        ("it is divided by all queries: only those of the second copy count.", _paid(share=lambda n: 2 * n + 1)),
        ("this is one number for each query: give their mean, a node without axes.", plain_torch(_each)),
        ("queries and keys are exchanged: in targets[query, key] no key may be later than its query.",
         plain_torch(lambda graph, length: 0 * _each(graph, length).mean(1))),
    ]  # fmt: skip
    cases, oracle = some_patterns(seed), _paid()
    judged(answer, seed, reference, use=use_pattern, cases=cases, oracle=oracle, mistakes=mistakes, tolerance=1e-5)
