"""Memory is used as it is planned, to within a few per cent, and limits are kept."""

import pytest
import torch

from benchmarks.measure import Allocations
from remix_utils.errors import MemoryLimitError
from remix_utils.graph.evaluate import evaluate, plan
from remix_utils.graph.memory import peak
from remix_utils.graph.ops import add, apply, array, concat, einsum, index, placeholder, sample
from remix_utils.graph.rewrite import replace
from remix_utils.graph.select import find, find_one
from tests.graph.transformer import tokens, transformer

ROWS = 64
INPUTS = tokens(ROWS)


def draws(count):
    graph = transformer()
    post = find_one(graph, "blocks.0.resid_post")
    rows = torch.randint(ROWS, (count,), generator=torch.Generator().manual_seed(0))
    return replace(graph, {post: sample(post, rows)})


NODES = {
    "all logits": transformer(),
    "the last logit": index(transformer(), (-1, 3)),
    "patterns and logits": [transformer(), *find(transformer(), "*.pattern")],
    "200 draws": draws(200),
    "20 draws": draws(20),
    "weights only": einsum(
        "i j, j k -> i k", apply("relu", array(torch.randn(200, 200))), array(torch.randn(200, 200))
    ),
    "a view": einsum("seq vocab -> vocab seq", transformer()),
}


@pytest.mark.parametrize("options", [{}, {"batch_size": 8}, {"batch_size": 1}])
@pytest.mark.parametrize("what", NODES)
def test_planned_memory_is_what_is_used(what, options):
    """The bytes of storages alive at once are what the plan says, within a twentieth and 2 kB (trap 12)."""
    nodes, inputs = NODES[what], tokens(ROWS) if what != "weights only" else {}
    planned = plan(nodes, inputs, **options)
    with Allocations() as made:
        evaluate(nodes, inputs, **options)
    assert abs(planned.peak_bytes - made.peak) < planned.peak_bytes / 20 + 2000


def test_a_memory_limit_is_kept():
    """Fewer bytes make smaller chunks and the same values; with no room for a row it is refused before any work, with
    a limit that would do."""
    graph = transformer()
    expected, whole = evaluate(graph, INPUTS), plan(graph, INPUTS)
    chunks = []
    for limit in (whole.peak_bytes, whole.peak_bytes // 2, whole.peak_bytes // 3):
        assert plan(graph, INPUTS, memory=limit).peak_bytes <= limit
        chunks.append(plan(graph, INPUTS, memory=limit).chunk)
        with Allocations() as made:
            value = evaluate(graph, INPUTS, memory=limit)
        assert made.peak <= limit + 2000
        torch.testing.assert_close(value, expected)
    assert chunks[0] == ROWS > chunks[1] > chunks[2] >= 1
    with pytest.raises(MemoryLimitError) as refusal:
        evaluate(graph, INPUTS, memory=1000)
    needed = refusal.value.needed
    assert evaluate(graph, INPUTS, memory=needed).shape == expected.shape
    with pytest.raises(MemoryLimitError, match=f"allow at least {needed:,} bytes"):
        plan(graph, INPUTS, memory=needed - 1)


def test_chunks_fit_the_caches_of_a_cpu():
    """Where nothing is said, no value of a chunk takes more than 16 MiB, unless each node would have too little to do
    in so few rows."""
    m, w = placeholder("m", (64, 1024)), array(torch.ones(1024, 1024), "w")
    much = einsum("seq d, d e ->", apply("tanh", einsum("seq d, d e -> seq e", m, w)), w)
    inputs = {"m": torch.ones(1, 1).expand(4000, 64, 1024)}
    assert plan(much, inputs).chunk == 2**24 // (64 * 1024 * 4)
    assert plan(much, inputs, batch_size=4000).chunk == 4000
    x = placeholder("x", (1024,))
    little = einsum("d ->", add(x, x, x))
    assert plan(little, {"x": torch.ones(1, 1).expand(9000, 1024)}).chunk > 2**24 // (1024 * 4)


def test_large_results_leave_room_for_chunks(monkeypatch):
    """Where nothing is said and the results alone take more than the default, rows do not go one by one."""
    monkeypatch.setattr("remix_utils.graph.evaluate.DEFAULT_MEMORY", 2**16)
    x = placeholder("x", (16,))
    planned = plan(apply("tanh", apply("exp", x)), {"x": torch.ones(10_000, 16)})
    assert planned.kept_bytes > 2**16 and 10 < planned.chunk < 10_000
    assert planned.peak_bytes <= 2 * planned.kept_bytes + 2**14


def test_a_metric_in_the_graph_saves_the_memory_of_its_logits():
    """Of a sweep over heads that ends in one number per row, the logits of no variant are ever whole (trap 11)."""
    graph = transformer(vocab=500, seq=6)
    heads = [replace(graph, {z: apply("relu", z)}) for z in find(graph, "*.attn.z")]
    inputs = tokens(ROWS, vocab=500)
    logits = plan(heads, inputs)
    difference = plan([add(index(h, (-1, 3)), index(h, (-1, 4)), weights=[1, -1]) for h in heads], inputs)
    assert difference.peak_bytes < logits.peak_bytes / 4 and difference.flops < logits.flops
    torch.testing.assert_close(
        evaluate([index(h, (-1, 3)) for h in heads], inputs), [v[:, -1, 3] for v in evaluate(heads, inputs)]
    )


def test_views_count_with_their_owner():
    """A view takes no memory of its own, but keeps that of what it looks at; copies do (trap 12)."""
    x = placeholder("x", (100,))
    big = apply("exp", x)
    view, copy, same = index(big, slice(0, 10)), index(big, torch.arange(10)), add(big)
    joined = concat([view, view], 0)
    assert peak([big, view], [view]) == peak([big, same], [same]) == (400, 0)
    assert peak([big, copy], [copy]) == (440, 0) and peak([big, view, joined], [joined]) == (480, 0)
    assert peak([x, big, view], [view]) == (800, 0) and peak([x, big, view], [view], lent={x}) == (400, 0)
    transposed = einsum("i j -> j i", apply("exp", placeholder("m", (10, 10))))
    assert peak([*transposed.children, transposed], [transposed]) == (400, 0)


def test_values_are_freed_after_their_last_use():
    """A chain of a thousand operations holds two values at a time (trap 12)."""
    node = x = placeholder("x", (100,))
    for _ in range(1000):
        node = apply("tanh", node)
    inputs = {"x": torch.randn(10, 100)}
    assert plan(node, inputs).peak_bytes == 2 * 10 * 400
    with Allocations() as made:
        evaluate(node, inputs)
    assert made.peak < 2 * 10 * 400 + 500 and x.op.kind == "placeholder"


def test_a_factor_is_copied_where_its_axes_do_not_lie_side_by_side():
    """Queries [seq, head, d] are laid out anew to be multiplied head by head; [head, seq, d] are not."""
    k = placeholder("k", (4, 6, 8))
    apart, together = placeholder("q", (6, 4, 8)), placeholder("q", (4, 6, 8))
    for q, pattern, copied in ((apart, "q h d, h k d -> h q k", 1), (together, "h q d, h k d -> h q k", 0)):
        node = einsum(pattern, q, k)
        values = 2 * q.size + node.size
        assert peak([q, k, node], [node], batched={q, k, node})[0] == 4 * (values + copied * q.size)
