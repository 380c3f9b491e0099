"""The pictures of day 5, which its masters show as ![alt text](diagram:name)."""

from tools.drawing import Arrow, Drawing
from tools.plates import Box, text

# --- part 1 ---------------------------------------------------------------------------------------


def roles() -> Drawing:
    """Draws a prompt with the role under each of its names, and the word that should follow."""
    middle, below = 70, 150
    words = [("After", 60, ""), ("Mary", 150, "IO"), ("and", 225, ""), ("John", 300, "S1")]
    words += [("went to the store,", 430, ""), ("John", 560, "S2"), ("gave a drink", 665, "")]
    words += [("to", 755, "END")]
    colours = {"IO": "green", "S1": "orange", "S2": "orange", "END": "blue"}
    parts = []
    for word, x, role in words:
        if not role:
            parts.append(text(word, (x, middle)))
            continue
        box = Box(word, (x, middle), colours[role], (64, 40))
        label = Box(role, (x, below), colours[role], (60, 34))
        parts += [box, label, Arrow(label.side("top"), box.side("bottom"), role=colours[role])]
    answer = Box("Mary?", (755, 230), "green", (80, 40))
    parts += [answer, Arrow(label.side("bottom"), answer.side("top"))]
    return Drawing("A prompt and its roles: the model answers after END", tuple(parts))
