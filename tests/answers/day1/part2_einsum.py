"""Answers to d1.2.4 to d1.2.6: a pattern read, the shape, the value."""

import torch


def parse(pattern):
    *inputs, output = [side.split() for side in pattern.replace("->", ",").split(",")]
    return inputs, output


def split_at_spaces(pattern):
    left, right = pattern.split("->")
    return [side.strip().split(" ") for side in left.split(",")], right.strip().split(" ")


def split_at_comma_and_space(pattern):
    left, right = pattern.split("->")
    return [side.split() for side in left.split(", ")], right.split()


def split_at_spaced_arrow(pattern):
    left, right = pattern.split(" -> ")
    return [side.split() for side in left.split(",")], right.split()


def split_letters(pattern):
    left, right = pattern.replace(" ", "").split("->")
    return [list(side) for side in left.split(",")], list(right)


def split_everything(pattern):
    left, right = pattern.split("->")
    return left.replace(",", " ").split(), right.split()


def einsum_shape(inputs, output, *shapes):
    """Whatever torch gives for tensors of these shapes without data; it stretches sizes of 1, so those are compared."""
    pairs = {(w, n) for words, shape in zip(inputs, shapes, strict=True) for w, n in zip(words, shape, strict=True)}
    sizes = dict(pairs)
    if len(sizes) < len(pairs):
        raise ValueError("two sizes")
    return list(contract(inputs, output, *(torch.empty(shape, device="meta") for shape in shapes)).shape)


def shape_without_questions(inputs, output, *shapes):
    sizes = {}
    for words, shape in zip(inputs, shapes, strict=False):
        sizes.update(zip(words, shape, strict=False))
    return tuple(sizes[word] for word in output)


def shape_by_the_last_size(inputs, output, *shapes):
    sizes = {}
    for words, shape in zip(inputs, shapes, strict=True):
        sizes.update(zip(words, shape, strict=True))
    return tuple(sizes[word] for word in output)


def shape_that_stretches(inputs, output, *shapes):
    sizes = {}
    for words, shape in zip(inputs, shapes, strict=True):
        for word, size in zip(words, shape, strict=True):
            if word in sizes and sizes[word] != size and 1 not in (size, sizes[word]):
                raise ValueError(word)
            sizes[word] = max(size, sizes.get(word, 1))
    return tuple(sizes[word] for word in output)


def shape_without_counting(inputs, output, *shapes):
    sizes = {}
    for words, shape in zip(inputs, shapes, strict=False):
        for word, size in zip(words, shape, strict=False):
            if sizes.get(word, size) != size:
                raise ValueError(word)
            sizes[word] = size
    return tuple(sizes[word] for word in output)


def shape_in_order_of_words(inputs, output, *shapes):
    einsum_shape(inputs, output, *shapes)
    sizes = {w: n for words, shape in zip(inputs, shapes, strict=True) for w, n in zip(words, shape, strict=True)}
    return tuple(sizes[word] for word in sizes if word in output)


def contract(inputs, output, *values):
    """Torch takes numbers in place of letters."""
    number = {}
    for words in inputs:
        for word in words:
            number.setdefault(word, len(number))
    operands = [
        part for value, words in zip(values, inputs, strict=True) for part in (value, [number[w] for w in words])
    ]
    return torch.einsum(*operands, [number[word] for word in output])


def contract_by_hand(inputs, output, *values):
    """Each operand spread over all words, multiplied, and summed."""
    words = list(dict.fromkeys([*output, *(word for each in inputs for word in each)]))
    product = torch.tensor(1.0)
    for own, value in zip(inputs, values, strict=True):
        order = sorted(range(len(own)), key=lambda axis, own=own: words.index(own[axis]))
        sizes = iter([value.shape[axis] for axis in order])
        product = product * value.permute(order).reshape([next(sizes) if word in own else 1 for word in words])
    summed = list(range(len(output), len(words)))
    return product.sum(dim=summed) if summed else product


def spelled(inputs, output, letters):
    left = ",".join("".join(letters(word) for word in words) for words in inputs)
    return left if output is None else left + "->" + "".join(letters(word) for word in output)


def with_first_letters(inputs, output, *values):
    return torch.einsum(spelled(inputs, output, lambda word: word[0]), *values)


def with_whole_words(inputs, output, *values):
    return torch.einsum(spelled(inputs, output, str), *values)


def numbered(inputs):
    words = list(dict.fromkeys(word for each in inputs for word in each))
    return lambda word: "abcdefgh"[words.index(word)]


def without_an_arrow(inputs, output, *values):
    return torch.einsum(spelled(inputs, None, numbered(inputs)), *values)


def in_order_of_operands(inputs, output, *values):
    kept = [word for word in dict.fromkeys(word for each in inputs for word in each) if word in output]
    return torch.einsum(spelled(inputs, kept, numbered(inputs)), *values)


WRONG = [
    ("d1.2.4", split_at_spaces, 'and "".split(" ") is [""]'),
    ("d1.2.4", split_at_comma_and_space, 'split at ","'),
    ("d1.2.4", split_at_spaced_arrow, 'split at "->"'),
    ("d1.2.4", split_letters, "here an axis is a word"),
    ("d1.2.4", split_everything, "one list of words for each operand"),
    ("d1.2.5", shape_without_questions, "and neither is a wrong number of words"),
    ("d1.2.5", shape_by_the_last_size, "compare before you store"),
    ("d1.2.5", shape_that_stretches, "one word has one size"),
    ("d1.2.5", shape_without_counting, "more or fewer axes than words"),
    ("d1.2.5", shape_in_order_of_words, "the output list says the order"),
    ("d1.2.6", with_first_letters, "the same first letter"),
    ("d1.2.6", with_whole_words, "the words are pasted together"),
    ("d1.2.6", without_an_arrow, "torch decides by itself"),
    ("d1.2.6", in_order_of_operands, "in the order of the operands"),
]

RIGHT = [
    ("d1.2.4", parse),
    ("d1.2.5", einsum_shape),
    ("d1.2.6", contract),
    ("d1.2.6", contract_by_hand),
]
