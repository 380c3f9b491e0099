"""What is left of day 1, part 4, without looking: the quiz."""

from remix_utils.checks.exercise import quiz

quiz(
    "d1.4.quiz",
    [
        (
            "bias",
            ["b_O", "bO", "blocks.b_O", "the bias", "bias", "the output bias", "output bias"],
            "what is added once a layer, and belongs to no head?",
        ),
        (
            "held",
            ["scale", "the scale", "its scale", "the inverse", "inverse", "inverse scale", "the inverse scale"],
            "one step of layernorm depends on the whole stream. Which?",
        ),
        ("paths", [81, "eighty-one"], "each of the two layers is passed by, or through one of its eight heads."),
        (
            "virtual",
            ["BA", "B A", "B @ A", "B·A", "B times A", "B*A"],
            "from the query, the second head looks first.",
        ),
        (
            "direct",
            [0, "zero", "none", "no"],
            "the head's own way to the logits passes no other head. Whose pattern could change?",
        ),
    ],
)
