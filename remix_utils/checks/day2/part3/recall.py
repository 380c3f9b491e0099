"""What is left of day 2, part 3, without looking: the quiz."""

from remix_utils.checks.exercise import quiz

quiz(
    "d2.3.quiz",
    [
        ("rank", [32, "thirty-two", "d_head"], "a chain is never thicker than its thinnest member."),
        (
            "missing",
            [
                *("own", "their own", "own token", "their own token", "its own", "itself", "themselves", "own tokens"),
                *("current", "the current", "current token", "the current token", "the same token", "same token"),
            ],
            "look at d2.3.6 again: three heads of layer 0, with attention of 0.86 and more, to which token?",
        ),
        ("statistic", [-1, "minus one"], "all its eigenvalues are negative. What is their sum, over that of lengths?"),
        ("keys", ["0.0", "head 0.0"], "the heat map of d2.3.9 had one column."),
        ("chance", [0.06, 0.063, 0.0625], "it is one over the root of the width."),
    ],
)
