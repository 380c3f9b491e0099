"""Day 5, part 2, beside hooks: the lens, attribution, and patches of the stream, of heads and of their sides."""

import pytest
import torch

from remix_utils import circuits, evaluate, find_one, placeholder, replace
from remix_utils.tasks import ioi
from tests.parity.exercises import compares
from tests.parity.patches import constant, replaced, with_heads, with_patterns, with_sides

LESSON = "part2_where"
HEADS = [(0, 3), (1, 1), (2, 1)]


@pytest.fixture(scope="module")
def other(lesson, hooked):
    """The run on the second prompt, in which S2 has the name of the IO."""
    return hooked.see(lesson.both["other.tokens"], lesson.data["mask"])


@pytest.fixture(scope="module")
def attributed(lesson):
    answers = {"answers": lesson.data["token.IO"], "others": lesson.data["token.S"]}
    return circuits.logit_attribution(lesson.graph, lesson.data, **answers)


@compares("d5.2.1")
def test_the_logit_lens(lesson, hooked, clean, agree):
    """The final norm and the unembedding read the stream before each block, and the last one."""
    ours = evaluate(lesson.lens(lesson.difference, len(hooked.layers)), lesson.data)
    streams = [*(clean["stream", layer] for layer in hooked.layers), clean["end", 0]]
    for reading, stream in zip(ours, streams, strict=True):
        seen = hooked.see(clean.tokens, clean.mask, {("end", 0): constant(stream)})
        agree(reading, seen.difference(lesson.data))


@compares("d5.2.2")
def test_attribution_by_layer_and_by_head(lesson, hooked, clean, attributed, agree):
    """What each block's attention and MLP add to the difference at the final norm's scale."""
    attention, mlps = lesson.by_layer(attributed.parts, len(hooked.layers))
    agree(attributed.total, clean.difference(lesson.data))
    for layer in hooked.layers:
        for ours, site in ((attention, "attn"), (mlps, "mlp")):
            added = hooked.onto_difference(clean[site, layer][:, -1], clean, lesson.data)
            agree(ours[:, layer], added)
        for head in hooked.heads:
            written = hooked.written((layer, head), clean.z((layer, head))[:, -1])
            added = hooked.onto_difference(written, clean, lesson.data)
            agree(attributed.heads[:, layer, head], added)


@compares("d5.2.4")
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_stream_patched_at_a_role(lesson, hooked, clean, other, agree, layer):
    """A role has another position in each row, and the patch is a mask."""
    name = f"blocks.{layer}.resid_pre"
    where = placeholder("here", (lesson.seq,))
    graph = lesson.patch_at(lesson.difference, name, find_one(lesson.elsewhere, name), where)
    places = torch.arange(lesson.seq)
    for first, last in (("S2", "S2"), ("S2", "END"), ("END", "END")):
        start, end = (lesson.data[f"position.{role}"][:, None] for role in (first, last))
        chosen = (start <= places) & (places <= end)
        ours = evaluate(graph, lesson.both | {"here": chosen.double()})
        stream = torch.where(chosen[..., None], other["stream", layer], clean["stream", layer])
        seen = replaced(hooked, clean, {("stream", layer): stream})
        agree(ours, seen.difference(lesson.data))


@compares("d5.2.6")
def test_nodes_of_the_other_run(lesson, hooked, clean, other, agree):
    """Attention and MLPs of whole blocks, and heads, one of which comes after another."""
    sites = {
        "blocks.0.attn_out": ("attn", 0),
        "blocks.1.attn_out": ("attn", 1),
        "blocks.1.mlp_out": ("mlp", 1),
        "blocks.2.mlp_out": ("mlp", 2),
    }
    for names in (list(sites)[:2], list(sites)[2:3], list(sites)):
        ours = evaluate(lesson.from_other(lesson.difference, lesson.elsewhere, set(names)), lesson.both)
        sent = {sites[name]: other[sites[name]] for name in names}
        agree(ours, replaced(hooked, clean, sent).difference(lesson.data))
    names = {"blocks.{}.attn.head.{}.out".format(*head) for head in HEADS}
    ours = evaluate(lesson.from_other(lesson.difference, lesson.elsewhere, names), lesson.both)
    sent = {head: other.z(head) for head in HEADS}
    agree(ours, replaced(hooked, clean, sent).difference(lesson.data))


def by_hooks(hooked, clean, other, heads):
    """The runs in which a side of some heads is that of the other run."""
    layers = {layer for layer, _ in heads}
    for side in "qkv":
        edits = {("qkv", layer): with_sides(other, layer, heads, side) for layer in layers}
        yield side, hooked.see(clean.tokens, clean.mask, edits)
    edits = {("z", layer): with_patterns(other, layer, heads) for layer in layers}
    yield "pattern", hooked.see(clean.tokens, clean.mask, edits)
    sent = {head: other.z(head) for head in heads}
    edits = {("z", layer): with_heads(sent, layer) for layer in layers}
    yield "out", hooked.see(clean.tokens, clean.mask, edits)


@compares("d5.2.7")
@pytest.mark.parametrize("heads", [HEADS[:1], HEADS[1:]], ids=["one head", "two layers"])
def test_sides_of_heads(lesson, hooked, clean, other, agree, heads):
    """Queries, keys, values, patterns and outputs of the other run."""
    graphs = lesson.by_side(lesson.difference, lesson.elsewhere, heads)
    ours = evaluate(graphs, lesson.both)
    for side, seen in by_hooks(hooked, clean, other, heads):
        agree(ours[side], seen.difference(lesson.data))
    assert len(ours) == 5


@compares("d5.2.8")
def test_noising_and_denoising(lesson, hooked, clean, agree):
    """A clean and an ABC run change places, and the same two logits are read."""
    others = ioi.dataset(lesson.clean.abc(seed=9), lesson.encode, pad=0)["tokens"]
    abc = hooked.see(others, lesson.data["mask"])
    names = {head: {"blocks.{}.attn.head.{}.out".format(*head)} for head in HEADS}
    graphs = {head: lesson.from_other(lesson.difference, lesson.elsewhere, name) for head, name in names.items()}
    found = lesson.both_ways(graphs, lesson.both, others)
    for ours, (run, source) in zip(found, ((clean, abc), (abc, clean)), strict=True):
        for head in HEADS:
            seen = replaced(hooked, run, {head: source.z(head)})
            agree(ours[head], seen.difference(lesson.data))


@compares("d5.2.9")
def test_direct_effects_by_word(lesson, hooked, clean, agree):
    """What a head reads at each role, and at all other words."""
    data = lesson.data
    answers = {"answers": data["token.IO"], "others": data["token.S"]}
    values = circuits.source_attribution(lesson.graph, data, **answers)
    ours = lesson.by_role(values, data.columns)
    rows = torch.arange(len(data))
    for layer, head in HEADS:
        pattern, v = clean.patterns[layer][:, head, -1], clean["qkv", layer]["v"][:, :, head]
        left = clean.z((layer, head))[:, -1]
        for role in ("IO", "S1", "S2", "END"):
            key = data[f"position.{role}"]
            read = pattern[rows, key, None] * v[rows, key]
            left = left - read
            added = hooked.onto_difference(hooked.written((layer, head), read), clean, data)
            agree(ours[role][:, layer, head], added)
        added = hooked.onto_difference(hooked.written((layer, head), left), clean, data)
        agree(ours["rest"][:, layer, head], added)


def test_the_second_prompt_is_another_input(lesson, other, agree):
    """`elsewhere` is the same computation on the other prompt."""
    tokens = find_one(lesson.difference, "tokens")
    again = replace(lesson.difference, {tokens: placeholder("other.tokens", (lesson.seq,), torch.long)})
    agree(evaluate(again, lesson.both), other.difference(lesson.data))
    agree(evaluate(lesson.elsewhere, lesson.both), other.difference(lesson.data))
