"""What to remember of part 2: d1.2.quiz."""

from remix_utils.checks.exercise import quiz

quiz(
    "d1.2.quiz",
    [
        (
            "align",
            ["last", "the last", "right", "at the last", "last axis"],
            "Which end of two shapes is laid side by side?",
        ),
        ("visits", [8, "eight", "8 times"], "Each block doubles the ways down to x."),
        ("rebuilt", [1, "one"], "Which nodes read skip.product, directly or through others?"),
        ("paths", [2, "two"], "Who reads x?"),
        (
            "resample",
            ["x", "the input", "input", "placeholder", "x_other", "the image", "image"],
            "Nothing was ablated in the hidden layer itself: what does it read instead?",
        ),
    ],
)
