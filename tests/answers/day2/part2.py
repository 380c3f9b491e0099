"""Day 2, part 2: wrong answers with a piece of the message that each must meet, and right ones written differently."""

from tests.answers.day2 import part2_costs, part2_logits, part2_ways

RECALL = {"mean": "mean ablation", "interaction": "more", "kept": 0, "side": "k", "order": 2}

WRONG = [
    *part2_logits.WRONG,
    *part2_costs.WRONG,
    *part2_ways.WRONG,
    ("d2.2.quiz", RECALL | {"mean": "resample"}, "whatever the text. What does that?"),
    ("d2.2.quiz", RECALL | {"interaction": "less"}, "each covers for the other"),
    ("d2.2.quiz", RECALL | {"kept": 7}, "goes through patterns"),
    ("d2.2.quiz", RECALL | {"side": "q"}, "or B that is asked?"),
    ("d2.2.quiz", RECALL | {"order": 1}, "one head has to write the token down"),
]

RIGHT = [
    *part2_logits.RIGHT,
    *part2_costs.RIGHT,
    *part2_ways.RIGHT,
    ("d2.2.quiz", RECALL | {"mean": "Mean", "side": "keys", "order": "two", "kept": 0.0}),
]
