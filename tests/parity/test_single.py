"""A GPT-2 as the lessons load it, in single precision, beside transformers' model in double precision."""

import pytest
import torch

from remix_utils import at, circuits, evaluate, find_one, models, path_patch, placeholder, split
from remix_utils.tasks import ioi
from tests.parity.patches import held, parts

CLOSE = 1e-4


@pytest.fixture(scope="module")
def frame(tiny):
    """The model, prompts of every template in both orders, and the same prompts about three others."""
    model = models.load(str(tiny))
    clean = ioi.balanced(1, seed=1)
    data = ioi.dataset(clean, model.tokenizer.encode, pad=0)
    tokens = ioi.dataset(clean.abc(seed=1), model.tokenizer.encode, pad=0)["tokens"]
    seq = tokens.shape[1]
    graph = split(model.graph(seq=seq, mask=True), "blocks.*.attn_out", "head")
    return graph, data, data.columns | {"other.tokens": tokens}


def test_single_precision_is_close(frame, hooked, record_property):
    """All logits at real words, the parts of all heads, and a path patch of each head."""
    graph, data, both = frame
    clean = hooked.see(data["tokens"], data["mask"])
    abc = hooked.see(both["other.tokens"], data["mask"])
    real = data["mask"]
    off = [evaluate(graph, data)[real] - clean.logits[real]]
    answers = {"answers": data["token.IO"], "others": data["token.S"]}
    found = circuits.logit_attribution(graph, data, **answers).heads
    difference = circuits.logit_difference(graph)
    other = placeholder("other.tokens", find_one(graph, "tokens").shape, torch.long)
    blocks = at("*.attn.head.*.out") | at("*.mlp_out")
    for layer, head in circuits.head_outputs(graph):
        added = hooked.written((layer, head), clean.z((layer, head))[:, -1])
        off.append(found[:, layer, head] - hooked.onto_difference(added, clean, data))
        way = at(f"blocks.{layer}.attn.head.{head}.out").avoiding(blocks)
        patched = evaluate(path_patch(difference, way, {"tokens": other}), both)
        seen = held(hooked, clean, parts(abc, (layer, head)))
        off.append(patched - seen.difference(data))
    largest = max(float(each.abs().max()) for each in off)
    record_property("largest difference", largest)
    assert 0 < largest < CLOSE
