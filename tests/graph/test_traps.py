"""What goes wrong in engines like this one, and that each of it is tested somewhere here."""

import re
from pathlib import Path

TRAPS = {
    1: "recursion without memory is exponential in the depth of skip connections",
    2: "a path that is given by its end alone claims every way there",
    3: "lifting pays only where enough rows ask for it",
    4: "a resample needs its child on every row that it reads before its first chunk",
    5: "names are no content, and no identity either",
    6: "replacement is simultaneous, so that two layers split in one mapping lose one",
    7: "rows must not broadcast against an example's own axes",
    8: "drawn rows do not mix with undrawn ones, and draws are not nested",
    9: "functions need some axes whole; indices commute; masks travel with what they hide",
    10: "keys are hashes of content, with dtypes, made once, and a changed tensor must not matter",
    11: "a sweep that returns all logits is large: the metric belongs into the graph",
    12: "nothing is accumulated into a child, and views keep the memory of what they look at",
    13: "what inference mode made cannot enter autograd",
    14: "products with weights as they are stored need no special cases",
    15: "editing by difference agrees with adding all terms again",
    16: "everything split costs many nodes and little work",
}


def test_every_trap_is_tested():
    """Each number stands in the docstring of a test, and no test names a trap that is not listed."""
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    tested = {int(number) for number in re.findall(r"\(trap (\d+)\)", sources)}
    assert tested == set(TRAPS)
