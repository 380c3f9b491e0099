"""What is left of day 1, part 0, without looking: the quiz."""

from remix_utils.checks.exercise import quiz

quiz(
    "d1.0.quiz",
    [
        (
            "summed",
            [
                "left out",
                "left out of",
                "missing",
                "it is left out",
                "not in the output",
                "it is missing",
                "absent",
                "is left out",
            ],
            "in an einsum, what does the output do with an axis that is summed?",
        ),
        (
            "scale",
            ["d_head", "dhead", "root of d_head", "sqrt(d_head)", "the root of d_head", "sqrt d_head"],
            "how many products are added up in one score?",
        ),
        (
            "softmax",
            ["key", "keys", "the keys", "over keys", "the last", "last", -1],
            "who shares out one unit of attention, and among whom?",
        ),
        (
            "positions",
            ["values", "value", "the values", "v", "the value"],
            "what an attention head carries along is not told where it was.",
        ),
        ("predicts", [6, "six", "token 6"], "position i reads tokens 0 to i. About which one has it not been told?"),
    ],
)
