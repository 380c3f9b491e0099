"""Judges the exercises of day 1, part 4, a transformer as a graph."""

import itertools
import re
from dataclasses import dataclass, field, replace

import torch

from remix_utils.checks.exercise import Wrong, edit, edits, exercise, instead, quiz
from remix_utils.checks.graph_cases import (
    Graph,
    outcome,
    rewritten,
    terms,
    values,
    weighed,
    weights_of,
)
from remix_utils.checks.questions import name, number, option
from remix_utils.checks.random_graphs import Draw
from remix_utils.checks.small_transformers import random_weights
from remix_utils.checks.transformer_cases import CLOSE, said, transformers
from remix_utils.circuits.stream import components
from remix_utils.errors import MatchError, kind_of
from remix_utils.graph.equality import random_inputs
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Node
from remix_utils.graph.ops import array, einsum, placeholder

from .small_networks import hooks_on

SIZES = "The check uses transformers of 1 to 3 layers and 2 to 4 heads: read these off the graph."


def node_use(answer, graph, *arguments):
    """Returns the value of the node that the answer makes."""
    return said(graph, rewritten(answer, graph, *arguments))


def some_heads(seed):
    """Returns heads with both indices, in first, middle and last layers."""
    two, three = transformers(seed, 2, 3)
    return [(two, 0, 1), (two, 1, 0), (three, 1, 1), (three, 2, 0)]

# --- one head -------------------------------------------------------------------------------------

OUT = 'find_one(parts, f"blocks.{layer}.attn.head.{head}.out")'
LAYER_OUT = 'find_one(graph, f"blocks.{layer}.attn_out")'

exercise("d1.4.1", cases=some_heads, use=node_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(OUT, f'add({OUT}, find_one(graph, f"blocks.{{layer}}.attn.b_O"))',
             says="The layer's bias b_O is included. It is added once per layer and belongs to no "
                  "head."),
        edit(OUT, f"add({LAYER_OUT})", says="This is the whole layer: all its heads and the bias."),
        edit("{layer}", "{[1, 0, 0][layer]}", times=2,
             says="The head is right and the layer is wrong."),
        edit("{layer}", "0", times=2,
             says="This is a head of layer 0, whatever the layer. Use `layer`."),
        edit("{head}", "{1 - head}", says="This is another head of the layer. Use `head`."),
        edit(OUT, 'index(find_one(graph, f"blocks.{layer}.attn.z"), (slice(None), head))',
             says="This is z [seq, d_head], the head's weighted average of values. Multiply it by "
                  "W_O."),
        edit(OUT, f"index({LAYER_OUT}, head)",
             says="This is one row of the layer's output. attn_out has no axis of heads, because "
                  "it is their sum. Split that sum first."),
        edit(OUT, 'add(find_one(parts, f"blocks.{layer}.attn.head.{1 - head}.out"), '
                  'find_one(graph, f"blocks.{layer}.attn.b_O"))',
             says="These are all the other heads of the layer. Find this one head."),
        edit('    parts = split(graph, f"blocks.{layer}.attn_out", "head")\n',
             "    parts = graph\n",
             says="No node is one head's output yet. Split the layer's attn_out into heads first."),
    ],
    right=[
        """
        def head_output(graph, layer, head):
            z = index(find_one(graph, f"blocks.{layer}.attn.z"), (slice(None), head))
            W_O = index(find_one(graph, f"blocks.{layer}.attn.W_O"), head)
            return einsum("seq d_head, d_head d_model -> seq d_model", z, W_O)
        """,
    ],
    hints=[
        ("Help, I can't find a node for one head", "There's none yet. `attn_out` is one einsum "
         "that sums over all heads. Make it a sum of terms first."),
        ("Help, how do I split?", '`split(graph, name, "head")` gives a new graph, in which the '
         "node of that name is an add with one term for each head. Print it with `show(...)`, a "
         "few levels deep."),
        ("Help, almost the code", '`parts = split(graph, f"blocks.{layer}.attn_out", "head")`, and '
         'then `find_one` of `f"blocks.{layer}.attn.head.{head}.out"` in `parts`, not in `graph`.'),
    ],
)

PATTERNS = 'find_one(graph, f"blocks.{layer}.attn.pattern")'
PATTERN = f'index({PATTERNS}, head, name=f"pattern {{layer}}.{{head}}")'
SCORES = 'index(find_one(graph, f"blocks.{layer}.attn.scores"), head)'

exercise("d1.4.2", cases=some_heads, use=node_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(PATTERN, SCORES,
             says="These are the scores, before softmax and before later tokens are masked."),
        edit(PATTERN, f'apply("softmax", {SCORES})',
             says="The softmax was taken of scores without a mask, so it includes later tokens. "
                  "Use the pattern node, which is masked."),
        edit(PATTERN, f'einsum("query key -> key query", index({PATTERNS}, head))',
             says="Rows and columns are swapped. A row belongs to a query, and it sums to 1."),
        edit(PATTERN, f'einsum("head query key, head -> query key", {PATTERNS}, '
                      f"array(torch.full(({PATTERNS}.shape[0],), 1 / {PATTERNS}.shape[0])))",
             says="This is the mean over the heads of the layer. Take one head."),
        edit(PATTERN, f"index({PATTERNS}, (slice(None), head))",
             says="This is one query of every head. The first axis of the pattern is the head."),
        edit(PATTERN, f"index({PATTERNS}, ())",
             says="These are the patterns of all heads. Index the first axis."),
        edit(", head, name", ", 1 - head, name",
             says="This is another head of the layer. Use `head`."),
        edit("{layer}.attn", "0.attn",
             says="This is a head of layer 0, whatever the layer. Use `layer`."),
    ],
    right=[
        """
        def head_pattern(graph, layer, head):
            parts = split(graph, f"blocks.{layer}.attn_out", "head")
            return find_one(parts, f"blocks.{layer}.attn.head.{head}.pattern")
        """,
    ],
    hints=[
        ("Help, which node is the pattern?", "`blocks.1.attn.pattern`, of shape [head, query, "
         "key]. The scores are one step earlier, without mask and softmax."),
        ("Help, how do I take one head?", "With an index on the first axis, as in part 3. It "
         "leaves [query, key]."),
        ("Help, almost the code", "`index(find_one(graph, ...), head)`. After a split there is "
         "also a node `blocks.1.attn.head.3.pattern`; either will do."),
    ],
)

# --- from the stream to the logits ----------------------------------------------------------------

EMBED = 'find_one(graph, "embed")'
STREAM = 'find_one(graph, "ln_final").children[0]'
OWN_NORM = (
    "The final layernorm is left out, or keeps the scale of the whole stream. On the direct path, "
    "ln_final reads the embedding alone, and its scale is that of the embedding."
)

exercise("d1.4.3", cases=lambda seed: [(case,) for case in transformers(seed, 2, 3, 1)],
    use=node_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit("attn_out", "attn.z",
             says="The heads write nothing, but the biases b_O of the attention layers still do. "
                  "Ablate all of attn_out."),
        edit("*", "0",
             says="Only layer 0 is ablated. A later layer still moves information between tokens."),
        edit('"blocks.*.attn_out"', 'find(graph, "blocks.*.attn_out")[-1]',
             says="Only the last layer is ablated. The layer below it still writes."),
        edit('ablate(graph, "blocks.*.attn_out", "zero")',
             f'replace(graph, {{find_one(graph, "ln_final"): {EMBED}}})', says=OWN_NORM),
        instead(f"""
                def direct_path(graph):
                    opened = RULES["expand_layernorm"](graph, "ln_final")
                    held = find_one(opened, "ln_final.inverse")
                    return replace(opened, {{{STREAM}: {EMBED}, held: held}})
                """, says=OWN_NORM),
        edit('ablate(graph, "blocks.*.attn_out", "zero")',
             'ablate(ablate(graph, "blocks.0.attn_out", "zero"), "blocks.1.attn_out", "zero")',
             says="Only layers 0 and 1 are ablated, but the model may have more layers, or just "
                  "one. A star in the selector stands for every layer."),
        edit("blocks.*.attn_out", "embed",
             says="The embedding was ablated. Keep the embedding, and ablate the attention "
                  "layers."),
        edit('ablate(graph, "blocks.*.attn_out", "zero")',
             'add(graph, ablate(graph, "blocks.*.attn_out", "zero"), weights=[1, -1])',
             says="This is the part that attention adds. The direct path is the rest."),
        edit('return ablate(graph, "blocks.*.attn_out", "zero")', "return graph",
             says="Nothing has changed: this is the node that was given."),
    ],
    right=[
        f"def direct_path(graph):\n    return replace(graph, {{{STREAM}: {EMBED}}})",
        """
        def direct_path(graph):
            written = find(graph, "blocks.*.attn_out")
            return replace(graph, {node: array(torch.zeros(node.shape)) for node in written})
        """,
    ],
    hints=[
        ("Help, which nodes must not write?", "Everything that attention adds to the stream, its "
         "heads and its bias b_O too. One node in each layer holds both."),
        ("Help, how do I reach all layers?", "A star in a selector stands for anything: "
         '`"blocks.*.attn_out"`.'),
        ("Help, almost the code", '`ablate(graph, selector, "zero")` puts zeros in place of the '
         "selected nodes. The final layernorm stays as it is, and reads the remaining stream."),
    ],
)


def parts_of_streams(seed):
    """Returns heads, the embedding and a constant, in transformers of two depths."""
    cases = []
    for case in transformers(seed, 2, 3):
        nodes = components(case.node)
        names = ("blocks.1.attn.head.0.out", "embed", "blocks.0.attn.head.1.out")
        chosen = [nodes[key] for key in names]
        numbers = torch.Generator().manual_seed(seed)
        chosen.append(array(torch.randn(case.seq, 8, generator=numbers), "some part"))
        cases += [(case, node) for node in chosen]
    return cases


OWN_SCALE = (
    "The part is divided by a scale of its own, as if it were the whole stream, so the parts do "
    "not sum to the logits. Hold the scale of the whole stream: map ln_final.inverse to itself."
)
BIAS = "The bias of ln_final is in every part, and would be counted once for each. Put zeros there."
SUBSTITUTED = (
    "replace(opened, {stream: part, inverse: inverse, "
    'bias: array(torch.zeros(bias.shape), "zeros")})'
)
BY_WEIGHTS = """
def direct_logits(graph, part):
    norm = find_one(graph, "ln_final")
    stream, weight, _ = norm.children
    inverse = apply("reciprocal", apply("layernorm_scale", stream))
    centre = array(torch.eye(stream.shape[-1]) - 1 / stream.shape[-1])
    pattern = "seq d, d e, seq one, e, e vocab -> seq vocab"
    return einsum(pattern, part, centre, inverse, weight, find_one(graph, "unembed.W_U"))
"""


def by_weights(old, new):
    """Returns the answer from the weights, with one of its steps left out."""
    assert BY_WEIGHTS.count(old) == 1
    return BY_WEIGHTS.replace(old, new)


exercise("d1.4.4", cases=parts_of_streams, use=node_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(" inverse: inverse,", "", says=OWN_SCALE),
        edit(', inverse: inverse, bias: array(torch.zeros(bias.shape), "zeros")', "",
             says=f"{OWN_SCALE} {BIAS}"),
        edit(', bias: array(torch.zeros(bias.shape), "zeros")', "", says=BIAS),
        edit(SUBSTITUTED,
             'einsum("seq d, d vocab -> seq vocab", part, find_one(graph, "unembed.W_U"))',
             says="ln_final is left out: its centring, its scale and its weight."),
        instead(by_weights("inverse, weight, find",
                           "array(torch.ones(part.shape[0], 1)), weight, find"),
                says="The scale is left out. Divide by the scale of the whole stream."),
        instead(by_weights("- 1 / stream.shape[-1]", "- 0"),
                says="The part is not centred. Layernorm subtracts the mean over d_model."),
        instead(by_weights("inverse, weight,", "inverse, array(torch.ones(weight.shape)),"),
                says="The weight of ln_final is left out."),
        edit(SUBSTITUTED, "add(graph, replace(graph, {stream: add(stream, part, "
                          "weights=[1, -1])}), weights=[1, -1])",
             says="This is the difference that removing the part makes, and then the scale changes "
                  "too. Hold the scale."),
        edit(SUBSTITUTED, "add(graph)", says="These are the logits of the whole stream."),
    ],
    right=[BY_WEIGHTS],
    hints=[
        ("Help, layernorm isn't linear", "All of its steps are linear except the division by a "
         'scale that depends on the whole stream. Expand it with `RULES["expand_layernorm"](graph, '
         '"ln_final")`, and look at the result with `show`.'),
        ("Help, how do I hold the scale?", "`replace(graph, {old: new})` makes all substitutions "
         "at once. Nothing inside the new nodes is replaced again, so a node that is mapped to "
         "*itself* still reads the old stream."),
        ("Help, almost the code", "Three entries in one `replace` of the expanded graph. The "
         'stream, `find_one(graph, "ln_final").children[0]`, becomes the part. `ln_final.inverse` '
         "stays itself. `ln_final.b` becomes zeros of its shape."),
    ],
)

# --- patching and ablating heads ------------------------------------------------------------------


def some_senders(seed):
    """Returns heads of first, middle and last layers; those of the last have only a direct path."""
    two, three = transformers(seed, 2, 3)
    return [(two, 0, 1), (two, 1, 0), (three, 1, 1), (three, 0, 0)]


def path_use(answer, graph, layer, head):
    return node_use(answer, graph, layer, head, placeholder("other", (graph.seq,), torch.long))


EVERY_READER = (
    "Every reader of the head gets its value on the other tokens, the layers above included. Patch "
    "only what the logits read directly."
)
ALL_HEADS = "All the heads of the layer are on the other tokens. Patch one."
CLEAN = "Nothing has changed: these are the clean logits."
OTHER_HEAD = "This is another head of the layer. Use `head`."
TURNED = (
    "Everything is on the other tokens except this head's own path. That is denoising, and noising "
    "was asked for."
)
PATCHED, AVOID = 'return path_patch(graph, direct, {"tokens": other})', '.avoiding("blocks.*.ln1")'

exercise("d1.4.8", cases=some_senders, use=path_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(AVOID, "", says=EVERY_READER),
        edit('at(f"blocks.{layer}.attn.head.{head}.out")' + AVOID,
             'at("blocks.*.ln1") >> at(f"blocks.{layer}.attn.head.{head}.out")',
             says="This is the path through later heads, and a head of the last layer has none. "
                  "Select the direct path: avoid blocks.*.ln1."),
        edit("{head}", "*", says=ALL_HEADS),
        edits(("{head}", "*"), (AVOID, ""), says=f"{ALL_HEADS} {EVERY_READER}"),
        edit("graph, direct, ", 'graph, "logits", ',
             says="The whole network reads the other tokens."),
        edit(PATCHED,
             "node = find_one(graph, f\"blocks.{layer}.attn.head.{head}.out\")\n"
             "    there = path_patch(node, node, {\"tokens\": other})\n"
             "    whole = path_patch(graph, \"logits\", {\"tokens\": other})\n"
             "    return update(whole, at(\"ln_final\").child(0), "
             "lambda x: add(x, node, there, weights=[1, 1, -1]))", says=TURNED),
        edit(PATCHED, "return graph", says=CLEAN),
        edit(PATCHED,
             "node = find_one(graph, f\"blocks.{layer}.attn.head.{head}.out\")\n"
             "    there = path_patch(node, node, {\"tokens\": other})\n"
             "    return add(graph, direct_logits(graph, there), direct_logits(graph, node), "
             "weights=[1, 1, -1])",
             says="The scale of ln_final is that of the clean run. The nodes above the head are "
                  "computed again: use path_patch."),
        edit("{head}", "{1 - head}", says=OTHER_HEAD),
        edit('    graph = split(graph, "blocks.*.attn_out", "head")\n', "",
             says="No node is one head's output yet. Split blocks.*.attn_out into heads first."),
        edit("blocks.*.ln1", "blocks.1.ln1",
             says="Only the heads of layer 1 are avoided. Avoid those of every layer above: "
                  "blocks.*.ln1."),
        edit("blocks.*.ln1", "blocks.*.resid_pre",
             says="Nothing is selected for some heads, because the direct path itself passes the "
                  "stream between the layers. Avoid the layernorms through which later layers "
                  "read: blocks.*.ln1."),
        edit("blocks.*.ln1", "blocks.*.attn_out",
             says="Nothing is selected, because the head's own attn_out lies on every path to it. "
                  "Avoid the layernorms through which later layers read: blocks.*.ln1."),
    ],
    right=[
        """
        def head_to_logits(graph, layer, head, other):
            parts = split(graph, f"blocks.{layer}.attn_out", "head")
            node = find_one(parts, f"blocks.{layer}.attn.head.{head}.out")
            there = path_patch(node, node, {"tokens": other})
            swapped = lambda x: add(x, node, there, weights=[1, -1, 1], name=x.name)
            return update(graph, at("ln_final").child(0), swapped)
        """,
    ],
    hints=[
        ("Help, the layer above changes too", '`at("blocks.0.attn.head.3.out")` selects every path '
         "to that node: the direct one, and those through the heads of layer 1. Select the paths "
         "that avoid something."),
        ("Help, which node should the paths avoid?", "A later layer reads the stream through its "
         "own `ln1`. The direct path passes through none of these."),
        ("Help, almost the code", 'Split the heads. `direct = at(...).avoiding("blocks.*.ln1")`. '
         'Then `path_patch(graph, direct, {"tokens": other})`.'),
    ],
)


def ablations(seed):
    """Returns a case for each ablation; for resampling all rows are equal, so draws are too."""
    two, three = transformers(seed, 2, 3, rows=3)
    alike = {**three.inputs, "tokens": three.tokens[:1].expand(3, -1).clone()}
    ways = (two, "zero"), (two, "mean"), (replace(three, inputs=alike), "resample")
    return [(case, how, {"tokens": case.inputs["other"]}) for case, how in ways]


MORE_HEADS = (
    "The graph has fewer heads than the lesson's model, and HEADS lists sixteen. Ask the graph "
    'which heads it has: find(graph, "blocks.*.attn.head.*.out").'
)


def names_no_head_of(config, text):
    """Checks whether the first head in a text is one that a transformer of these sizes lacks."""
    named = re.search(r"blocks\.(\d+)\.attn\.head\.(\d+)", text)
    layer, head = map(int, named.groups()) if named else (0, 0)
    return layer >= config.n_layers or head >= config.n_heads


def sweep_use(answer, graph, how, data):
    try:
        result = answer(graph.node, how, data)
    except MatchError as error:
        if names_no_head_of(graph.network.config, str(error)):
            raise Wrong(MORE_HEADS) from error
        raise
    if not isinstance(result, dict):
        raise Wrong(f'It gives a {type(result).__name__}, expected a dict from "0.3" to the graph '
                    "without head 0.3.")
    for key, node in result.items():
        if not isinstance(key, str) or type(node) is not Node:
            raise Wrong(f"It gives a dict from {kind_of(key)} to {kind_of(node)}, expected one "
                        'from a text such as "0.3" to a node, the graph without that head.')
    found = evaluate(list(result.values()), {"tokens": graph.tokens})
    if how == "resample":
        found = [value[value.flatten(1).sum(1).argsort()] for value in found]
    return dict(zip(result, found, strict=True))


FOUND = 'found[f"{layer}.{head}"] = ablate(graph, node, how, data)'

exercise("d1.4.7", cases=ablations, use=sweep_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit("node, how, data", 'node, "zero"',
             says="The heads are set to zero for every value of `how`. Pass `how` on."),
        edit("node, how, data", 'node, "mean" if how == "resample" else how, data',
             says="The heads are set to their mean even if `how` is \"resample\". Pass `how` on."),
        edit(FOUND, f"""
        if how == "mean":
            mean = evaluate(node, data).mean((0, 1)).expand(node.shape)
            found[f"{{layer}}.{{head}}"] = replace(graph, {{node: array(mean.clone())}})
        else:
            {FOUND}""",
             says="The mean is taken over positions too. A head has a mean for each position."),
        edit("ablate(graph, node, how, data)",
             'ablate(graph, f"blocks.{layer}.attn.head.*.out", how, data)',
             says="Every graph lacks all the heads of a layer. Ablate one head."),
        edit(FOUND, f"graph = {FOUND}".replace("graph, node", 'graph, node.name'),
             says="The ablations pile up: every graph also lacks the heads before it. Ablate each "
                  "head in the graph as it was."),
        edit("blocks.*.attn.head", "blocks.0.attn.head",
             says="Only the heads of layer 0 are there."),
        edit('f"{layer}.{head}"', "node.name",
             says='The keys are not of the form "layer.head", such as "0.3".'),
        edit("{layer}.{head}", "{head}.{layer}", says="Layer and head are swapped in the keys."),
        instead("""
                def ablate_each_head(graph, how, data=None):
                    graph = split(graph, "blocks.*.attn_out", "head")
                    names = {f"{l}.{h}": f"blocks.{l}.attn.head.{h}.out" for l, h in HEADS}
                    return {key: ablate(graph, name, how, data) for key, name in names.items()}
                """,
                says=MORE_HEADS),
        edit("return found", "return list(found.values())", says="expected a dict from"),
    ],
    right=[
        """
        def ablate_each_head(graph, how, data=None):
            graph, layer, found = split(graph, "blocks.*.attn_out", "head"), 0, {}
            while find(graph, f"blocks.{layer}.attn_out", missing="ok"):
                for head in range(len(find(graph, f"blocks.{layer}.attn.head.*.out"))):
                    name = f"blocks.{layer}.attn.head.{head}.out"
                    found[f"{layer}.{head}"] = ablate(graph, name, how, data)
                layer += 1
            return found
        """,
    ],
    hints=[
        ("Help, a layer disappears", "One `attn_out` stands for all heads of a layer. Split all of "
         "them first."),
        ("Help, how do I go through the heads?", '`find(graph, "blocks.*.attn.head.*.out")` lists '
         "the nodes. If you split a name at its dots, item 1 is the layer and item 4 is the head."),
        ("Help, almost the code", 'In a loop: `found[f"{layer}.{head}"] = ablate(graph, node, how, '
         "data)`, always of the same `graph`."),
    ],
)

# --- paths ----------------------------------------------------------------------------------------


def read_by(norm, x, stream):
    """Returns a part of a stream, centred, over the scale of the whole, without the bias."""
    scale = (stream.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
    return (x - x.mean(-1, keepdim=True)) / scale * norm.w


def through(case, seen, layer, head, x):
    """Returns the output of a head for a part of the stream that it reads, its pattern held."""
    block = case.network.blocks[layer]
    value = read_by(block.ln1, x, seen[f"blocks.{layer}.resid_pre"]) @ block.attn.W_V[head]
    return seen[f"blocks.{layer}.attn.pattern"][:, head] @ value @ block.attn.W_O[head]


def path_values(case):
    """Returns what each path from the embedding adds to the logits, by its heads."""
    seen, network = case.watched(), case.network
    heads = list(itertools.product(range(len(network.blocks)), range(network.config.n_heads)))
    found = {(): seen["embed"]}
    for layer, head in heads:
        below = {path: x for path, x in found.items() if not path or path[-1][0] < layer}
        for path, x in below.items():
            found[*path, (layer, head)] = through(case, seen, layer, head, x)
    stream = seen[f"blocks.{len(network.blocks) - 1}.resid_post"]
    normed = {path: read_by(network.ln_final, x, stream) for path, x in found.items()}
    return {path: network.unembed(x) for path, x in normed.items()}


def has(parts, value):
    return any(torch.allclose(part, value, rtol=1e-3, atol=1e-3) for part in parts)


def require_paths(case, parts):
    """Checks that every path from the embedding is a term; a missing one shows the missing step."""
    wanted = path_values(case)
    missing = [path for path, value in wanted.items() if not has(parts, value)]
    if not missing:
        return
    if () in missing:
        raise Wrong("The embedding's own path to the logits isn't a term: ln_final is still whole, "
                    "or its scale is not held. Expand it with RULES['expand_layernorm'].")
    of_one_head = [path for path in missing if len(path) == 1]
    if any(has(parts, layer_sum(wanted, path)) for path in of_one_head):
        raise Wrong("A term is a whole layer, and not one head. Split attn_out into heads first.")
    title = " > ".join(["embed", *(f"{layer}.{head}" for layer, head in missing[0]), "logits"])
    raise Wrong(f"The path {title} isn't a term, because the heads' inputs have not been "
                "expanded. Expand every ln1, and give all terms of a sum its whole shape.")


def layer_sum(wanted, path):
    layer = path[0][0]
    return sum(value for other, value in wanted.items() if len(other) == 1 and other[0][0] == layer)


def expansion_use(answer, graph):
    result = rewritten(answer, graph)
    if result.op.kind != "add":
        raise Wrong(f"The result is an {result.op.kind}, expected an add with one term for each "
                    "path.")
    found = outcome(graph, result)
    if torch.allclose(found["the value"], values(graph, graph.node)[0], atol=CLOSE, rtol=CLOSE):
        require_paths(graph, weighed(graph, terms(result)))
        own_terms = list(zip(result.children, weights_of(result), strict=True))
        parts = weighed(graph, own_terms)
        if not all(has(parts, value) for value in path_values(graph).values()):
            raise Wrong("Some paths are terms of an add inside the add. Put all of them into one.")
    return found


exercise("d1.4.5", cases=lambda seed: [(case,) for case in transformers(seed, 2, 1)],
    use=expansion_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit('    graph = split(graph, "blocks.*.attn_out", "head")\n', "",
             says="A term is a whole layer, and not one head. Split attn_out into heads first."),
        edit('at("*.ln1") | at("ln_final")', 'at("ln_final")', says="Expand every ln1"),
        edit(' | at("ln_final")', "",
             says="expand_paths finds a single path, because ln_final is still whole. Expand it."),
        instead("def path_terms(graph):\n    return add(graph)",
                says="The embedding's own path to the logits isn't a term"),
        instead("""
                def path_terms(graph):
                    parts = list(path_expansion(graph).values())
                    return add(add(*parts[1:]), parts[0])
                """,
                says="Some paths are terms of an add inside the add. Put all of them into one."),
        instead("""
                def path_terms(graph):
                    parts = path_expansion(graph)
                    return add(*[node for path, node in parts.items() if path[0] == "embed"])
                """,
                says="The paths that start at biases are missing: the terms do not sum to the "
                     "logits. Keep every term of the expansion."),
    ],
    right=[
        """
        def path_terms(graph):
            return add(*path_expansion(graph).values(), name="logits")
        """,
    ],
    hints=[
        ("Help, I get only one path", "A path goes through sums and products. A node that's still "
         "in one piece, such as a layernorm or the heads of a layer, blocks it."),
        ("Help, in which order?", "Split all `attn_out`. Expand all layernorms: `at(\"*.ln1\") | "
         'at("ln_final")` selects them. Then expand the paths.'),
        ("Help, almost the code", '`RULES["expand_layernorm"](graph, selector)`, and then '
         '`RULES["expand_paths"](graph, "logits")`, which holds patterns and scales by itself.'),
    ],
)


@dataclass(frozen=True)
class Heads(Graph):
    """Holds two heads in a row on a random stream, where the second reads the first."""

    stream: Node = field(kw_only=True)
    first: tuple[Node, Node] = field(kw_only=True)
    second: tuple[Node, Node] = field(kw_only=True)

    @property
    def __name__(self):
        seq, width = self.stream.shape
        return f"two random heads in a row, {seq} positions, d_model {width}"


def two_heads(seed):
    """Returns a stream, and pairs (pattern, OV) in which no two matrices are equal."""
    cases = []
    move = "query key, key from, from to -> query to"
    for seq, width in ((4, 3), (3, 5), (4, 4)):
        draw = Draw(seed + seq * width)
        stream = draw.x(seq, width)
        first, second = ((draw.x(seq, seq), draw.array(width, width)) for _ in range(2))
        written = einsum(move, first[0], stream, first[1])
        whole = einsum(move, second[0], written, second[1], name="two heads")
        inputs = random_inputs([whole], seed)
        cases.append((Heads(whole, inputs, stream=stream, first=first, second=second),))
    return cases


def heads_use(answer, heads):
    made = answer(heads.first, heads.second)
    if not isinstance(made, tuple | list) or [type(node) for node in made] != [Node, Node]:
        raise Wrong("Expected two nodes: the pattern [query, key] and the OV circuit "
                    "[d_model, d_model].")
    pattern, ov = made
    seq, width = heads.stream.shape
    shapes = [list(node.shape) for node in made]
    if shapes != [[seq] * 2, [width] * 2]:
        wanted = f"{[seq] * 2} for the pattern and {[width] * 2} for OV"
        raise Wrong(f"The shapes are {shapes[0]} and {shapes[1]}, expected {wanted}.")
    return dict(zip(("the pattern", "OV"), values(heads, pattern, ov), strict=True))


ORDER = (
    "The second head attends from the query to a position in the middle, and the first head from "
    "there to the key. Write the pattern with the words query, middle and key."
)
SWAP_PATTERNS = "second[0], first[0]", "first[0], second[0]"
SWAP_OVS = "first[1], second[1]", "second[1], first[1]"

exercise("d1.4.6", cases=two_heads, use=heads_use,
    mistakes=[
        edits(SWAP_PATTERNS, says=f"The patterns are in the wrong order. {ORDER}"),
        edits(SWAP_OVS,
              says="The OV circuits are in the wrong order. The first head's circuit comes first."),
        edits(SWAP_PATTERNS, SWAP_OVS, says=f"Both products are in the wrong order. {ORDER}"),
        edit("query middle, middle key -> query key", "query key, query key -> query key",
             says="The patterns are multiplied entry by entry. Attending in two steps is a matrix "
                  "product."),
        edit("from middle, middle to -> from to", "from to, from to -> from to",
             says="The OV circuits are multiplied entry by entry. One map after the other is a "
                  "matrix product."),
        edit("-> query key", "-> key query",
             says="The pattern is transposed. Its rows are queries."),
        edit("return pattern, circuit", "return second", says="This is the second head alone."),
        edit("return pattern, circuit", "return first", says="This is the first head alone."),
        edit("return pattern, circuit", "return pattern", says="Expected two nodes"),
    ],
    right=[
        """
        def virtual_head(first, second):
            (near, into), (far, out) = second, first
            return [einsum("qm,mk->qk", near, far), einsum("ab,bc->ac", out, into)]
        """,
    ],
    hints=[
        ("Help, which head comes first?", "The first head runs first, in a lower layer. But a "
         "pattern is read from the query. The *second* head attends from the query to a position "
         "in the middle, and the first head has moved a vector there from the key."),
        ("Help, in which order do I multiply the OV circuits?", "Start at the key. Its vector is "
         "multiplied by the first head's OV, and then by the second head's."),
        ("Help, almost the code", 'Two einsums. `"query middle, middle key -> query key"` takes '
         "the second head's pattern and then the first's. The other one has the words from, middle "
         "and to: whose OV is its first factor?"),
    ],
)

# --- hooks ----------------------------------------------------------------------------------------


def recorded(seed):
    """Returns networks, tokens, the lesson's records of a clean and another run, and heads."""
    cases = []
    for case, layer, head in some_senders(seed):
        runs = [kept(case, case.inputs[key]) for key in ("tokens", "other")]
        cases.append((case.network, case.tokens, *runs, layer, head))
    return cases


def kept(case, tokens):
    seen = case.watched(tokens)
    return {key: value for key, value in seen.items() if key.endswith((".attn.z", ".attn_out"))}


def hooks_use(answer, network, tokens, clean, corrupted, layer, head):
    logits = answer(network, tokens, clean, corrupted, layer, head)
    if hooks_on(network):
        raise Wrong(f"{hooks_on(network)} hooks are still on the network. `with hooked(...)` "
                    "removes its own.")
    return logits


HELD = ' and int(name.split(".")[1]) > layer'
SWAPPED = "values[z][:, :, head] = corrupted[z][:, :, head]"

exercise("d1.4.9", cases=recorded, use=hooks_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(HELD, " and False", says=EVERY_READER),
        edit("> layer", "== layer + 1",
             says="Only the next layer is restored. Every later layer reads the head."),
        edit(SWAPPED, "values[z] = corrupted[z]", says=ALL_HEADS),
        edits((HELD, " and False"), (SWAPPED, "values[z] = corrupted[z]"),
              says=f"{ALL_HEADS} {EVERY_READER}"),
        edit("= corrupted[z]", "= clean[z]", says=CLEAN),
        edit("> layer", ">= layer", says=CLEAN),
        edit("[:, :, head]", "[:, :, 1 - head]", times=2, says=OTHER_HEAD),
        edits(("clean.items()", "corrupted.items()"), ("clean[z].clone()", "corrupted[z].clone()"),
              ("= corrupted[z][", "= clean[z]["), says=TURNED),
        edit("[:, :, head]", "[:, head]", times=2,
             says="This exchanges a position. z is [batch, seq, head, d_head]: the head is its "
                  "third axis."),
        edit("value=value: value", "*more: values[z]",
             says="Every layer gets the last value of the loop, or one of the wrong shape. Bind "
                  "the value in the lambda: value=value."),
        edit("        return network(tokens)",
             "        network.ln_final.register_forward_hook(lambda layer, inputs, out: None)\n"
             "        return network(tokens)", says="hooks are still on the network."),
        edit(".clone()", "", says="the function changes its input: clean"),
    ],
    right=[
        """
        def by_hooks(network, tokens, clean, corrupted, layer, head):
            z = f"blocks.{layer}.attn.z"
            change = (corrupted[z] - clean[z])[:, :, head] @ network.blocks[layer].attn.W_O[head]
            written = sum(value for name, value in clean.items() if name.endswith("attn_out"))
            return network.unembed(network.ln_final(network.embed(tokens) + written + change))
        """,
    ],
    hints=[
        ("Help, the layer above changes too", "A hook changes the value for every reader. As in "
         "part 1: corrupt the value for all readers, and then restore what should not have "
         "changed."),
        ("Help, what has to be restored?", "The output of every later layer: its `attn_out`, as it "
         "was in the clean run. For a head of the last layer there is nothing to restore."),
        ("Help, almost the code", "A clone of the clean z, with `[:, :, head]` from the corrupted "
         "one. Keep a dict from the name of each layer to its new value. `ExitStack` holds any "
         "number of `hooked(...)`, each added with `hooks.enter_context(...)`. A lambda in a loop "
         "needs `value=value`."),
    ],
)

# --- weights --------------------------------------------------------------------------------------


def some_weights(seed):
    """Returns heads of both layers, of two networks."""
    drawn = [random_weights(seed + place, d_mlp=0) for place in (0, 1)]
    return [(drawn[0], 0, 1), (drawn[0], 1, 0), (drawn[1], 1, 1)]


def circuits_use(answer, weights, layer, head):
    made = answer(weights, layer, head)
    if not isinstance(made, tuple | list | torch.Tensor) or len(made) != 2:
        raise Wrong(f"It gives {kind_of(made)}, expected two tensors: QK, and then OV.")
    return dict(zip(("QK", "OV"), made, strict=True))


QK, SCALE, OV = "return qk, ", " / W_Q.shape[1] ** 0.5", "embed @ W_V @ W_O @ unembed"

exercise("d1.4.10", cases=some_weights, use=circuits_use, tolerance=1e-4,
    sizes="The check uses weights of other sizes: read d_head off W_Q.",
    mistakes=[
        edit(SCALE, "", says="QK is not scaled. A score is divided by the square root of d_head."),
        edit(" ** 0.5", "", says="You divided by d_head. Divide by its square root."),
        edit("W_Q.shape[1]", "W_Q.shape[0]",
             says="You divided by the square root of d_model. Queries and keys have d_head "
                  "entries."),
        edit("W_Q.shape[1]", "32",
             says="You divided by the square root of 32. Read d_head off W_Q."),
        edit(QK, "return qk.T, ",
             says="QK is transposed. A row is the query's token, a column the key's."),
        edit(OV, f"({OV}).T",
             says="OV is transposed. A row is the token that is attended to, a column the logit."),
        edits((QK, "return qk.T, "), (OV, f"({OV}).T"),
              says="Both are transposed. Rows are the query's token in QK, and the token attended "
                   "to in OV."),
        edit(f"return qk, {OV}", f"return {OV}, qk", says="These are OV and QK. Return QK first."),
        edit(OV, f"{OV}{SCALE}",
             says="OV is scaled too. The scores alone are divided by the square root of d_head."),
        edit(OV, "embed @ W_V @ W_O @ embed.T",
             says="OV ends in the embedding, transposed. The logits are computed with W_U."),
        edit(OV, "embed @ W_V @ W_O", says="OV ends in the residual stream. Multiply by W_U."),
        edit("{layer}", "0",
             says="The weights are those of layer 0, whatever the layer. Use `layer`."),
        edit("[head]", "[1 - head]", says="These are the weights of another head. Use `head`."),
        edits(("(embed @ W_Q) @ (embed @ W_K).T", "W_Q @ W_K.T"), (OV, "W_V @ W_O"),
              says="These are the circuits in the residual stream [d_model, d_model]. Put the "
                   "tokens at both ends."),
    ],
    right=[
        """
        def token_circuits(weights, layer, head):
            q, k, v, o = (weights[f"blocks.{layer}.attn.W_{letter}"][head] for letter in "QKVO")
            e, u = weights["embed.W_E"], weights["unembed.W_U"]
            qk = torch.einsum("ad,dh,eh,be->ab", e, q, k, e) / q.shape[1] ** 0.5
            return qk, torch.einsum("ad,dh,he,eb->ab", e, v, o, u)
        """,
    ],
    hints=[
        ("Help, where do the tokens come in?", "At both ends. In QK a row of `W_E` is a query and "
         "another one is a key. In OV a row of `W_E` is the input, and `W_U` turns the output into "
         "logits."),
        ("Help, which factor is transposed?", "A score is $q \\cdot k$, so the key's factor is "
         "transposed, as in $(W_E W_Q)(W_E W_K)^T$. It's divided by the square root of d_head."),
        ("Help, almost the code", "`W_Q` of the head is "
         '`weights[f"blocks.{layer}.attn.W_Q"][head]` [d_model, d_head]. OV is `W_E @ W_V @ W_O @ '
         "W_U`, four matrices in the order in which a vector meets them."),
    ],
)

quiz("d1.4.quiz",
    bias=name(says="Which weight is added once for each layer, and belongs to no head?",
              also=("the bias b_O", "attention bias", "blocks.0.attn.b_O",
                    "blocks.1.attn.b_O", "blocks.*.attn.b_O", "attn.b_O", "bias", "output bias")),
    held=option("the mean", "the scale", "the weight", "the bias",
                says="One step of layernorm depends on the whole stream in a way that is not "
                     "linear. Which?"),
    paths=number(says="In each of the two layers, a path passes through no head or one of eight."),
    virtual=option("A B", "B A", says="Start at the query. The second head attends from there."),
    direct=number(says="The head's direct path to the logits passes through no other head. Whose "
                       "pattern could change?"),
    hints=[
        ("Help, the bias and the scale", "In d1.4.1, which term of attn_out belonged to no head? "
         "In d1.4.4, which node did you map to itself?"),
        ("Help, the paths", "In each layer a path passes through no head or one of eight. How many "
         "choices is that in one layer, and how many in two?"),
        ("Help, the heads in a row", "If you start at the query, which head's pattern do you need "
         "first? In d1.4.8, which heads lie on a path that avoids every later layernorm?"),
    ],
)
