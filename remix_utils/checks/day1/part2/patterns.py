"""Einsum in three steps: d1.2.4 (parse), d1.2.5 (shape) and d1.2.6 (run)."""

from __future__ import annotations

import re
from string import ascii_letters

import torch

from remix_utils.checks.day1.handed_in import or_refused
from remix_utils.checks.day1.probes import compare
from remix_utils.checks.exercise import Mistake, exercise
from remix_utils.checks.own_graphs import contraction

# --- d1.2.4 -----------------------------------------------------------------------------------------------------------


def _patterns(seed):
    word = ["seq", "head", "digit", "layer", "token"][seed % 5]
    return [
        (f"{word} pixel, pixel -> {word}",),
        ("hidden pixel,pixel->hidden",),
        ("i j,j k->i k",),
        (f"  a   {word} ,b-> a  b ",),
        (", i j -> i j",),
        ("i, i ->",),
        ("x->x",),
        ("q h d, k h d -> h q k",),
    ]


def _read(pattern):
    """By hand: each word, comma or arrow, one after another."""
    sides, words = [], []
    for token in re.findall(r"\w+|,|->", pattern):
        if token in (",", "->"):
            sides, words = [*sides, words], []
        else:
            words = [*words, token]
    return sides, words


def _single_spaces(pattern):
    left, right = pattern.split("->")
    return [side.split(" ") for side in left.split(",")], right.split(" ")


def _stripped_first(pattern):
    left, right = pattern.split("->")
    return [side.strip().split(" ") for side in left.split(",")], right.strip().split(" ")


def _comma_and_space(pattern):
    left, right = pattern.split("->")
    return [side.split() for side in left.split(", ")], right.split()


def _spaces_around_arrow(pattern):
    left, right = pattern.split(" -> ")
    return [side.split() for side in left.split(",")], right.split()


def _letters(pattern):
    inputs, output = _read(pattern)
    return [list("".join(words)) for words in inputs], list("".join(output))


def _one_list(pattern):
    inputs, output = _read(pattern)
    return [word for words in inputs for word in words], output


exercise(
    "d1.2.4",
    cases=_patterns,
    oracle=_read,
    tolerance=0,
    mistakes=[
        Mistake(
            'splitting at single spaces leaves empty words: "a  b".split(" ") is ["a", "", "b"]. Use .split() without '
            "an argument.",
            _single_spaces,
        ),
        Mistake(
            'two spaces still leave an empty word, and "".split(" ") is [""]: use .split() without an argument.',
            _stripped_first,
        ),
        Mistake('operands are parted by a comma, whether or not a space follows: split at ",".', _comma_and_space),
        Mistake(
            'the arrow may stand without spaces: split at "->", and let .split() deal with spaces.',
            _spaces_around_arrow,
        ),
        Mistake("each letter has become an axis: here an axis is a word.", _letters),
        Mistake("the operands have run together: one list of words for each operand.", _one_list),
    ],
)


# --- d1.2.5 -----------------------------------------------------------------------------------------------------------


def _shape_cases(seed):
    n = 3 + seed % 5
    return [
        ([["hidden", "pixel"], ["pixel"]], ["hidden"], (16, n), (n,)),
        ([["i", "j"], ["j", "k"]], ["k", "i"], (2, n), (n, 5)),
        ([[], ["i", "j"]], ["i", "j"], (), (n, 2)),
        ([["i"], ["i"]], [], (n,), (n,)),
        ([["i", "i"]], ["i"], (n, n)),
        ([["i", "j"], ["j"]], ["i"], (2, n), (n + 1,)),
        ([["i", "j"], ["j"]], ["i"], (2, n, n), (n,)),
        ([["i", "j"], ["j"]], ["j"], (2,), (n,)),
        ([["i", "j"], ["j"]], ["i"], (2, n), (1,)),
    ]


def _shape_of(inputs, output, *shapes):
    """Every pair of a word and its size; each word must have one size."""
    if [len(words) for words in inputs] != [len(shape) for shape in shapes]:
        raise ValueError
    pairs = {pair for words, shape in zip(inputs, shapes, strict=True) for pair in zip(words, shape, strict=True)}
    if len(pairs) > len({word for word, _ in pairs}):
        raise ValueError
    return tuple(dict(pairs)[word] for word in output)


def _last_size_wins(inputs, output, *shapes):
    if [len(words) for words in inputs] != [len(shape) for shape in shapes]:
        raise ValueError
    sizes = {word: n for words, shape in zip(inputs, shapes, strict=True) for word, n in zip(words, shape, strict=True)}
    return tuple(sizes[word] for word in output)


def _stretching(inputs, output, *shapes):
    if [len(words) for words in inputs] != [len(shape) for shape in shapes]:
        raise ValueError
    sizes = {}
    for words, shape in zip(inputs, shapes, strict=True):
        for word, size in zip(words, shape, strict=True):
            if sizes.setdefault(word, size) != size and 1 not in (size, sizes[word]):
                raise ValueError
    return tuple(sizes[word] for word in output)


def _no_count(inputs, output, *shapes):
    sizes = {}
    for words, shape in zip(inputs, shapes, strict=False):
        for word, size in zip(words, shape, strict=False):
            if sizes.setdefault(word, size) != size:
                raise ValueError
    return tuple(sizes[word] for word in output)


def _nothing_checked(inputs, output, *shapes):
    sizes = {w: n for words, shape in zip(inputs, shapes, strict=False) for w, n in zip(words, shape, strict=False)}
    return tuple(sizes[word] for word in output)


def _in_order_of_appearance(inputs, output, *shapes):
    _shape_of(inputs, output, *shapes)
    sizes = {w: n for words, shape in zip(inputs, shapes, strict=True) for w, n in zip(words, shape, strict=True)}
    return tuple(size for word, size in sizes.items() if word in output)


@exercise("d1.2.5")
def _(answer, seed, reference):
    mistakes = [
        Mistake(
            "a word that has two sizes is not refused, and neither is a wrong number of words. The last one wins here, "
            "silently: compare before you store, and compare the lengths (zip stops at the shorter one).",
            _nothing_checked,
        ),
        Mistake(
            "a word that has two sizes is not refused, the last one wins: compare before you store.", _last_size_wins
        ),
        Mistake("an axis of size 1 was stretched, as a sum does: in an einsum, one word has one size.", _stretching),
        Mistake(
            "an operand with more or fewer axes than words is not refused: zip stops silently at the shorter one.",
            _no_count,
        ),
        Mistake(
            "the sizes come in the order of the operands: the output list says the order.", _in_order_of_appearance
        ),
    ]
    compare(answer, seed, reference, call=or_refused, cases=_shape_cases, oracle=_shape_of, mistakes=mistakes)


# --- d1.2.6 -----------------------------------------------------------------------------------------------------------


def _value_cases(seed):
    numbers = torch.Generator().manual_seed(seed)

    def draw(*size):
        return torch.randn(size, generator=numbers)

    return [
        ([["hidden", "pixel"], ["pixel"]], ["hidden"], draw(4, 3), draw(3)),
        ([["head", "hidden"], ["hidden", "h"]], ["head", "h"], draw(3, 3), draw(3, 3)),
        ([["i", "j"], ["j", "k"]], ["k", "i"], draw(3, 3), draw(3, 3)),
        ([["z", "a"]], ["z", "a"], draw(2, 2)),
        ([["i"], ["j"]], ["i", "j"], draw(2), draw(3)),
        ([["i", "j"]], [], draw(3, 2)),
        ([[], ["i"]], ["i"], draw(), draw(4)),
        ([["q", "head", "d"], ["k", "head", "d"], ["k"]], ["head", "q"], draw(2, 2, 3), draw(4, 2, 3), draw(4)),
    ]


def _first_letters(inputs, output, *values):
    text = ",".join("".join(word[0] for word in words) for words in inputs)
    return torch.einsum(f"{text}->{''.join(word[0] for word in output)}", *values)


def _equation(inputs, output=None):
    letter = dict(zip(dict.fromkeys(word for words in inputs for word in words), ascii_letters, strict=False))
    text = ",".join("".join(letter[word] for word in words) for words in inputs)
    return text if output is None else f"{text}->{''.join(letter[word] for word in output)}"


def _words_pasted(inputs, output, *values):
    return torch.einsum(",".join(map("".join, inputs)) + "->" + "".join(output), *values)


def _torch_decides(inputs, output, *values):
    return torch.einsum(_equation(inputs), *values)


def _output_sorted(inputs, output, *values):
    seen = dict.fromkeys(word for words in inputs for word in words)
    return torch.einsum(_equation(inputs, [word for word in seen if word in output]), *values)


exercise(
    "d1.2.6",
    cases=_value_cases,
    oracle=contraction,
    mistakes=[
        Mistake(
            "two words with the same first letter have become one axis (head and hidden): give each word a letter of "
            "its own.",
            _first_letters,
        ),
        Mistake(
            "the words are pasted together, and torch reads each letter as an axis: give each word one letter.",
            _words_pasted,
        ),
        Mistake("without an arrow torch decides by itself what is summed: say the output.", _torch_decides),
        Mistake(
            "the axes of the result are in the order of the operands: the output list says the order.", _output_sorted
        ),
    ],
)
