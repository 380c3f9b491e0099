"""What is left of day 2, part 4, without looking: the quiz."""

from remix_utils.checks.exercise import quiz

quiz(
    "d2.4.quiz",
    [
        ("stories", ["rise", "rises", "rose", "it rose", "up", "higher"], "d2.4.1: what was the sign of the change?"),
        ("slope", [0.002, "1/500", "0.4/200"], "a slope is a difference over a distance."),
        (
            "early",
            ["K-composition", "K composition", "composition", "the composition score", "K-composition score", "K"],
            "the last panel of d2.4.3: what had climbed by step 2,000?",
        ),
        (
            "pressed",
            ["0.0", "head 0.0", "the previous-token head"],
            "read the card once more: which head paid, and for what?",
        ),
        (
            "error",
            ["the difference", "difference", "differences", "the differences", "the change", "change", "changes"],
            "d2.4.1: what was taken first, before the spread?",
        ),
    ],
)
