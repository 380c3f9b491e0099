"""A course of one small day: three parts with every kind of exercise, packed as participants have it."""

from remix_utils.checks import bundle
from remix_utils.checks.lesson import master_paths

PART_1 = '''# %% [markdown]
# # Gathering
# %%
import torch
factor = 2
table = {}
table["a"] = factor
for letter in "bc":
    table[letter] = 0
unused = gather = 1 / 0
print("figures")
# %% exercise="d9.1.1"
def gather(hidden, rows):
    """The rows of hidden."""
    ### BEGIN SOLUTION
    return hidden[rows]
    ### END SOLUTION
# %% check="d9.1.1" points=2
check("d9.1.1", gather)
# %% exercise="d9.1.2"
def root(number):
    """The square root; ValueError below zero."""
    ### BEGIN SOLUTION
    if number < 0:
        raise ValueError(f"{number} is negative")
    return scaled(number) / factor
    ### END SOLUTION


def scaled(number):
    return factor * number**0.5
# %% check="d9.1.2" points=2
check("d9.1.2", root)
# %% exercise="d9.1.3"
### BEGIN SOLUTION
points = 39.2
### END SOLUTION
# %% check="d9.1.3" points=1
check("d9.1.3", points)
# %% exercise="d9.1.quiz"
recall = {"offset": ..., "name": ..., "trend": ...}
### BEGIN SOLUTION
recall = {"offset": -1, "name": "K-composition", "trend": "shrinks"}
### END SOLUTION
# %% check="d9.1.quiz" points=1
check("d9.1.quiz", recall)
# %% [markdown] answer="d9.1.4" points=1.5
# ### BEGIN SOLUTION
# Because.
#
# *Grading, 1.5 points.* Give all of them for a reason.
# ### END SOLUTION
'''
CHECKS_1 = '''"""How the exercises of the small part are judged."""

from remix_utils.checks.exercise import Wrong, edit, edits, exercise, instead, quiz
from remix_utils.checks.questions import name, number, option

from .draws import drawn


def draws(seed):
    return drawn(seed)


exercise(
    "d9.1.1",
    cases=draws,
    mistakes=[
        edit("[rows]", "[:, rows]", says="It permutes neurons."),
        edit("hidden[rows]", "hidden", says="It ignores the rows."),
        instead("def gather(hidden, rows):\\n    return torch.zeros(1)", says="Nothing was gathered."),
    ],
    right=["def gather(hidden, rows):\\n    return torch.stack([hidden[row] for row in rows])"],
    hints=[("Help, it is all zeros", "Look at `rows`."), ("Help, still", "Gather."), ("Help", "x[rows]")],
    seconds=0.3,
    sizes="The check uses other sizes.",
)
def used(answer, number):
    found = answer(number)
    if isinstance(found, str):
        raise Wrong("it gives a text, expected a number.", fix="convert it.")
    return found


exercise("d9.1.2", cases=lambda seed: [(4.0,), (9.0 + seed,), (-1.0,)], use=used, raises=ValueError)
exercise("d9.1.3", mistakes=[instead(0.392, says="A share, not per cent.")])
quiz(
    "d9.1.quiz",
    offset=number(says="Which diagonal?"),
    name=name(says="Which composition?"),
    trend=option("shrinks", "grows", says="Which way does it go?"),
)
'''
DRAWS = '''"""What the parts of the small day share."""

import torch


def drawn(seed):
    numbers = torch.Generator().manual_seed(seed)
    many = torch.randn(3, 4, generator=numbers), torch.tensor([2, 0, 1])
    few = torch.randn(2, 3, generator=numbers), torch.tensor([1, 1])
    return [many, few]
'''
PART_2 = """# %%
import math
# %% exercise="d9.2.1"
### BEGIN SOLUTION
four = root(16)
### END SOLUTION
# %% check="d9.2.1" points=1
check("d9.2.1", four)
# %%
results = {"four": four}
# %% exercise="d9.2.2"
### BEGIN SOLUTION
half = results["four"] / factor
### END SOLUTION
# %% check="d9.2.2" points=1
check("d9.2.2", half)
# %%
print(math.sqrt(half), results, table)
"""
CHECKS_2 = """from remix_utils.checks.exercise import exercise

exercise("d9.2.1")
exercise("d9.2.2")
"""


def write_course(folder):
    """Writes masters, checks and packed files of day 9 into a folder; returns the day's folder."""
    day = folder / "day9_x"
    (day / "checks").mkdir(parents=True)
    texts = {"part1_gather.py": PART_1, "part2_use.py": PART_2, "checks/part1_gather.py": CHECKS_1}
    texts |= {"checks/part2_use.py": CHECKS_2, "checks/draws.py": DRAWS}
    for name, text in texts.items():
        (day / name).write_text(text)
    pack(day)
    return day


def pack(day):
    """Packs every part of a day's folder again."""
    bundle.from_master.cache_clear()
    bundle.read.cache_clear()
    for master in master_paths(day):
        path = day / "checks" / f"{master.stem}.remix"
        path.write_bytes(bundle.packed(bundle.from_master(master)))
