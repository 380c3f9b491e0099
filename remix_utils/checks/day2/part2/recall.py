"""What is left of day 2, part 2, without looking: the quiz."""

from remix_utils.checks.exercise import quiz

quiz(
    "d2.2.quiz",
    [
        (
            "mean",
            ["mean", "mean ablation", "the mean", "at its mean", "mean-ablated"],
            "it writes nearly the same whatever the text. What does that?",
        ),
        ("interaction", ["more"], "each covers for the other, as long as it is there."),
        ("kept", [0, "zero", "none", "nothing"], "all that 0.0 does on random tokens goes through patterns."),
        (
            "side",
            ["k", "keys", "key", "the keys"],
            "it tells B what stood before. Is it B that asks, or B that is asked?",
        ),
        ("order", [2, "two"], "one head has to write the token down for another to move it."),
    ],
)
