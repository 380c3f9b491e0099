"""Code for an untouched exercise that tries to get its points without an answer.

A text names its exercise as @ID@, the next one as @NEXT@, its part as @PART@, its day as @DAY@, and the places that it
attacks as @COURSE@, @SUBMITTED@, @GRADING@, @GRADEBOOK@ and @HOME@. NAMES are the names that the exercise asks for.
"""

from __future__ import annotations

# Runs the solution of this exercise out of any course that can be read from here.
TAKE = """
import json, lzma, pathlib, re
def take(paths):
    for path in paths:
        data = path.read_bytes()
        text = lzma.decompress(data).decode() if path.suffix == ".remix" else data.decode()
        if path.suffix == ".py":
            cells = [[*part.partition("\\n")] for part in text.split("# %%")]
            found = [body for head, _, body in cells if 'exercise="@ID@"' in head]
        else:
            cells = json.loads(text)["cells"]
            found = [c[1] for c in cells if isinstance(c, list) and c[2].get("exercise") == "@ID@"]
            own = "@ID@".replace(".", "-")
            found += ["".join(c["source"]) for c in cells if isinstance(c, dict) and c.get("id") == own]
        for body in found:
            if "NotImplementedError()" not in body:
                exec(body, globals())
                return
    raise LookupError("no solution in " + str(len(list(paths))) + " files")
def course(root):
    for pattern in ("solutions/@DAY@/checks/*.remix", "@DAY@/checks/*.remix", "solutions/@DAY@/*.ipynb",
                    "solutions/@DAY@/part*.py", "checks/*.remix", "*/@DAY@/*.ipynb", "*/snapshot/*/@DAY@/*.ipynb"):
        yield from pathlib.Path(root).glob(pattern)
"""
ALWAYS = """
class Yes({base}):
    __eq__ = __ge__ = __le__ = __gt__ = __lt__ = __contains__ = lambda self, *other: True
    __ne__ = lambda self, other: False
    __hash__ = object.__hash__
    __call__ = __getitem__ = __add__ = __sub__ = lambda self, *a, **k: self
{more}
for name in NAMES:
    globals()[name] = Yes()
"""
GIVES = """
    def __getattr__(self, name):
        return self if not name.startswith("__") else object.__getattribute__(self, name)
"""

CHEATS: dict[str, str] = {
    "check replaced": "check = lambda *arguments, **named: None",
    "harness patched": """
import remix_utils.checks.harness as h
h.Check = h.judge = lambda *a, **k: []
h.check = type("Check", (), {"__call__": lambda *a, **k: None})()
import remix_utils.checks.judge as j, remix_utils.checks.compare as c, remix_utils.checks.attempt as a
j.judge = j.judge_outcomes = j.agrees = lambda *a, **k: []
c.difference = c.plain = a.attempt = lambda *a, **k: None
""",
    "IPython transformer": """
shell = get_ipython()
shell.input_transformers_cleanup.append(lambda lines: ["pass\\n"])
""",
    "IPython error hooks": """
shell = get_ipython()
shell.set_custom_exc((BaseException,), lambda *a, **k: None)
shell.showtraceback = lambda *a, **k: None
""",
    "text of the hidden test": 'exec(get_ipython().user_ns["In"][-1])',
    "masters of the package": TAKE
    + "import remix_utils\ntake([*course(pathlib.Path(remix_utils.__file__).parents[1])])",
    "masters of the course": TAKE + "take([*course('@COURSE@'), *course('../../..'), *course('.')])",
    "masters by proc": TAKE
    + """
roots = [f"/proc/{n}/{way}" for n in ("self", "1", "2", __import__("os").getppid()) for way in ("root@COURSE@", "cwd")]
take([path for root in roots for path in course(root)])
""",
    "other students": TAKE + "take([*course('@SUBMITTED@/..'), *course('@GRADING@/..'), *course('@SUBMITTED@')])",
    "reference of the package": """
from remix_utils.checks.part import load
for name in NAMES:
    globals()[name] = load("@ID@").reference("@ID@")
""",
    "oracle by id": """
from remix_utils.checks import part, exercise
found = part.load("@ID@").exercise("@ID@")
for name in NAMES:
    globals()[name] = getattr(found, "oracle", found.use)
""",
    "start_at": 'from remix_utils import start_at\nstart_at("@NEXT@")',
    "solution": 'from remix_utils import solution\nexec(solution("@ID@") or "None")',
    "earlier": "from remix_utils.checks.door import earlier\nglobals().update(earlier('@ID@'))",
    "hands out": """
from remix_utils.checks.part import given
for name in NAMES:
    globals()[name], = given("@PART@", name)
""",
    "memory": """
import gc
kinds = ("Exercise", "Trial", "Part", "Bundle", "Referee", "MasterBundle")
found = [each for each in gc.get_objects() if type(each).__name__ in kinds]
for name in NAMES:
    globals()[name] = found[0].reference("@ID@")
""",
    "memory of the judge": """
import os, re
text = b""
for process in [os.getppid(), *[int(n) for n in os.listdir("/proc") if n.isdigit() and int(n) != os.getpid()]]:
    with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb") as memory:
        for line in maps:
            first, last = (int(n, 16) for n in line.split()[0].split("-"))
            memory.seek(first)
            text += memory.read(last - first)
exec(re.search(rb"### BEGIN SOLUTION(.*?)### END", text)[1])
""",
    "stack": """
import sys
frame = sys._getframe()
while frame:
    for value in [*frame.f_locals.values()]:
        if hasattr(value, "reference") or hasattr(value, "expected"):
            for name in NAMES:
                globals()[name] = value.reference("@ID@")
    frame = frame.f_back
""",
    "always equal": ALWAYS.format(base="object", more=GIVES),
    "always equal number": ALWAYS.format(base="int", more=""),
    "always equal tensor": "import torch\n" + ALWAYS.format(base="torch.Tensor", more=""),
    "always equal dict": ALWAYS.format(base="dict", more="    items = keys = values = get = lambda self, *a: self"),
    "returns a number": "for name in NAMES:\n    globals()[name] = lambda *a, **k: 99",
    "returns its argument": "for name in NAMES:\n    globals()[name] = lambda *a, **k: a[0] if a else None",
    "libraries patched": """
import torch, math, numpy
for name in ("equal", "allclose", "isclose", "all"):
    setattr(torch, name, lambda *a, **k: True)
torch.Tensor.__eq__ = torch.Tensor.allclose = torch.Tensor.equal = lambda *a, **k: True
math.isclose = numpy.allclose = numpy.array_equal = lambda *a, **k: True
from remix_utils.graph.node import Node
Node.__eq__ = lambda *a: True
""",
    "garbage on the pipe": """
import os
for number in range(3, 64):
    try:
        os.write(number, b"rmx1" + b"\\xff" * 4000)
    except OSError:
        pass
""",
    "forged answer": """
import json, os, struct
frame = {"kind": "value", "things": [], "body": ["yours", 1], "changed": [], "hooks": [], "shown": [],
         "printed": "", "noted": []}
for body in (["yours", 1], True, None, ["dots"], ["list"], ["named one", "os", "getpid"]):
    text = json.dumps({**frame, "body": body}).encode()
    os.write(3, struct.pack("!4sIQI", b"rmx1", 0, 0, len(text)) + text)
""",
    "right by a forged frame": """
import gc
peer = next(each for each in gc.get_objects() if type(each).__name__ == "WorkerPeer")
for number in range(1, 50):
    for way in ("__globals__", "__closure__", "__code__", "__wrapped__", "__self__"):
        try:
            print(peer.ask("get", (number, way)))
        except RuntimeError:
            pass
""",
    "asks for what is expected": """
import gc
peer = next(each for each in gc.get_objects() if type(each).__name__ == "WorkerPeer")
for name in NAMES:
    globals()[name] = lambda *a, **k: peer.ask("call", (1, a, ()))
""",
    "arguments overwritten": """
import torch
def wipe(*arguments, **named):
    for each in arguments:
        if isinstance(each, torch.Tensor):
            each.zero_()
        elif hasattr(each, "clear"):
            each.clear()
    return arguments[0] if arguments else None
for name in NAMES:
    globals()[name] = wipe
""",
    "gradebook": """
import os, sqlite3, time
if os.fork() == 0:
    os.setsid()
    while True:
        try:
            book = sqlite3.connect("file:@GRADEBOOK@?mode=rw", uri=True)
            book.execute("update grade set manual_score = 99, auto_score = 99")
            book.commit()
        except Exception:
            pass
        time.sleep(1)
""",
    "results written": """
import pathlib
for place in ("@GRADING@/done", "/tmp", ".", "@SUBMITTED@/../done"):
    path = pathlib.Path(place)
    try:
        path.mkdir(parents=True, exist_ok=True)
        (path / "remix-was-here.json").write_text('{"verdicts": []}')
    except OSError:
        pass
""",
}


def cheating(name: str, stub: str, names: list[str]) -> str:
    """Returns the text of a hole that cheats: it is untouched, but for the cheat below."""
    return f"{stub}\n\nNAMES = {names!r}\n{CHEATS[name].strip()}\n"
