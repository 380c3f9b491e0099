"""How the exercises of day 1, part 2 are judged: a library for graphs, built from nothing."""

import re

import torch

from remix_utils.checks.exercise import Wrong, edit, edits, exercise, instead, quiz
from remix_utils.checks.questions import number, option
from remix_utils.errors import kind_of
from remix_utils.graph.ops import array
from remix_utils.models import digits

from .handed_in import handed_in
from .own_graphs import (
    CLASSES,
    RULES,
    Recipe,
    after_edit,
    below,
    counted,
    labels,
    rebuilt,
    recipes,
    renamed,
    require_node,
    value_of,
    values,
)
from .small_networks import networks

# --- operations -----------------------------------------------------------------------------------


def require_class(answer):
    if not isinstance(answer, type):
        raise Wrong(f"The answer is {kind_of(answer)}. Hand in the class itself.")


def tensors(seed, *shapes):
    numbers = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=numbers) for shape in shapes]


def in_full(shape):
    """A shape as text, so that a message shows its sizes and not how many there are."""
    return str(tuple(map(int, shape))) if isinstance(shape, list | tuple) else shape


def kept_array(answer, value):
    """What an Array of the value holds after its caller has changed the value."""
    require_class(answer)
    own = value.clone()
    made = answer(own)
    answer(torch.zeros(4))
    if not torch.equal(own, value):
        raise Wrong("The caller's tensor was changed. Copy it, and leave it as it is.")
    own += 1
    if not callable(made.shape):
        raise Wrong(
            "self.shape is a value, and it hides the method shape(). Keep the tensor alone."
        )
    shape = made.shape()
    if isinstance(shape, int):
        raise Wrong(f"shape() is the number {shape}. Return the sizes of all axes, as a tuple.")
    return {"shape()": in_full(shape), "run()": made.run(), "the dtype": str(made.run().dtype)}


ALIAS = "After `w += 1` the Array of w has changed, because it holds the same tensor. Keep a copy."

def constants(seed):
    return [(value,) for value in (*tensors(seed, (3,), (2, 5), ()), torch.tensor([seed, 2, 3]))]


exercise("d1.2.1", cases=constants, use=kept_array,
    mistakes=[
        edit(".clone()", "", says=ALIAS),
        edit("value.clone()", "value.detach()", says=ALIAS),
        edit("tuple(self.value.shape)", "len(self.value)",
             says="Return the sizes of all axes, as a tuple."),
        edit("value.clone()", "value.clone()\n        self.shape = tuple(value.shape)",
             says="it hides the method shape(). Keep the tensor alone."),
        edit("value.clone()", "value.double()",
             says="The copy is float64, and the tensor was float32. A product with a float32 "
                  "image would fail, so keep the dtype."),
        edit("value.clone()", "value.clone().float()",
             says="The copy is float32, and the tensor held whole numbers. Keep the dtype."),
        edit("self.value = value", "type(self).value = value",
             says="The tensor is kept by the class, so every Array holds the last one. Keep it "
                  "under self.value."),
        edit("value.clone()", "value.clone().flatten()",
             says="The copy has one axis, whatever the tensor had. Keep the tensor's shape."),
    ],
    right=[
        """
        class Array:
            kind = "array"
            shape = lambda self: list(self.value.size())
            run = lambda self: self.value

            def __init__(self, value):
                self.value = torch.tensor(value.tolist())
        """,
    ],
    hints=[
        ("Help, what should I keep?", "The tensor, under `self.value`, because `run` looks for it "
         "there. Keep nothing else: `shape` can read the sizes from it."),
        ("Help, my Array changes with w", "`self.value = value` only gives the same tensor "
         "a second name. `.clone()` makes a separate tensor with the same numbers."),
        ("Help, almost the code", "`self.value` is a clone of `value`, and `shape` returns "
         "`tuple(...)` of that tensor's own `.shape`."),
    ],
)


def sum_cases(seed):
    n = 3 + seed % 4
    shapes = [
        [(n,), (n,)], [(2, n), (n,)], [(n,), (2, 5, n)], [(n, 1), (1, 4)], [(2, 1, 4), (n, 1)],
        [(), (n,)], [(n,), (n, n + 1)], [(2, n), (2,)], [(2, n), (n,), (1,), (7, 1, 1)],
        [(n,), (1,), (n + 1,)], [(1,), (2, n), (n,)], [(n, 2), (n, 2)], [(1, 1), (1,)], [(n,)],
        [(), ()],
    ]
    groups = [[(2, 3), (2, 3), (2, 3)], [(2, 3), (3,)], [(4, 1), (3,), ()], [(5,), (5,)], [(2,)]]
    return [
        *(("shape", children) for children in shapes),
        *(("run", tensors(seed + place, *group)) for place, group in enumerate(groups)),
    ]


def added(answer, method, children):
    require_class(answer)
    before = [each.clone() for each in children] if method == "run" else []
    value = getattr(answer(), method)(*children)
    kept = all(map(torch.equal, children, before)) if before else True
    result = in_full(value) if method == "shape" else value
    return {"the result": result, "the children are as they were": kept}


TOTAL = "sum(values[1:], start=values[0])"
IN_PLACE = f"""total = values[0]
        for value in values[1:]:
            total += value
        return total
        return {TOTAL}"""
ONES = "Only equal sizes are accepted. A missing axis counts as 1, and size 1 fits every size."

exercise("d1.2.2", cases=sum_cases, use=added, raises=ValueError,
    mistakes=[
        edits(("map(reversed, shapes)", "shapes"), ("tuple(reversed(sizes))", "tuple(sizes)"),
              says="The shapes are aligned at their first axes. Align them at their last axes."),
        edit("tuple(reversed(sizes))", "tuple(sizes)",
             says="The result is in reverse order. You reversed the shapes, so reverse the result "
                  "too."),
        edit("map(reversed, shapes)", "shapes",
             says="The shapes are aligned at their first axes, and the result is in reverse order. "
                  "Reverse the shapes, and then the result."),
        edits(("if len(wide) > 1:", "if False:"), ("wide.pop()", "max(wide)"),
              says="Sizes that do not fit are accepted. Raise a ValueError where two sizes differ "
                   "and neither is 1."),
        edits(("fillvalue=1", "fillvalue=None"), ("size != 1", "size is not None"),
              says="An axis of size 1 is not stretched. It fits every size."),
        edit("sizes = []", "return max(shapes, key=len)\n        sizes = []",
             says="This is the longest shape. Work out the size of each axis on its own."),
        edit("sizes = []",
             "if len(set(shapes)) > 1:\n            raise ValueError('no')\n        sizes = []",
             says=ONES),
        edit(" if size != 1", "", says=ONES),
        edit("sizes = []", "shapes = shapes[0], shapes[-1]\n        sizes = []",
             says="Only the first and the last shape are used. A sum can have any number of "
                  "children."),
        *[edit("raise ValueError", f"raise {kind}",
               says=f"Wrong shapes raise {kind}. Raise a ValueError, which the cells below catch.")
          for kind in ("RuntimeError", "AssertionError")],
        edit(TOTAL, "values[0] + values[1]",
             says="run adds only two values. A sum can have any number of children."),
        edit(TOTAL, "sum(value.sum() for value in values)",
             says="run gives one number. Add the tensors to each other, entry by entry."),
        edit(f"return {TOTAL}", IN_PLACE,
             says="run writes the sum into its first value, and other nodes read that value too. "
                  "Make a new tensor."),
        edit(TOTAL, "torch.stack(values).sum(0)",
             says="torch.stack needs equal shapes. Add the tensors with +, which broadcasts."),
    ],
    right=[
        """
        class Add:
            kind = "add"

            def shape(self, *shapes):
                rank = max(map(len, shapes))
                total = [1] * rank
                for shape in shapes:
                    for place, size in enumerate(shape, rank - len(shape)):
                        if total[place] == 1:
                            total[place] = size
                        elif size not in (1, total[place]):
                            raise ValueError(f"axis {place} is {total[place]} and {size}")
                return total

            def run(self, *values):
                total = 0
                for value in values:
                    total = total + value
                return total
        """,
    ],
    hints=[
        ("Help, my shapes are aligned at the wrong end",
         "`zip_longest` begins at the first entries and pads at the end. Reverse the shapes "
         "first, and reverse the result."),
        ("Help, when do sizes fit?", "Ignore every 1 among the sizes of an axis. If one number is "
                                     "left, it is the size of the sum. If nothing is left, the "
                                     "size is 1. If two "
         "numbers are left, `raise ValueError(...)`."),
        ("Help, almost the code", "`for axis in itertools.zip_longest(*map(reversed, shapes), "
         "fillvalue=1)`: collect `{size for size in axis if size != 1}`, count them, and append "
         "the size. Return `tuple(reversed(sizes))`. For `run`, Python's `sum(values)` is enough."),
    ],
)


def clipped(answer, value):
    require_class(answer)
    before = value.clone()
    result = answer().run(value)
    return {
        "shape()": in_full(answer().shape(tuple(value.shape))),
        "run()": result,
        "the value is as it was": torch.equal(value, before),
    }


def relu_cases(seed):
    wide = torch.tensor([-100.0, -0.5, 0.0, 0.5, 100.0])
    return [(value,) for value in (*tensors(seed, (6,), (2, 5), ()), wide)]


exercise("d1.2.3", cases=relu_cases, use=clipped,
    mistakes=[
        edit("value.clamp(min=0)", "value.abs()",
             says="This is the absolute value. Values below 0 become 0."),
        edit("value.clamp(min=0)", "(value > 0).float()",
             says="This is 0 or 1. A value above 0 stays as it is."),
        edit("clamp(min=0)", "clamp(max=0)",
             says="This keeps the values below 0. Keep those above 0."),
        edit("clamp(min=0)", "clamp(0, 1)", says="Values above 1 are cut off. Keep them."),
        edit("clamp(min=0)", "clamp_(min=0)",
             says="run writes into the value that it is given, and other nodes read that value "
                  "too. Make a new tensor."),
        edit("value.clamp(min=0)", "value", says="Nothing has changed. Values below 0 become 0."),
        edit("value.clamp(min=0)", "value[value > 0]",
             says="The values below 0 are gone, and the shape with them. Put 0 in their place."),
    ],
    right=[
        """
        class Relu:
            kind = "relu"
            shape = lambda self, shape: list(shape)
            run = lambda self, value: value * (value > 0)
        """,
    ],
    hints=[
        ("Help, Python's max complains", "`max(value, 0)` compares whole tensors. Torch has a "
         "function that compares entry by entry."),
        ("Help, which function?", "`torch.relu`, `.clamp(min=0)` and `torch.where` all do it. The "
         "versions that end in an underscore write into the value, so avoid them."),
        ("Help, almost the code", "One line: return the result of `.clamp(...)` on the value."),
    ],
)

# --- products -------------------------------------------------------------------------------------


def patterns(seed):
    word = ["seq", "head", "digit", "layer", "token"][seed % 5]
    asked = [
        f"{word} pixel, pixel -> {word}", "hidden pixel,pixel->hidden", "i j,j k->i k",
        f"  a   {word} ,b-> a  b ", ", i -> i", "i, i ->", "x->x", " , -> ",
        "q h d, k h d -> h q k", ", a0 a_1 -> a_1 a0", "Q K K, K -> Q", "i j, j k, k -> i",
    ]
    return [(pattern,) for pattern in asked]


EMPTY = '"a  b".split(" ") has an empty word, ["a", "", "b"]. Use .split() without an argument.'

exercise("d1.2.4", cases=patterns, tolerance=0,
    mistakes=[
        edit(".split()", '.split(" ")', times=2, says=EMPTY),
        edits(("operand.split()", 'operand.strip().split(" ")'),
              ("right.split()", 'right.strip().split(" ")'),
              says='Two spaces still give an empty word, and "".split(" ") is [""]. Use .split() '
                   "without an argument."),
        edit('left.split(",")', 'left.split(", ")',
             says='A comma separates operands with or without a space after it. Split at ",".'),
        edit('split("->")', 'split(" -> ")',
             says='There may be no spaces around the arrow. Split at "->", and let .split() '
                  "remove them."),
        edits(("operand.split()", 'list(operand.replace(" ", ""))'),
              ("right.split()", 'list(right.replace(" ", ""))'),
              says="Each letter has become an axis. The name of an axis is a whole word here."),
        edit("[operand.split() for", "[list(dict.fromkeys(operand.split())) for",
             says="A word that appears twice in an operand is kept only once. Keep it twice, "
                  "because the operand has two axes with this name."),
        edit('left.split(",")', 'left.split(",", 1)',
             says="Only the first comma is read. A product has any number of operands."),
        edit('[operand.split() for operand in left.split(",")], right.split()',
             '[operand.strip() for operand in left.split(",")], right.strip()',
             says="These are whole operands. Split each of them, and the result, into words."),
        edit('[operand.split() for operand in left.split(",")]', 'left.replace(",", " ").split()',
             says="The operands are joined. Make one list of words for each operand."),
        edit('for operand in left.split(",")]',
             'for operand in left.split(",") if operand.strip()]',
             says="An operand without words is left out. It is a number, and its list is empty."),
        edit("], right.split()", "], [right.split()]",
             says="The result has one list too many around it. Return its words in one list."),
    ],
    right=[
        """
        def parse(pattern):
            *inputs, output = [side.split() for side in pattern.replace("->", ",").split(",")]
            return tuple(inputs), tuple(output)
        """,
    ],
    hints=[
        ("Help, I get empty words", '`split(" ")` cuts at every single space. `split()` cuts at '
         "any run of spaces, and gives an empty list for an empty text."),
        ("Help, in which order do I cut?", "First at the arrow. Then cut the left side at the "
         "commas, and each operand at its spaces."),
        ("Help, almost the code", '`left, right = pattern.split("->")`. The operands are '
         '`left.split(",")`. Split each of them, and `right`, once more without an argument.'),
    ],
)


def shape_cases(seed):
    n = 3 + seed % 5
    return [
        ([["hidden", "pixel"], ["pixel"]], ["hidden"], [(16, n), (n,)]),
        ([["i", "j"], ["j", "k"]], ["k", "i"], [(2, n), (n, 5)]),
        ([[], ["i", "j"]], ["i", "j"], [(), (n, 2)]),
        ([["i"], ["i"]], [], [(n,), (n,)]),
        ([["i", "i"]], ["i"], [(n, n)]),
        ([["i", "j"], ["j"]], ["i"], [(2, n), (n + 1,)]),
        ([["i", "j"], ["j"]], ["i"], [(2, n, n), (n,)]),
        ([["i", "j"], ["j"]], ["j"], [(2,), (n,)]),
        ([["i", "j"], ["j"]], ["i"], [(2, n), (1,)]),
        ([["i", "j"], ["j"]], ["i"], [(2, 1), (n,)]),
        ([["i", "j"], ["k"], ["j"]], ["i"], [(2, n), (2,), (n + 1,)]),
        ([["i", "i"], ["j"]], ["j"], [(n, n + 1), (2,)]),
        ([["i", "j"], ["j"]], ["i"], [(2, n)]),
        ([["i", "j"]], ["i"], [(2, n), (n,)]),
        ([["i", "j"], ["j"]], ["j", "i"], [(1, n), (n,)]),
        ([[], ["i"]], ["i"], [(2,), (n,)]),
    ]


OUTER, INNER = "zip(inputs, shapes, strict=True)", "zip(words, shape, strict=True)"
STORED = "sizes.setdefault(word, size) != size"
TWO_SIZES = "A word with two sizes is accepted, and its last size wins. Compare before you store."

exercise("d1.2.5", cases=shape_cases, raises=ValueError,
    use=lambda answer, inputs, output, shapes: in_full(answer(inputs, output, *shapes)),
    mistakes=[
        edits((OUTER, "zip(inputs, shapes)"), (INNER, "zip(words, shape)"),
              (STORED, "sizes.update({word: size})"),
              says="A word with two sizes is accepted, and so is a wrong number of words. Compare "
                   "sizes before you store them, and give zip strict=True."),
        edits((STORED, "sizes.update({word: size})"), says=TWO_SIZES),
        edits((INNER + ":", f"dict({INNER}).items():"),
              says="A word that appears twice in one operand may have two sizes here. Compare them "
                   "before you make a dict."),
        edit(STORED, "sizes.setdefault(word, size) not in (1, size) and size != 1",
             says="An axis of size 1 is stretched, as in a sum. In an einsum each word has one "
                  "size."),
        edits((OUTER, "zip(inputs, shapes)"), (INNER, "zip(words, shape)"),
              says="An operand with more or fewer axes than words is accepted, and so is a "
                   "missing operand. zip stops at the shorter list unless it gets strict=True."),
        edit(INNER, "zip(words, shape)",
             says="An operand with more or fewer axes than words is accepted. Give the inner zip "
                  "strict=True."),
        edit(OUTER, "zip(inputs, shapes)",
             says="A pattern of two operands accepts one shape. Give the outer zip strict=True."),
        edits((INNER, "zip(words, shape)"),
              ("        for word, size", "        if words and len(words) != len(shape):\n"
               "            raise ValueError(words)\n        for word, size"),
              says="An operand without words accepts any shape here. It is a number, so its shape "
                   "is ()."),
        edit("for word in output", "for word in sizes if word in output",
             says="The sizes come in the order of the operands. The output list gives the order."),
        *[edit("raise ValueError", f"raise {kind}",
               says=f"Two sizes of a word raise {kind}. Raise a ValueError, which the cells below "
                    "catch.")
          for kind in ("AssertionError", "KeyError", "RuntimeError")],
    ],
    right=[
        """
        def einsum_shape(inputs, output, *shapes):
            if [len(words) for words in inputs] != [len(shape) for shape in shapes]:
                raise ValueError("each operand has as many axes as words")
            pairs = {pair for words, shape in zip(inputs, shapes) for pair in zip(words, shape)}
            if len(pairs) > len({word for word, _ in pairs}):
                raise ValueError("a word has two sizes")
            return [size for word in output for name, size in pairs if name == word]
        """,
    ],
    hints=[
        ("Help, what do I need to know?", "The size of each word. Collect the sizes in a dict "
         "while you go through the operands. Then look up the words of the output, in their "
         "order."),
        ("Help, wrong shapes pass", "Look a word up before you store it, and raise if it has "
         "another size. Give both calls of `zip` the argument `strict=True`, which makes them "
         "raise a ValueError."),
        ("Help, almost the code", "`for words, shape in zip(inputs, shapes, strict=True)`, and "
         "inside `for word, size in zip(words, shape, strict=True)`. `sizes.setdefault(word, "
         "size)` stores a new size, and returns the size that is stored."),
    ],
)


def product_cases(seed):
    many = [f"axis{place}" for place in range(30)]
    thirds = [many[:10], many[10:20], many[20:]]
    equations = [
        ([["hidden", "pixel"], ["pixel"]], ["hidden"], [(4, 3), (3,)]),
        ([["head", "hidden"], ["hidden", "h"]], ["head", "h"], [(3, 3), (3, 3)]),
        ([["i", "j"], ["j", "k"]], ["k", "i"], [(3, 3), (3, 3)]),
        ([["z", "a"]], ["z", "a"], [(2, 2)]),
        ([["A", "a"], ["a"]], ["A"], [(3, 3), (3,)]),
        ([["head", "a"], ["a", "hidden"]], ["hidden", "head"], [(3, 3), (3, 3)]),
        ([["i"], ["j"]], ["i", "j"], [(2,), (3,)]),
        ([["i", "j"]], [], [(3, 2)]),
        ([["i", "i"], ["i", "j"]], ["j", "i"], [(3, 3), (3, 2)]),
        ([[], ["i"]], ["i"], [(), (4,)]),
        ([["q", "head", "d"], ["k", "head", "d"], ["k"]], ["head", "q"],
         [(2, 2, 3), (4, 2, 3), (4,)]),
        (thirds, [many[29], many[0]], [(2,) + 9 * (1,), (3,) + 9 * (1,), 9 * (1,) + (2,)]),
    ]
    return [(*words, tensors(seed, *shapes)) for *words, shapes in equations]


LETTERS = (
    "dict(zip({word: None for words in inputs for word in words}, ascii_letters, strict=False))"
)
EACH = "{{word: {} for i, word in enumerate(dict.fromkeys(w for words in inputs for w in words))}}"
INITIALS = (
    "Two words with the same first letter, head and hidden, have become one axis. Give each word a "
    "letter of its own."
)
FEW = "The letters run out after z, and a pattern may have more words. ascii_letters has 52."

exercise("d1.2.6", cases=product_cases,
    use=lambda answer, inputs, output, values: answer(inputs, output, *values),
    mistakes=[
        edit(LETTERS, EACH.format("word[0]"), says=INITIALS),
        edit(LETTERS, EACH.format("word"),
             says="The words are joined, and torch reads each of their letters as an axis. Give "
                  "each word one letter."),
        edit("->{result}", "",
             says="Without an arrow, torch decides which axes it sums. Write the output as well."),
        edit("for word in output", "for word in letter if word in output",
             says="The axes of the result are in the order of the operands. The output list gives "
                  "the order."),
        edit("letter[word] for word in words", "ascii_letters[i] for i, word in enumerate(words)",
             says="Each operand starts again at the letter a, so a word can have two letters. "
                  "Number the words of all operands together."),
        edit('"".join(letter[word] for word in words)',
             '"".join(letter[word] for word in dict.fromkeys(words))',
             says="A word that appears twice in an operand has only one letter. Write its letter "
                  "twice, "
                  "and torch takes the diagonal."),
        edit("ascii_letters", "ascii_letters[:26]", says=FEW),
        edit(LETTERS, EACH.format("ascii_letters[:26][i]"), says=FEW),
        edit(LETTERS, EACH.format("chr(97 + i)"), says=FEW),
    ],
    right=[
        """
        def contract(inputs, output, *values):
            number = {}
            for words in inputs:
                for word in words:
                    number.setdefault(word, len(number))
            parts = []
            for value, words in zip(values, inputs):
                parts += [value, [number[word] for word in words]]
            return torch.einsum(*parts, [number[word] for word in output])
        """,
        """
        def contract(inputs, output, *values):
            sizes = {}
            for words, value in zip(inputs, values):
                sizes.update(zip(words, value.shape))
            names = [*output, *(word for word in sizes if word not in output)]
            result = torch.zeros([sizes[word] for word in output])
            for spot in itertools.product(*(range(sizes[word]) for word in names)):
                at = dict(zip(names, spot))
                entries = [value[tuple(at[w] for w in own)] for own, value in zip(inputs, values)]
                result[spot[: len(output)]] += math.prod(entries)
            return result
        """,
    ],
    hints=[
        ("Help, two axes have become one", "`head` and `hidden` begin with the same letter. The "
         "letter should follow from the word's number, and not from its spelling."),
        ("Help, how do I number the words?", "Go through all words in their order, each once: the "
         "keys of a dict are unique. `zip` them with `ascii_letters`, and make a dict of the "
         "pairs."),
        ("Help, almost the code", 'With a dict `letter`, each operand is `"".join(letter[word] '
         "for word in words)`. Join the operands with commas, then write `->`, then the output's "
         "letters. Call `torch.einsum(text, *values)`."),
    ],
)

# --- building -------------------------------------------------------------------------------------


def subtracted(answer, left, right):
    make, subtract = handed_in(answer)
    below_right = make.x("right", *right.shape)
    one, two = make.x("left", *left.shape), make.relu(below_right, "relu of right")
    graph = require_node(subtract(one, two, "error"))
    known = {make.classes[name] for name in CLASSES[1:]}
    if any(type(node.op) not in known for node in below(graph)):
        raise Wrong(
            "There is a node of a new type. An Einsum with the constant -1 and an Add are enough."
        )
    return {
        "the value": value_of(graph, {"left": left, "right": right}),
        "it has the name that was given": graph.name == "error",
        "the names of both sides": [one.name, two.name],
    }


class Subtract:
    """An operation that is not needed."""

    kind = "subtract"

    def shape(self, left, right):
        return left


SIDES = (
    [(3,), (3,)], [(2, 3), (3,)], [(), ()], [(3,), (2, 3)], [(2, 3, 2), (2, 3, 2)],
    [(1, 1, 2, 1, 1, 1), (1, 1, 2, 1, 1, 1)],
)

exercise("d1.2.7", cases=lambda seed: [tuple(tensors(seed, *pair)) for pair in SIDES],
    use=subtracted,
    mistakes=[
        edits(("right.shape", "left.shape"), ("(factor, right)", "(factor, left)"),
              ("(left, minus)", "(right, minus)"),
              says="left and right are swapped. Subtract the second from the first."),
        edit("(left, minus)", "(left, minus, minus)",
             says="The right side is subtracted twice. Its product with -1 is added once."),
        edit("(left, minus)", "(left, right)",
             says="This is the sum. Multiply the right side by -1."),
        edits(("axes =", "right = Node(Add(), (left, right), 'both')\n    axes ="),
              ("(left, minus)", "(minus,)"),
              says="The left side has changed its sign too. Multiply only the right side."),
        instead(lambda left, right, name: type(left)(Subtract(), (left, right), name),
                says="There is a node of a new type."),
        edit("(left, minus), name)", "(left, minus), 'difference')",
             says="The value is right, but the node does not have the name that was given. Pass "
                  "`name` to the Add."),
        edit('" ".join(f"a{i}" for i in range(len(right.shape)))', '"a0"',
             says="The pattern is for vectors only. It has as many words as right.shape has "
                  "sizes."),
    ],
    right=[
        """
        def subtract(left, right, name):
            letters = " ".join("abcdef"[: len(right.shape)])
            ones = Node(Array(-torch.ones(right.shape)), (), "minus ones")
            product = Node(Einsum(f"{letters}, {letters} -> {letters}"), (right, ones), "product")
            return Node(Add(), [product, left], name)
        """,
    ],
    hints=[
        ("Help, which nodes do I need?", "Three: an Array that holds -1, an Einsum that "
         "multiplies it by `right`, and an Add of `left` and the product."),
        ("Help, what is the pattern?", 'The constant has no axes, so its operand is empty: `", i '
         '-> i"` for a vector, `", i j -> i j"` for a matrix, `", -> "` for a number.'),
        ("Help, almost the code", '`axes = " ".join(f"a{i}" for i in range(len(right.shape)))` '
         'and `Einsum(f", {axes} -> {axes}")`. The children are the constant and `right`, in this '
         "order."),
    ],
)

LEAD = re.compile(r"^[\s|│├└┌─╰╭+`\\.:>*-]*")  # blanks, and drawn lines


def printed(answer, graph):
    """The name and the depth of each line, wherever name, kind and shape stand in it."""
    make, tree = handed_in(answer)
    root = graph.build(make)
    text = tree(root)
    if not isinstance(text, str | list | tuple):
        raise Wrong(f"tree returns {kind_of(text)}. Return the text, and do not print it.")
    if tree(root) != text:
        raise Wrong(
            "The second call gives another text, because the nodes of the first call are still "
            "remembered. Begin each call with an empty set."
        )
    lines = text.splitlines() if isinstance(text, str) else "\n".join(text).splitlines()
    known = {node.name: node for node in below(root)}
    found = read_lines([line for line in lines if line.strip()], known)
    columns = sorted({column for _, column, _ in found})
    require_details(found)
    return {
        "the lines": [name for name, _, _ in found],
        "their depths": [columns.index(column) for _, column, _ in found],
    }


def read_lines(lines, known):
    """Reads each line; a heading above the nodes, or a remark below them, may name no node."""
    found = [read_line(line, known) for line in lines]
    while found and found[0] is None:
        found, lines = found[1:], lines[1:]
    while found and found[-1] is None:
        found.pop()
    if None in found:
        raise Wrong(
            f"The line {lines[found.index(None)]!r} names no node. Name a node in each line."
        )
    return found


def read_line(line, known):
    """(the node's name, how far the line is indented, the facts that are missing in it)"""
    spots = [
        (match.start(), -len(name), name)
        for name in known
        if (match := re.search(rf"(?<!\w){re.escape(name)}(?!\w)", line))
    ]
    if not spots:
        return None
    name = min(spots)[2]
    node, numbers = known[name], [int(each) for each in re.findall(r"\d+", line)]
    size = list(node.shape)
    shaped = any(numbers[i : i + len(size)] == size for i in range(len(numbers) + 1))
    missing = [] if shaped else ["shape"]
    missing += [] if node.op.kind in line.lower() else ["kind of operation"]
    return name, len(line) - len(LEAD.sub("", line, count=1)), missing


def require_details(found):
    """One line of each node says its shape and its kind."""
    whole = {name for name, _, missing in found if not missing}
    for name, _, missing in found:
        if name not in whole:
            raise Wrong(f"The line of {name!r} lacks the {' and the '.join(missing)}. Add it.")


exercise("d1.2.8",
    cases=lambda seed: recipes(seed, "diamond", "network", "ladder", "twice", "namesakes"),
    use=printed,
    mistakes=[
        edit("again = node in seen", "again = False",
             says="A node that is read twice is written out twice, with everything below it. "
                  "Write only one line the second time."),
        edit("again = node in seen\n",
             "again = node in seen\n        if again:\n            return\n",
             says="A node that is read twice is shown only at its first reader. Write a line at "
                  "the second reader, too."),
        edits(("node in seen", "node.name in seen"), ("seen.add(node)", "seen.add(node.name)"),
              says="Two different nodes with one name count as one node. Remember the nodes, not "
                   "their names."),
        instead("""
                def tree(graph, depth=0, seen=set()):
                    line = "  " * depth + graph.name
                    if graph in seen:
                        return line
                    seen.add(graph)
                    line += f" {list(graph.shape)} = {graph.op.kind}"
                    return "\\n".join([line, *(tree(child, depth + 1) for child in graph.children)])
                """,
                says="Begin each call with an empty set."),
        edit('"  " * depth + ', "",
             says="The lines are not indented. Write children further right than their reader."),
        edit("join(lines)", "join(reversed(lines))",
             says="The children are listed above their reader. Write the node itself first."),
        edits(("for child", "line = lines.pop()\n        for child"),
              ("write(child, depth + 1)", "write(child, depth + 1)\n        lines.append(line)"),
              says="The children are listed above their reader. Write the node itself first."),
        edit("node.children:", "node.children[::-1]:",
             says="The children are in reverse order. Write the first child first."),
        edit('f" {list(node.shape)} = {node.op.kind}"', '""',
             says="lacks the shape and the kind of operation."),
        edit(" = {node.op.kind}", "", says="lacks the kind of operation."),
        edit(" {list(node.shape)}", "", says="lacks the shape."),
        instead("def tree(graph):\n    print(graph.name)",
                says="Return the text, and do not print it."),
    ],
    right=[
        """
        def tree(graph):
            seen = set()

            def lines(node, before):
                if id(node) in seen:
                    return [f"{before}({node.name})"]
                seen.add(id(node))
                below = [line for child in node.children for line in lines(child, before + "|  ")]
                own = f"{before}{node.name} is {node.op.kind} of shape {tuple(node.shape)}"
                return [own, *below]

            return lines(graph, "")
        """,
        """
        def tree(graph):
            text, seen, todo = ["the graph"], [], [(graph, 1)]
            while todo:
                node, depth = todo.pop()
                known = any(node is each for each in seen)
                kind = "seen above" if known else node.op.kind
                text.append("   " * depth + f"{kind} {node.name} {[*node.shape]}")
                if not known:
                    seen.append(node)
                    todo += [(child, depth + 1) for child in reversed(node.children)]
            return [*text, f"({len(seen)} nodes)"]
        """,
    ],
    hints=[
        ("Help, how does a function remember the depth?",
         "Let an inner function take it as an argument. It writes the node's line, and calls "
         "itself on each child with `depth + 1`."),
        ("Help, which nodes have been written out?", "Keep a set of the nodes that were written. "
         "If a node is in it, write one line with its name, and leave out its children."),
        ("Help, almost the code", '`def write(node, depth)`: append `"  " * depth + node.name`, '
         "and, the first time, `list(node.shape)` and `node.op.kind` as well. Then write the "
         'children, unless the node was seen. Return `"\\n".join(lines)`.'),
    ],
)

# --- evaluating -----------------------------------------------------------------------------------


def evaluated(answer, graph):
    make, evaluate = handed_in(answer)
    root = graph.build(make)
    inputs = graph.inputs(root)
    given = dict(inputs)
    with counted(make.classes, root) as counts:
        value = evaluate(root, given)
    if graph.name in ("namesakes", "siblings") and by_name(evaluate, root, inputs):
        raise Wrong(
            "Values are remembered by name, and two different nodes may have the same name. "
            "Remember them by node."
        )
    return {
        "the value": value,
        "how often it computes": dict(sorted(counts.items())),
        "the value on other inputs": evaluate(root, graph.inputs(root, again=1)),
        "the dict of inputs has only its own keys": [*given] == [*inputs],
        "without one of the inputs": or_an_error(evaluate, root, dict([*inputs.items()][1:])),
    }


def by_name(evaluate, root, inputs):
    """Whether names alone make the value wrong: it is right once each node has its own name."""
    right = value_of(root, inputs)
    found = [torch.as_tensor(evaluate(each, dict(inputs))) for each in (root, renamed(root))]
    return [torch.allclose(each, right, atol=1e-5) for each in found] == [False, True]


def or_an_error(evaluate, *arguments):
    try:
        evaluate(*arguments)
    except (NotImplementedError, NameError):  # unfinished, or a slip
        raise
    except Exception:
        return "an error"
    return "a value"


BY_NODE = "Values are remembered by name, and two different nodes may have the same name."

exercise("d1.2.9", cases=lambda seed: recipes(seed, *RULES), use=evaluated,
    mistakes=[
        edit("if node not in values:", "if True:",
             says="A node that is read twice is computed twice, and so is everything below it. "
                  "Remember each node's value."),
        edits(("node not in values", "node.name not in values"),
              ("values[node]", "values[node.name]", 2), says=BY_NODE),
        edits(("values = {}", "values = dict(inputs)"),
              ("node not in values", "node.name not in values"),
              ("values[node]", "values[node.name]", 2), says=BY_NODE),
        instead("""
                memory = {}

                def evaluate(graph, inputs):
                    if graph not in memory:
                        is_input = isinstance(graph.op, Placeholder)
                        parts = [evaluate(child, inputs) for child in graph.children]
                        memory[graph] = inputs[graph.name] if is_input else graph.op.run(*parts)
                    return memory[graph]
                """,
                says="The values of an earlier call are still there. Begin each call with an "
                     "empty dict (a default argument `values={}` is made once, for all calls)."),
        edit("inputs[node.name] if", "inputs.get(node.name, torch.zeros(node.shape)) if",
             says="A missing input is taken as 0. Raise an error."),
        edit("inputs[node.name] if", "inputs.get(node.name) if",
             says="A missing input is taken as None. Raise an error at once."),
        edit("isinstance(node.op, Placeholder)", "node.name in inputs",
             says="A constant or a sum that has the name of an input is replaced by the input. "
                  "Look up placeholders only."),
        edits(("node not in values", "node.op not in values"),
              ("values[node]", "values[node.op]", 2),
              says="Values are remembered by operation, and two nodes may share one operation. "
                   "Remember them by node."),
        edit("values = {}", "values = inputs",
             says="The values are stored in the caller's dict of inputs. Use a new dict."),
    ],
    right=[value_of],
    hints=[
        ("Help, where do I keep the values?", "In a dict that is made inside `evaluate`, so that "
         "it is empty at the beginning of each call. Its keys are the nodes."),
        ("Help, in which order?", "Write an inner function of one node. If the node's value is "
         "not in the dict, compute it (for a placeholder, look it up in `inputs`) and store it. "
         "Then return it from the dict."),
        ("Help, almost the code", "`values[node] = inputs[node.name]` if `isinstance(node.op, "
         "Placeholder)`, and otherwise `node.op.run(*[value(child) for child in node.children])`. "
         "A name that is missing from `inputs` raises a KeyError."),
    ],
)

TREE = (
    "logits", "skip.product", "out", "hidden", "inner", "inner.product", "inner.bias",
    "inner.weight", "out.weight", "skip", "x",
)


def as_network(answer, weights, x):
    """The graph's nodes by name, with their children, and the values of its steps on one image."""
    _, network_graph = handed_in(answer)
    graph = require_node(network_graph(weights))
    nodes = below(graph)
    names = [node.name for node in nodes]
    missing = [name for name in TREE if name not in names]
    if missing:
        strange = [name for name in names if name not in TREE]
        instead_of_it = f", and one is called {strange[0]!r}" if strange else ""
        raise Wrong(
            f"No node is called {missing[0]!r}{instead_of_it}. Build every node of the tree at the "
            "top of this part, under its name."
        )
    known = values(graph, {node.name: x for node in nodes if node.op.kind == "placeholder"})
    return {
        "the value of": {node.name: known[id(node)] for node in nodes if node.children},
        "the children of": {
            node.name: ", ".join(child.name for child in node.children) for node in nodes
        },
        "the number of nodes": len(nodes),
        "the root": graph.name,
    }


def weights_and_images(seed):
    """Two networks; the weights of the second one come in another order."""
    one, two = ([*network.state_dict().items()] for network, _ in networks(seed))
    images = [x[0] for _, x in networks(seed)]
    return [(dict(one), images[0]), (dict(reversed(two)), images[1])]


exercise("d1.2.10",
    cases=weights_and_images,
    use=as_network,
    sizes="The check uses networks of other sizes. Read every size off the weights.",
    mistakes=[
        edit('Node(Relu(), (inner,), "hidden")', 'Node(Add(), (inner,), "hidden")',
             says="hidden is not cut off at 0. It is the Relu of inner."),
        edit('(product, array["inner.bias"])', "(product,)",
             says="No node is called 'inner.bias'."),
        edit('(out, skip), "logits"', '(out,), "logits"', says="No node is called 'skip.product'."),
        edit("return Node", 'skip = Node(Relu(), (skip,), "skip.product")\n    return Node',
             says="The skip goes through a Relu. Add it without one."),
        edit('(array["skip"], x)', '(array["skip"], Node(x.op, (), "x"))',
             says="Two placeholders are called x. Both paths must read the same node."),
        edit('(out, skip), "logits"', '(skip, out), "logits"',
             says="The children of logits are swapped. Exercise 16 numbers them in the order of "
                  "the tree."),
        edits(('(array["inner.weight"], x)', '(x, array["inner.weight"])'),
              ("hidden pixel, pixel ->", "pixel, hidden pixel ->"),
              ('(array["out.weight"], hidden)', '(hidden, array["out.weight"])'),
              ("digit hidden, hidden ->", "hidden, digit hidden ->"),
              ('(array["skip"], x)', '(x, array["skip"])'),
              ("digit pixel, pixel ->", "pixel, digit pixel ->"),
              says="The products read their weights as the second child. In the tree the weights "
                   "are the first child."),
        edit("Node(Array(value), (), name)", 'Node(Array(value), (), "")',
             says="and one is called ''."),
        edit('"skip.product"', '"skip_product"',
             says="No node is called 'skip.product', and one is called 'skip_product'."),
        edit('Node(Relu(), (inner,), "hidden")', "inner", says="No node is called 'hidden'."),
        edit("for name, value in weights.items()", "for name, value in zip("
             '["skip", "inner.weight", "inner.bias", "out.weight"], weights.values())',
             says="The weights are taken in the order of the dict. Look up each weight by its "
                  "name."),
        edit('weights["skip"].shape[1:]', "(64,)",
             says="x always has 64 pixels. Take the number from the second axis of the skip."),
        edit('weights["skip"].shape[1:]', '(len(weights["skip"]),)',
             says="x is as long as the skip's first axis. Take its second axis."),
    ],
    right=[
        """
        def network_graph(weights):
            def product(name, weight, child):
                matrix = Node(Array(weights[weight]), (), weight)
                return Node(Einsum("row column, column -> row"), [matrix, child], name)

            image = Node(Placeholder((weights["inner.weight"].shape[1],)), name="x")
            bias = Node(Array(weights["inner.bias"]), name="inner.bias")
            inner = Node(Add(), [product("inner.product", "inner.weight", image), bias], "inner")
            out = product("out", "out.weight", Node(Relu(), [inner], "hidden"))
            return Node(Add(), [out, product("skip.product", "skip", image)], "logits")
        """,
    ],
    hints=[
        ("Help, where do I begin?", "At the bottom: the placeholder, and an Array node for each "
         "weight. Then go upwards in the tree at the top of this part, beginning at its deepest "
         "line."),
        ("Help, which patterns?", "All three products are a matrix times a vector. The matrix "
         "comes first. Its axes are the axis of the result, and then the axis that is summed."),
        ("Help, almost the code", '`Node(Einsum("hidden pixel, pixel -> hidden"), (inner_weight, '
         'x), "inner.product")`, then an Add with the bias, then Relu. `out` is such a product, '
         "too, and `skip.product` reads the same `x`. The root is an Add called `logits`."),
    ],
)

# --- finding and replacing ------------------------------------------------------------------------

NODES = (list, tuple, set, frozenset)


def labels_of(found, graph, name):
    """The labels of the nodes that a function found, children first."""
    if not isinstance(found, NODES):
        raise Wrong(f"{name} gives {kind_of(found)}. Return the nodes in a list, even one node.")
    known = {id(node): label for label, node in labels(graph).items()}
    for each in found:
        if not hasattr(each, "op"):
            raise Wrong(f"{name} lists {kind_of(each)}. Return the nodes themselves.")
        if id(each) not in known:
            raise Wrong(
                f"{name} lists a node {each.name!r} that is not in the first graph. Nodes with "
                "equal names are not the same node."
            )
    order = list(known)
    return [known[each] for each in sorted(map(id, found), key=order.index)]


def has_shape_2(node):
    return tuple(node.shape) == (2,)


def reads_two(node):
    return len(node.children) == 2


class Operation:
    """One of the participant's classes."""

    def __init__(self, name):
        self.__name__ = name


RELU, ADD = Operation("Relu"), Operation("Add")


def questions(seed):
    asked = [
        ("diamond", "both"), ("network", "skip"), ("network", RELU), ("network", has_shape_2),
        ("ladder", RELU), ("ladder", ADD), ("namesakes", "sum"), ("namesakes", reads_two),
        ("twice", "active"), ("twice", "double"), ("shadow", "x"), ("network", "skip w"),
        ("network", "Skip"), ("diamond", "add"), ("twice", "actve"), ("square", RELU),
        ("diamond", has_shape_2),
    ]
    return [(Recipe(name, seed), wanted) for name, wanted in asked]


def searched(answer, graph, wanted):
    make, find = handed_in(answer)
    root = graph.build(make)
    try:
        by_class = isinstance(wanted, Operation)
        found = find(root, make.classes[wanted.__name__] if by_class else wanted)
    except LookupError as error:
        if not str(error):
            raise Wrong(
                "The LookupError has no message. Name the thing that was not found."
            ) from error
        raise
    return labels_of(found, root, "find")


EVERY_READING = """[]
    todo = [graph]
    while todo:
        node = todo.pop()
        todo += node.children
        found += [node] if fits(node) else []"""
ABOVE_A_MATCH = """[]
    todo, seen = [graph], set()
    while todo:
        node = todo.pop()
        if node not in seen and not seen.add(node):
            found += [node] if fits(node) else []
            todo += [] if fits(node) else node.children"""
FOUND = "[node for node in nodes_of(graph) if fits(node)]"

exercise("d1.2.11", cases=questions, use=searched, raises=LookupError,
    mistakes=[
        edit(FOUND, EVERY_READING,
             says="A node that is read twice is found twice. Each node counts once."),
        edit("node.name == wanted", "wanted in node.name",
             says='Every name that contains the wanted name matches, so "skip" finds "skip w". '
                  "Compare whole names."),
        edit(FOUND, ABOVE_A_MATCH,
             says="Nothing below a match is searched. A Relu may lie below a Relu."),
        edit("if not found:", "if False:",
             says="No error is raised if nothing is found, so a misspelled name would ablate "
                  "nothing. "
                  "Raise a LookupError."),
        edit("if not found:", "if not found and isinstance(wanted, str | type):",
             says="No error is raised if a function matches no node. Raise a LookupError for all "
                  "three kinds of `wanted`."),
        edit("nodes_of(graph) if fits", "nodes_of(graph)[:-1] if fits",
             says="The root is never found. It is a node as well."),
        edit("isinstance(wanted, type)", "False",
             says="A class was called like a function. Classes are callable, so ask "
                  "isinstance(wanted, type) first."),
        edit(FOUND, "[node.name for node in nodes_of(graph) if fits(node)]",
             says="Return the nodes themselves."),
        edit(FOUND, "list({node.name: node for node in nodes_of(graph) if fits(node)}.values())",
             says="Of two nodes with one name only one is found. List both."),
        edit("return found", "return found[0]", says="Return the nodes in a list, even one node."),
        *[edit("raise LookupError", f"raise {kind}",
               says=f"The error is of the type {kind}. Raise a LookupError, which the cells below "
                    "catch.")
          for kind in ("ValueError", "AssertionError")],
        edit("    if not found:\n", "    if not found:\n        raise LookupError\n",
             says="The LookupError has no message."),
        edit("isinstance(node.op, wanted)", "isinstance(node, wanted)",
             says="A node is never a Relu. Its operation, node.op, may be one."),
    ],
    right=[
        """
        def find(graph, wanted):
            def fits(node):
                if isinstance(wanted, str):
                    return node.name == wanted
                return type(node.op) is wanted if isinstance(wanted, type) else wanted(node)

            seen, todo = set(), [graph]
            while todo:
                node = todo.pop()
                if node not in seen:
                    seen.add(node)
                    todo += node.children
            found = {node for node in seen if fits(node)}
            if not found:
                raise KeyError(wanted)
            return found
        """,
    ],
    hints=[
        ("Help, `wanted` can be three things", "Turn each into the same thing: a function that "
         "takes a node and returns True or False. Then a single search is enough."),
        ("Help, Relu is called like a function", "A class is callable. So ask `isinstance(wanted, "
         "str)` first, then `isinstance(wanted, type)`, and only then treat it as a function. A "
         "node's operation is a Relu if `isinstance(node.op, wanted)`."),
        ("Help, almost the code", "`found = [node for node in nodes_of(graph) if fits(node)]`, "
         "and `raise LookupError(...)` if the list is empty."),
    ],
)

REPLACEMENTS = {
    "relu": lambda make: lambda node: make.relu(node, f"relu of {node.name}"),
    "relu of the same name": lambda make: lambda node: make.relu(node, node.name),
    "its first child": lambda make: lambda node: node.children[0],
    "itself": lambda make: lambda node: node,
    "zeros": lambda make: lambda node: make.array(torch.zeros(tuple(node.shape)), "zeros"),
}


def replacements(seed):
    spots = [
        ("diamond", ["active"], "relu"), ("diamond", ["both"], "relu"), ("diamond", ["x"], "relu"),
        ("network", ["hidden"], "zeros"), ("network", ["hidden", "skip"], "zeros"),
        ("network", ["logits"], "relu"), ("network", ["x", "logits"], "relu"),
        ("ladder", ["stream b", "block d"], "relu"), ("twice", ["active"], "relu"),
        ("square", ["moved"], "relu"), ("namesakes", ["sum (2)"], "relu"),
        ("namesakes", ["bias"], "zeros"), ("siblings", ["sum"], "relu"),
        ("network", ["mixed"], "relu of the same name"), ("ladder", ["block c"], "its first child"),
        ("diamond", [], "relu"), ("diamond", ["active"], "itself"),
    ]
    return [(Recipe(name, seed), targets, by) for name, targets, by in spots]


def updated(answer, graph, targets, replaced_by):
    make, update = handed_in(answer)
    root = graph.build(make)
    nodes = labels(root)
    chosen, function = [nodes[each] for each in targets], REPLACEMENTS[replaced_by](make)
    given = list(chosen)
    facts = after_edit(root, lambda: update(root, given, function), graph.inputs(root))[1]
    return {**facts, "the list of targets is as it was": given == chosen}


COPIED = (
    "The value is right, but unchanged nodes were built again, so the two graphs share nothing. "
    "Keep a node whose children are all the same objects."
)

exercise("d1.2.12", cases=replacements, use=updated,
    mistakes=[
        instead("""
                def update(graph, targets, function):
                    new = {node: function(node) for node in targets}
                    for node in nodes_of(graph):
                        node.children = tuple(new.get(child, child) for child in node.children)
                    return new.get(graph, graph)
                """,
                says="The original graph has changed, because its nodes were written into. Build "
                     "new nodes above the replaced ones."),
        edit("node if same else Node", "Node", says=COPIED),
        edit("node if same else", "node if not children else", says=COPIED),
        instead("""
                def update(graph, targets, function):
                    children = [update(child, targets, function) for child in graph.children]
                    same = all(map(lambda now, before: now is before, children, graph.children))
                    new = graph if same else Node(graph.op, children, graph.name)
                    return function(new) if graph in targets else new
                """,
                says="A node that is read twice has become two nodes. Remember the new node for "
                     "each old one."),
        instead("""
                def update(graph, targets, function):
                    if graph in targets:
                        return update(function(graph), targets, function)
                    children = [update(child, targets, function) for child in graph.children]
                    same = all(map(lambda now, before: now is before, children, graph.children))
                    return graph if same else Node(graph.op, children, graph.name)
                """,
                says="The replacement is searched for targets. It contains the old node, which is "
                     "replaced again and again. Go through the nodes of the original graph only."),
        instead("""
                def update(graph, targets, function):
                    new, above = {}, set(targets)
                    for node in nodes_of(graph):
                        children = [new[child] for child in node.children]
                        changed = any(child in above for child in node.children)
                        above |= {node} if changed else set()
                        built = Node(node.op, children, node.name) if changed else node
                        new[node] = function(built) if node in targets else built
                    return new[graph]
                """,
                says="Everything above a target is built again, even if the function returned the "
                     "target itself. Keep a node whose children are all the same objects."),
        edit("node in targets else built",
             "node in targets and not targets.remove(node) else built",
             says="The caller's list of targets has lost its nodes. Leave the list as it is."),
        edit("function(built)", "function(node)",
             says="One target lies below another, and the lower replacement is lost. Pass the "
                  "node with its new children to the function."),
        edit("children, node.name)", "children)",
             says="The nodes above a replaced node have lost their names. Pass node.name to the "
                  "new node."),
        edit("node in targets", "node.name in {each.name for each in targets}",
             says="Targets are compared by name, and two nodes may have the same name. Ask "
                  "whether the "
                  "node itself is in targets."),
        edit("node in targets", "node.op in [each.op for each in targets]",
             says="Targets are compared by operation, and two nodes may share one operation. Ask "
                  "whether the node itself is in targets."),
        edit("new = {}", "if graph in targets:\n        return function(graph)\n    new = {}",
             says="If the root is a target, the targets below it are left as they were. Replace "
                  "those first."),
        edit("now is before", "now.name == before.name",
             says="A child counts as unchanged if its name is unchanged. A replacement may have "
                  "the same name, so compare the objects."),
        edit("now is before for now, before in zip(children, node.children, strict=True)",
             "now in nodes_of(graph) for now in children",
             says="A node is kept if its new children are any nodes of the original graph. "
                  "Compare each new child with the old child in its place."),
        edit("    return new[graph]", "    return graph",
             says="This is the original graph. Return the new root."),
        edit("function(built) if node in targets else built",
             "function(built) if node in targets and node is not graph else built",
             says="The root is never replaced. It may be a target as well."),
    ],
    right=[
        """
        def update(graph, targets, function):
            known = {}

            def new(node):
                if id(node) not in known:
                    children = [new(child) for child in node.children]
                    if [*map(id, children)] != [*map(id, node.children)]:
                        fresh = Node(node.op, children, node.name)
                    else:
                        fresh = node
                    hit = any(node is target for target in targets)
                    known[id(node)] = function(fresh) if hit else fresh
                return known[id(node)]

            return new(graph)
        """,
    ],
    hints=[
        ("Help, which nodes are in the new graph?", "Each old node has one node in its place. It "
                                                    "is the old node itself, a copy with new "
                                                    "children, or the result of the function. "
                                                    "Keep a dict from old to new."),
        ("Help, when do I build a node again?", "If one of its children has another object in its "
         "place. If all children are the same objects (`is`), keep the node. This is how graphs "
         "share nodes."),
        ("Help, almost the code", "For each node of `nodes_of(graph)`: `children = [new[child] "
         "for child in node.children]`; `built` is the node itself or `Node(node.op, children, "
         "node.name)`; and `new[node]` is `function(built)` for a target, otherwise `built`. "
         "Return `new[graph]`."),
    ],
)


def pairs_of_graphs(seed):
    spots = [
        ("diamond", "active"), ("diamond", "bias"), ("network", "hidden"), ("network", "skip"),
        ("ladder", "block c"), ("ladder", "x"), ("namesakes", "sum (2)"), ("diamond", "nothing"),
        ("diamond", "everything"), ("diamond", "active, by a copy"),
    ]
    return [(Recipe(name, seed), replaced) for name, replaced in spots]


def compared(answer, graph, replaced):
    """The nodes of a graph that the same graph, with one node replaced, still has."""
    make, shared = handed_in(answer)
    before = graph.build(make)
    if replaced == "everything":
        after = graph.build(make)
    elif replaced == "nothing":
        after = before
    else:
        node = labels(before)[replaced.removesuffix(", by a copy")]
        copy = type(node)(node.op, node.children, node.name)
        other = make.relu(node, f"relu of {node.name}") if node.name == replaced else copy
        after = rebuilt(before, node, other)
    return labels_of(shared(before, after), before, "shared")


KEPT, BOTH = "set(nodes_of(after))", "[node for node in nodes_of(before) if node in kept]"

exercise("d1.2.13", cases=pairs_of_graphs, use=compared,
    mistakes=[
        edits((KEPT, "{node.name for node in nodes_of(after)}"),
              ("node in kept", "node.name in kept"),
              says="Nodes with equal names count as shared. Ask whether they are the same object."),
        edits((KEPT, "{node.op for node in nodes_of(after)}"), ("node in kept", "node.op in kept"),
              says="Nodes with the same operation count as shared. A node that was built again "
                   "keeps its operation, so compare the nodes."),
        edits((KEPT, "{(node.op, node.children) for node in nodes_of(after)}"),
              ("node in kept", "(node.op, node.children) in kept"),
              says="A copy of a node counts as shared. Ask whether they are the same object."),
        edits((KEPT, "{node.name for node in nodes_of(before)}"),
              (BOTH, "[node for node in nodes_of(after) if node.name in kept]"),
              says="Nodes with equal names are not the same node."),
        edit(BOTH, f"len({BOTH})", says="Return the nodes in a list"),
        edit(BOTH, "[node.name for node in nodes_of(before) if node in kept]",
             says="Return the nodes themselves."),
        edit("node in kept", "node not in kept",
             says="These are the nodes that are no longer there. Return the others."),
        edit("node in kept", "node in kept and not node.children",
             says="Only nodes without children are found. Whole branches may be shared."),
    ],
    right=[
        """
        def shared(before, after):
            return {one for one in nodes_of(before) if any(one is two for two in nodes_of(after))}
        """,
        "def shared(before, after):\n    return set(nodes_of(after)) & set(nodes_of(before))",
    ],
    hints=[
        ("Help, how do I compare nodes?", "Do not compare their contents. Two nodes are the same "
         "if they are the same object, and `in` asks this of a set of nodes."),
        ("Help, which nodes are there?", "`nodes_of` gives the nodes of each graph. Go through "
         "one list, and look each node up in the other."),
        ("Help, almost the code", "Make a set of `nodes_of(after)`. Return the nodes of "
         "`nodes_of(before)` that are in it."),
    ],
)


def row_cases(seed):
    names = ("table", "diamond", "network", "twice", "square", "constant")
    return [(Recipe(name, seed), rows) for name in names for rows in (4, 5, 1)]


def on_rows(answer, graph, rows):
    """The values on rows; one more input is given that the graph does not read."""
    make, evaluate_rows = handed_in(answer)
    root = graph.build(make)
    each = [graph.inputs(root, again=row) for row in range(rows)]
    inputs = {name: torch.stack([one[name] for one in each]) for name in each[0]}
    return evaluate_rows(root, {**inputs, "unread": torch.ones(rows, 2)})


exercise("d1.2.14", cases=row_cases, use=on_rows,
    mistakes=[
        edit("return torch.vmap(one)(*inputs.values())", "return evaluate(graph, inputs)",
             says="The rows are treated as one more axis of an example, and a sum aligns them "
                  "with another axis without an error. Run row by row, or use torch.vmap."),
        instead("""
                def evaluate_rows(graph, inputs):
                    values, rows = {}, len(next(iter(inputs.values())))
                    for node in nodes_of(graph):
                        parts = [values[child] for child in node.children]
                        has_rows = [part.ndim > 0 and len(part) == rows for part in parts]
                        dims = tuple(0 if each else None for each in has_rows)
                        if not parts:
                            is_input = isinstance(node.op, Placeholder)
                            values[node] = inputs[node.name] if is_input else node.op.run()
                        elif 0 in dims:
                            values[node] = torch.vmap(node.op.run, in_dims=dims)(*parts)
                        else:
                            values[node] = node.op.run(*parts)
                    return values[graph]
                """,
                says="A constant was cut into rows because its first axis is as long as the "
                     "batch. A shape does not tell whether a value has rows. Evaluate whole "
                     "graphs row by row."),
        edit("torch.vmap(one)(*inputs.values())", "one(*(value[0] for value in inputs.values()))",
             says="This is the value of the first row only. Return one for each row."),
        edit("torch.vmap(one)", "torch.vmap(one, out_dims=-1)",
             says="The rows are the last axis of the result. Make them the first axis."),
        edit("torch.vmap(one)(*inputs.values())", "torch.vmap(one)(*inputs.values()).squeeze()",
             says="An axis of size 1 was dropped. A single row is a batch, too."),
        edits(("dict(zip(inputs, row, strict=True))", '{"x": row[0]}'),
              says="Only the input x is passed on. Pass every input, by its name."),
    ],
    right=[
        """
        def evaluate_rows(graph, inputs):
            rows = len(next(iter(inputs.values())))
            return torch.stack([
                evaluate(graph, {name: value[row] for name, value in inputs.items()})
                for row in range(rows)
            ])
        """,
        "def evaluate_rows(graph, inputs):\n"
        "    return torch.vmap(lambda row: evaluate(graph, row))(inputs)",
    ],
    hints=[
        ("Help, what is one row?", "A dict with an entry for each input: its value at that row, "
         "without the first axis. `evaluate` takes such a dict."),
        ("Help, how do I loop over a dict of tensors?",
         "`zip(*inputs.values())` gives, row by row, one value for each input. `zip(inputs, row)` "
         "pairs them with their names again. Combine the results with `torch.stack`."),
        ("Help, almost the code", "With vmap: an inner function `one(*row)` that returns "
         "`evaluate(graph, dict(zip(inputs, row)))`, and `torch.vmap(one)(*inputs.values())`."),
    ],
)

# --- another input --------------------------------------------------------------------------------


def resampled_cases(seed):
    spots = [("network", name) for name in ("hidden", "inner", "skip", "logits", "mixed")]
    spots += [("diamond", name) for name in ("active", "both")]
    spots += [("twice", "active"), ("ladder", "block c")]
    return [(Recipe(graph, seed), name) for graph, name in spots]


def on_other_input(answer, graph, name):
    make, resampled = handed_in(answer)
    root = graph.build(make)
    inputs = {**graph.inputs(root), "x_other": graph.inputs(root, again=1)["x"]}
    size = tuple(labels(root)["x"].shape)
    result, facts = after_edit(root, lambda: sized(resampled(root, name), size), inputs)
    del facts["nodes shared with the original graph"]  # x_other may enter by one node or by several
    copies = sum(node.name == "x" for node in below(result))
    return {**facts, "the names": sorted({*facts["the names"]}), "nodes called x": copies}


def sized(result, size):
    """The result, unless an x_other in it has another size."""
    for node in below(require_node(result)):
        if node.name == "x_other" and tuple(node.shape) != size:
            raise Wrong(
                f"x_other has the shape {list(node.shape)}, and x has {list(size)}. Replace x "
                "below the node with x_other, and do not replace the node itself."
            )
    return result


OTHER = 'update(node, find(node, "x"), lambda x: Node(Placeholder(x.shape), (), "x_other"))'
AROUND = "return update(graph, [node], lambda node: other)"

exercise("d1.2.15", cases=resampled_cases, use=on_other_input,
    mistakes=[
        edits(('update(node, find(node, "x")', 'update(graph, find(graph, "x")'),
              (AROUND, "return other"),
              says="Everything reads x_other now. Replace x below the one node first, and then "
                   "put the new node into the graph."),
        edit(AROUND, f"{AROUND[7:]}\n    return graph",
             says="Nothing has changed. update returns a new graph and leaves the old one as it "
                  "is, so return the new one."),
        edit('"x_other"', '"x"',
             says="The new placeholder is called x, so it reads the same image. Call it x_other."),
        edit(AROUND, "return other",
             says="This is the node alone, computed from x_other. Put it into the graph, and "
                  "return the graph."),
        edits((OTHER, OTHER.replace("node, find(node", "graph, find(graph")),
              (AROUND, "return update(other, find(other, name), lambda new: node)"),
              says="The inputs are swapped. The node reads x, and everything else reads x_other."),
        edit(OTHER, 'Node(Placeholder(node.shape), (), "x_other")',
             says="Replace x below the node with x_other, and do not replace the node itself."),
        edit('"x_other"', '"other_x"', says="The graph reads an input 'other_x'."),
        edit('find(node, "x")', "find(node, Placeholder)",
             says="Every input below the node is replaced. Replace only x."),
        edit("x.shape", "(64,)", says="x_other always has the shape [64]. Give it the shape of x."),
    ],
    right=[
        """
        def resampled(graph, name):
            def exchange(node):
                if node.name == "x":
                    return Node(Placeholder(node.shape), (), "x_other")
                return Node(node.op, [exchange(child) for child in node.children], node.name)

            return update(graph, find(graph, name), exchange)
        """,
        """
        def resampled(graph, name):
            other = lambda x: Node(Placeholder(x.shape), (), "x_other")
            whole = update(graph, find(graph, "x"), other)
            return update(graph, find(graph, name), lambda node: find(whole, name)[0])
        """,
    ],
    hints=[
        ("Help, everything reads the other image", '`update(graph, find(graph, "x"), ...)` '
         "replaces `x` for all its readers. But a node is itself the root of a graph, which "
         "contains everything below it. Replace `x` in that graph."),
        ("Help, and then?", "Now you have the node, computed from the other image. A second "
                            "`update` puts it into the whole graph, in place of the original "
                            "node."),
        ("Help, almost the code", "`(node,) = find(graph, name)`; `other = update(node, "
         'find(node, "x"), ...)`, with a function that returns `Node(Placeholder(x.shape), (), '
         '"x_other")`; then `update(graph, [node], lambda node: other)`.'),
    ],
)


def path_questions(seed):
    spots = [
        ("diamond", "x"), ("diamond", "bias"), ("network", "x"), ("network", "w"),
        ("ladder", "stream b"), ("twice", "x"), ("namesakes", "bias"), ("diamond", "total"),
        ("square", "moved"), ("shadow", "x"), ("siblings", "x"),
    ]
    return [(Recipe(graph, seed), name) for graph, name in spots]


def paths_listed(answer, graph, name):
    make, paths = handed_in(answer)
    found = paths(graph.build(make), name)
    if not isinstance(found, NODES) or not all(isinstance(path, list | tuple) for path in found):
        raise Wrong("paths does not return a list of paths. A path is a tuple of numbers, like "
                    "(0, 1).")
    if not all(isinstance(step, int) for path in found for step in path):
        raise Wrong("A path contains something other than whole numbers. Use child numbers.")
    return [str(path) for path in sorted(map(tuple, found))]


ROOT = "[()] if graph.name == name else []"
OF_CHILD = "        found += [(number,)] if child.name == name else []"
FIRST = "Only one path is found. Continue after a match."

exercise("d1.2.16", cases=path_questions, use=paths_listed,
    mistakes=[
        instead("""
                def paths(graph, name, seen=None):
                    seen = set() if seen is None else seen
                    if graph in seen:
                        return []
                    seen.add(graph)
                    found = [()] if graph.name == name else []
                    for number, child in enumerate(graph.children):
                        found += [(number, *path) for path in paths(child, name, seen)]
                    return found
                """,
                says="A node that was visited before is skipped. A cache is right for values, but "
                     "a second way to the same node is a second path."),
        instead("""
                def paths(graph, name, known=None):
                    known = {} if known is None else known
                    if graph.name not in known:
                        known[graph.name] = [()] if graph.name == name else []
                        for number, child in enumerate(graph.children):
                            rest = paths(child, name, known)
                            known[graph.name] += [(number, *path) for path in rest]
                    return known[graph.name]
                """,
                says="Paths are remembered by name, and two different nodes may have the same "
                     "name."),
        edit("(number, *path)", "(*path, number)",
             says="The paths run upwards, from the node to the root. Begin at the root."),
        edit("return found", "return sorted(found)[:1]", says=FIRST),
        edit("return found", "return sorted(found, key=len)[:1]", says=FIRST),
        edit(f"found = {ROOT}", "if graph.name == name:\n        return [()]\n    found = []",
             says="Nothing below a match is searched. A node may have the same name as a node "
                  "below it."),
        edit("enumerate(graph.children)",
             "[(graph.children.index(each), each) for each in dict.fromkeys(graph.children)]",
             says="A node that reads a child twice has two paths to it. Go by child number, not "
                  "by child."),
        edit("enumerate(graph.children)",
             "[(graph.children.index(each), each) for each in graph.children]",
             says="A child that is read twice got the number of its first reading twice. Take the "
                  "numbers from enumerate."),
        edit("(number, *path)", "(child.name, *path)", says="Use child numbers."),
        edits((ROOT, "[]"), ("        found +=", f"{OF_CHILD}\n        found +="),
              says="The root itself is never checked. If it has the name, its path is ()."),
        edit("enumerate(graph.children)", "enumerate(graph.children, 1)",
             says="The children are counted from 1. The first child is number 0."),
    ],
    right=[
        """
        def paths(graph, name):
            found, level = [], [([], graph)]
            while level:
                found += [path for path, node in level if node.name == name]
                level = [
                    ([*path, number], child)
                    for path, node in level
                    for number, child in enumerate(node.children)
                ]
            return found
        """,
    ],
    hints=[
        ("Help, what is a path made of?", "The number of a child, followed by a path inside that "
         "child. So the function calls itself on each child, and puts the child's number in front "
         "of each path that it gets."),
        ("Help, where does it end?", "A node of the right name adds one path, the empty one, "
         "`()`. Do not stop there, because nodes of that name may lie below each other."),
        ("Help, almost the code", "Begin with `[()]` or `[]`. For `number, child in "
         "enumerate(graph.children)`, add `(number, *path)` for each path of `paths(child, "
         "name)`."),
    ],
)


def paths_to_patch(seed):
    spots = [
        ("diamond", (2,)), ("diamond", (0, 0, 0)), ("diamond", (1,)), ("network", (0, 1, 0, 1, 0)),
        ("network", (1, 1)), ("twice", (2,)), ("twice", (0, 0)), ("ladder", (1, 0, 0, 1, 0)),
        ("square", (0,)), ("square", (1,)), ("square", (1, 0)), ("network", ()),
    ]
    return [(Recipe(graph, seed), path) for graph, path in spots]


def patched(answer, graph, path):
    make, patch_path = handed_in(answer)
    root = graph.build(make)
    old = end_of(root, path)
    new = make.x("new", *old.shape)
    inputs = {**graph.inputs(root), "new": torch.full(tuple(old.shape), 2.5)}
    result, facts = after_edit(root, lambda: patch_path(root, path, new), inputs)
    facts["the node `new` itself is in it"] = any(node is new for node in below(result))
    return {**facts, "paths that still lead to the old node": paths_to(result, old)}


def end_of(graph, path):
    for step in path:
        graph = graph.children[step]
    return graph


def paths_to(graph, node):
    return int(graph is node) + sum(paths_to(child, node) for child in graph.children)


def written_into(graph, path, new):
    """Exchanges one child of the last reader on the path."""
    if not path:
        return new
    reader = end_of(graph, path[:-1])
    reader.children = (*reader.children[: path[-1]], new, *reader.children[path[-1] + 1 :])
    return graph


BOTH_READINGS = """old = children[path[0]]
    fresh = patch_path(old, path[1:], new)
    children = [fresh if child is old else child for child in children]"""
PUT = "children[path[0]] = patch_path(children[path[0]], path[1:], new)"

exercise("d1.2.17", cases=paths_to_patch, use=patched,
    mistakes=[
        instead(lambda graph, path, new: rebuilt(graph, end_of(graph, path), new),
                says="Every path to the node leads to the new one now, as with update. Replace it "
                     "along this path only."),
        edit(PUT, BOTH_READINGS,
             says="A child that is read twice was replaced in both places. Go by child number, "
                  "not by `is`."),
        edit("children[path[0]] = ", "children[children.index(children[path[0]])] = ",
             says="The first reading of the child was replaced, and the path goes through another "
                  "one. Go by child number."),
        instead(written_into,
                says="A node on the path was written into, so the original graph has changed. "
                     "Build each node on the path again."),
        edit("children = list",
             "if path[1:]:\n        return patch_path(graph.children[path[0]], path[1:], new)\n"
             "    children = list",
             says="Only the last reader is built again. Build every node on the path, up to the "
                  "root."),
        edit("children, graph.name)", "children)",
             says="The nodes on the path have lost their names. Pass graph.name to the new node."),
        edit("list(graph.children)",
             "[Node(each.op, each.children, each.name) for each in graph.children]",
             says="Nodes beside the path were built again. Use them as they are."),
        edit("return new", "return Node(new.op, new.children, new.name)",
             says="The path ends at a copy of `new`. Use the node itself."),
        edit("return new", "return graph",
             says="The path still ends at the old node. At the end of the path, return `new`."),
        edit("if not path:", "if not path[1:]:",
             says="The path ends one node too early. Its last number is a child of the last "
                  "reader."),
    ],
    right=[
        """
        def patch_path(graph, path, new):
            passed = [graph]
            for step in path:
                passed.append(passed[-1].children[step])
            for node, step in zip(passed[-2::-1], list(path)[::-1]):
                children = (*node.children[:step], new, *node.children[step + 1 :])
                new = Node(node.op, children, node.name)
            return new
        """,
    ],
    hints=[
        ("Help, both paths have changed", "`update` replaces a node for all its readers. Here "
         "each reader on the path gets a new list of children in which only one entry differs."),
        ("Help, how do I get back up to the root?", "Let the function call itself, on the child "
         "that the path goes to, with the rest of the path. The result takes that child's place "
         "in a new node."),
        ("Help, almost the code", "If the path is empty, return `new`. Otherwise copy the "
         "children into a list, set `children[path[0]] = patch_path(children[path[0]], path[1:], "
         "new)`, and return `Node(graph.op, children, graph.name)`."),
    ],
)

# --- the library, and keys ------------------------------------------------------------------------


def library_graphs(seed):
    torch.manual_seed(seed)
    models = [digits.DigitsNetwork(d_hidden=d_hidden) for d_hidden in (16, 5)]
    weights = [each.state_dict() for each in models]
    arrays = [{name: array(each[name], name) for name in each} for each in weights]
    return [(digits.graph(each, {"d_input": 64}),) for each in arrays]


PATCH = "library.path_patch(graph, through_the_skip"
SELECTED = 'library.at("skip.product") >> library.at("x")'
NO_PATH = (
    "The selector matches no path. Read a >> b from the root down: x lies below skip.product. "
    "(skip alone is the array of weights.)"
)

exercise("d1.2.19", cases=library_graphs,
    mistakes=[
        edit(SELECTED, 'library.at("x")',
             says='Both paths read x_other, because at("x") selects every path to x. Use a >> b, '
                  'which means "b, reached through a".'),
        edit('"skip.product"', '"hidden"',
             says="The hidden path reads x_other, and the skip reads x. Select the other path."),
        edit(f"return {PATCH}", f"return graph\n    {PATCH}",
             says="The graph computes the same as before. Return the result of path_patch, with "
                  "an input other than x."),
        edit('placeholder("x_other"', 'placeholder("other"',
             says="The new input is not called x_other. The cells below use that name."),
        edit(SELECTED, 'library.at("x") >> library.at("skip.product")', says=NO_PATH),
        edit('"skip.product"', '"skip"', says=NO_PATH),
    ],
    right=[
        """
        def skip_on_other(graph):
            through = library.at("logits").child(1) >> library.at("x")
            return library.update(graph, through, lambda x: library.placeholder("x_other", x.shape))
        """,
        """
        def skip_on_other(graph):
            other = library.placeholder("x_other", (64,))
            weights = library.find_one(graph, "skip")
            product = library.einsum("digit pixel, pixel -> digit", weights, other)
            return library.add(library.find_one(graph, "out"), product)
        """,
    ],
    hints=[
        ("Help, how do I say which x?", "A selector is read from the root down, like a path. "
         "Which node lies on the path through the skip, and on no other path?"),
        ("Help, the two parts", '`library.at("skip.product")` finds the product, and `>> '
         'library.at("x")` goes on to the `x` below it. The dict maps the name of the input to a '
         'node: `{"x": library.placeholder(...)}`.'),
        ("Help, almost the code", "`library.path_patch(graph, library.at(...) >> library.at(...), "
         '{"x": library.placeholder("x_other", (64,))})`, and return the result.'),
    ],
)


class Pair:
    """Two graphs, `make` -> both; messages tell what they are."""

    def __init__(self, text, make):
        self.__name__, self.make = text, make


def arrays(*contents):
    return lambda make: [make.array(value, "w") for value in contents]


def inputs(*namings):
    return lambda make: [make.x(*naming) for naming in namings]


def tower(make):
    stream = make.x("x", 2)
    for block in range(40):
        stream = make.add(stream, make.relu(stream, f"relu {block}"), name=f"stream {block}")
    return stream


def sum_of(make, value, name):
    return make.add(make.x("x", 3), make.array(value, "w"), name=name)


def product(make, pattern, *contents, name="y"):
    children = [make.array(value, "w") for value in contents]
    return make.einsum(pattern, *children, name=name)


MATRICES = "i j, j k -> i k"


def pairs_to_key(seed):
    one, a, b = tensors(seed, (3,), (3, 3), (3, 3))
    long, zeros = torch.zeros(2000), torch.zeros(2, 3)
    changed = long.index_fill(0, torch.tensor([1000]), 1.0)
    pairs = {
        "a sum under two names": lambda make: [sum_of(make, one, name) for name in ("s", "t")],
        "two arrays of equal numbers under two names": lambda make: [
            make.array(one, name) for name in ("w", "v")
        ],
        "products under two names": lambda make: [
            make.relu(product(make, MATRICES, a, b, name=name), f"relu of {name}") for name in "yz"
        ],
        "two arrays of equal numbers": arrays(one, one.clone()),
        "two arrays of different numbers": arrays(one, one + 1),
        "sums with arrays of different numbers": lambda make: [
            make.relu(sum_of(make, value, "s"), "r") for value in (one, one + 1)
        ],
        "1, 2, 4 and 4, 2, 1": arrays(torch.tensor([1.0, 2, 4]), torch.tensor([4.0, 2, 1])),
        "two arrays that differ in the sixth digit": arrays(one.sign(), one.sign() + 1e-5),
        "two long arrays that differ in one number": arrays(long, changed),
        "zeros of the shapes [2, 3] and [3, 2]": arrays(zeros, zeros.T),
        "zeros of the shapes [3] and [1, 3]": arrays(zeros[0], zeros[:1]),
        "the inputs x and other": inputs(("x", 3), ("other", 3)),
        "inputs x of the shapes [3] and [4]": inputs(("x", 3), ("x", 4)),
        "a sum and a relu": lambda make: [
            make.add(make.x("x", 3), name="y"), make.relu(make.x("x", 3), "y")
        ],
        "the sums of x and of x + x": lambda make: [
            make.add(*[make.x("x", 3)] * times, name="y") for times in (1, 2)
        ],
        "two einsum patterns": lambda make: [
            product(make, pattern, a, one) for pattern in ("i j, j -> i", "i j, i -> j")
        ],
        "two patterns with one result": lambda make: [
            product(make, pattern, a, one) for pattern in ("i j, j -> i", "j i, j -> i")
        ],
        "sums over either axis of a matrix": lambda make: [
            product(make, pattern, a) for pattern in ("i j -> i", "i j -> j")
        ],
        "A @ B and B @ A": lambda make: [
            product(make, MATRICES, a, b), product(make, MATRICES, b, a)
        ],
        "a tower of forty blocks, built twice": lambda make: [tower(make), tower(make)],
    }
    return [(Pair(text, make),) for text, make in pairs.items()]


def same_key(answer, graphs):
    """Whether two graphs, built in the participant's classes, have one key or two."""
    make, key = handed_in(answer)
    keys = [key(graph) for graph in graphs.make(make)]
    return None if None in keys else ("two keys" if len({*keys}) == 2 else "one key")


CHILDREN = "[known[child] for child in node.children]"
NO_SHAPE = ("node.shape, ", "")
OF_INPUTS = ("own = node.name if", "own = (node.name, node.shape) if")
NUMBERS = "The numbers in an array are missing from the key. The value depends on them."
FLAT = ("value.tolist()", "value.flatten().tolist()")
SHAPES = (
    "The shape of an array is missing from the key. The same numbers in another shape are another "
    "value."
)


def twins(*changes, says):
    """A mistake, alone and together with that of leaving out shapes."""
    return [edits(*changes, says=says), edits(NO_SHAPE, *changes, says=says)]


exercise("d1.2.20", cases=pairs_to_key, use=same_key,
    mistakes=[
        *twins(('node.name if node.op.kind == "placeholder" else', "node.name +"),
               says="The name of a node is part of the key, and one computation may have two "
                    "names. Use only the names of placeholders, which say which input is read."),
        *twins(("own = node.op.value.tolist()", "own = (node.name, node.op.value.tolist())"),
               says="The name of an array is part of the key. Only the names of placeholders are."),
        *twins(("node.op.value.tolist()", '""'), says=NUMBERS),
        edits(NO_SHAPE, ("node.op.value.tolist()", "node.shape"), says=NUMBERS),
        *twins(("node.op.value.tolist()", "repr(node.op.value)"),
               says="The repr of a tensor leaves out digits, and most of the numbers of a long "
                    "tensor. Use value.tolist()."),
        *twins(("value.tolist()", "value.sum().item()"),
               says="Only the sum of an array's numbers is in the key. Use all numbers, in their "
                    "order."),
        instead(lambda graph: graph,
                says="This compares objects and not their computations. Two arrays with equal "
                     "numbers have the same key."),
        edits(NO_SHAPE, FLAT, says=SHAPES),
        edits(OF_INPUTS, NO_SHAPE, FLAT, says=SHAPES),
        *twins(("node.name if", '"" if'),
               says="Two different inputs have the same key. The name of a placeholder says which "
                    "input it is."),
        *twins(('getattr(node.op, "pattern", "")', '""'),
               says="The pattern of an einsum is missing from the key. Add it."),
        *[mistake for part in ("inputs", "output") for mistake in twins(
            ('getattr(node.op, "pattern", "")', f'getattr(node.op, "{part}", "")'),
            says="Only one side of an einsum's pattern is in the key. Use both.")],
        *twins((f", {CHILDREN}", ""),
               says="The children are missing from the key. Equal computations have children with "
                    "equal keys."),
        *twins((CHILDREN, f"sorted({CHILDREN})"),
               says="The children are sorted, and A @ B is not B @ A. Keep their order."),
        *twins((CHILDREN, f"sorted({{*{CHILDREN}}})"),
               says="The children are a set, which has no order and no repetition. Use a list."),
        *twins(("node.op.kind, ", ""),
               says="The kind of operation is missing from the key. Add it."),
        edits(NO_SHAPE,
              says="The shape of an input is missing from the key. An input x [3] is not an input "
                   "x [4]."),
    ],
    right=[
        """
        def key(graph, numbers={}):
            known = {}
            for node in nodes_of(graph):
                own = node.op.value.tolist() if node.op.kind == "array" else vars(node.op)
                if node.op.kind == "placeholder":
                    own = node.name
                parts = tuple(known[child] for child in node.children)
                text = f"{type(node.op).__name__} {own} {list(node.shape)} {parts}"
                known[node] = numbers.setdefault(text, len(numbers))
            return known[graph]
        """,
    ],
    hints=[
        ("Help, what does a value depend on?", "The kind of operation; the contents of the "
         "operation (an Array's shape and numbers, an Einsum's pattern, a Placeholder's size and "
         "the name of its input); and the children, in order. The names of other nodes do not."),
        ("Help, mine does not finish", "If a node's text holds the texts of its children, it "
         "doubles at each block of a tower. Shorten each text before you use it above. A digest "
         "has 64 characters, whatever the length of the text."),
        ("Help, almost the code", "For each node of `nodes_of(graph)`: `text = "
         "repr((node.op.kind, node.shape, own, [known[child] for child in node.children]))`, and "
         "`known[node]` is its digest. `own` is the placeholder's name, the pattern, or "
         "`node.op.value.tolist()`."),
    ],
)

quiz("d1.2.quiz",
    align=option("first", "last",
               says="You added a bias [16] to a stream [5, 16]. Which axes were aligned?"),
    visits=number(says="Each block doubles the number of paths down to x."),
    rebuilt=number(says="Which nodes read skip.product, directly or through others?"),
    paths=number(says="Which nodes read x?"),
    resample=option("logits", "hidden", "inner", "x",
               says="The hidden layer and its weights stay. Which node below them holds the "
                    "image?"),
    hints=[
        ("Help, the first word", "In exercise 2 you added a bias [16] to a stream [5, 16]. Which "
                                 "axes were aligned?"),
        ("Help, the numbers", "In exercise 9, each block reads the stream twice. In exercise 12, "
                              "only the nodes above a replaced node are built again. Exercise 16 "
                              "printed the paths."),
        ("Help, the last one", "In exercise 15, the relu and the weights stay. Which node below "
                               "them is replaced?"),
    ],
)
