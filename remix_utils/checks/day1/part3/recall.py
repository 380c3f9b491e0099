"""What is left of day 1, part 3, without looking: the quiz."""

from remix_utils.checks.exercise import quiz

quiz(
    "d1.3.quiz",
    [
        ("terms", [12, "twelve"], "every term of one sum meets every term of the other."),
        ("axes", [2, "two"], "an integer takes its axis away, a slice keeps it, and axes left out are kept."),
        (
            "softmax",
            ["last", "the last", "last axis", "the last axis", "its last axis", -1],
            "which axis does it sum over, to divide by the sum?",
        ),
        (
            "parts",
            ["orthogonal", "perpendicular", "at right angles", "not orthogonal", "orthogonality"],
            "x = along + across holds for any number times u. What holds only for the projection?",
        ),
        (
            "rounding",
            ["shrinks", "it shrinks", "shrink", "falls", "drops", "gets smaller", "smaller", "decreases", "vanishes"],
            "a bug stays as it is in float64. What does rounding do?",
        ),
    ],
)
