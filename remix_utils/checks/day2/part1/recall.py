"""What is left of day 2, part 1, without looking: the quiz."""

from remix_utils.checks.exercise import quiz

quiz(
    "d2.1.quiz",
    [
        ("offset", [49, "forty-nine", "49 positions"], "the same token is 50 back. Where is the one that followed it?"),
        ("entry", [21, "twenty-one", "token 21"], "the logits at a position are about the token that comes next."),
        (
            "positions",
            ["values", "value", "v", "the values", "W_V"],
            "positions may decide where a head looks. What may they not reach?",
        ),
        ("guessing", [6.93, 6.931, 6.9315], "it is the natural logarithm of 1,024."),
        (
            "second",
            ["copying", "copying score", "the copying score", "copy score", "copy"],
            "it was about what the head adds to the logits.",
        ),
    ],
)
