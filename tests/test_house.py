"""The rules of the house: who may import whom, and how large things grow."""

import ast
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "remix_utils"

# One storey a line, from the ground up. A room imports from lower lines only, never from its own.
STOREYS = (
    "errors interrupts on_demand",
    "graph/axes graph/buffer graph/functions graph/glob",
    "graph/indexing graph/node",
    "graph/linear graph/walk data tasks/stream tasks/*/vocabulary",
    "graph/operations tasks/*/choices tasks/*/encoding",
    "graph/memory graph/padding",
    "graph/ops graph/narrow graph/selector graph/schedule graph/execute",
    "graph/select graph/evaluate graph/show graph/broadcast",
    "graph/rewrite graph/equality",
    "graph/expand graph/layernorm graph/two_parts",
    "graph/rules",
    "tasks/*/prompt tasks/*/names",
    "intervene tasks/* tasks/*/* models/model scrub/regions",
    "scrub/hypothesis",
    "scrub/draws scrub/moved",
    "scrub/tree scrub/result scrub/claims scrub/judge scrub/storing",
    "scrub/faults",
    "scrub/*",
    "models/transformer_config models/hub_files models/families/settings",
    "models/initial_weights",
    "models/transformer_module",
    "models/transformer models/families/family",
    "models/families/llama",
    "models/families/* models/gguf/file models/gguf/tokenizer",
    "models/gguf/model",
    "models/smollm2",
    "models/*",
    "circuits/factored circuits/network plot/style plot/values plot/axis plot/png",
    "circuits/weights circuits/stream plot/picture plot/svg plot/charts plot/layers plot/patterns",
    "plot/interactive plot/over_graph",
    "circuits/* plot/* checks/watch",
    "checks/attempt checks/compare checks/place checks/telling",
    "checks/pair",
    "checks/lesson checks/progress checks/questions checks/sources classroom/writing",
    "checks/exercise checks/statements",
    "checks/bundle checks/graph_cases checks/predictions checks/random_graphs checks/waiting",
    "checks/edge_budget checks/part checks/small_transformers classroom/repairs classroom/fetching",
    "classroom/findings/card",
    "classroom/findings/page classroom/findings/beside",
    "checks/judge checks/transformer_cases",
    "classroom/grading/wire classroom/grading/batching classroom/grading/watching classroom/grading/stand_ins "
    "classroom/grading/showing classroom/grading/sandbox classroom/grading/package_forms classroom/grading/failures "
    "classroom/grading/plan classroom/grading/answering classroom/grading/calls",
    "classroom/grading/arrays classroom/grading/forks",
    "classroom/grading/modules",
    "classroom/grading/codec",
    "classroom/grading/peer",
    "classroom/grading/judge_peer classroom/grading/worker_peer",
    "classroom/grading/nursery classroom/grading/workers",
    "classroom/grading/referee",
    "classroom/grading/submission classroom/grading/gradebook classroom/grading/feedback",
    "classroom/grading/slot",
    "classroom/grading/judges",
    "classroom/grading/elsewhere",
    "classroom/grading/cohort",
    "classroom/board/catalogue",
    "checks/harness checks/hints checks/catch_up",
    "classroom/course classroom/doctor/finding classroom/ports",
    "classroom/asking classroom/doctor/installation classroom/doctor/machine classroom/doctor/weights classroom/lab",
    "classroom/start classroom/doctor/* classroom/board/lines",
    "classroom/board/standing",
    "classroom/board/room classroom/board/sentences",
    "classroom/board/server",
    "checks/door classroom/exchange classroom/opening classroom/pair classroom/server classroom/findings/*",
    "classroom/*",
    "names cli",
    "__main__",
)

ROOMS = {path.relative_to(HOUSE).with_suffix("").as_posix(): path for path in sorted(HOUSE.rglob("*.py"))}
SOURCES = [
    path
    for folder in ("remix_utils", "tools", "training", "benchmarks", "tests")
    for path in (ROOT / folder).rglob("*.py")
]


def storey(room: str) -> int | None:
    """The first line that names the room; `*` stands for one name."""
    for height, names in enumerate(STOREYS):
        if any(fnmatchcase(room, name) and room.count("/") == name.count("/") for name in names.split()):
            return height
    return None


def imports(path: Path) -> set[str]:
    """What a room imports from the house, wherever in the file: `graph/node`, or `graph` for a folder's __init__."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            base = path.parents[node.level - 1].relative_to(ROOT).parts if node.level else ()
            origin = [*base, *(node.module or "").split(".")] if node.module else [*base]
            modules = ["/".join([*origin, alias.name]) for alias in node.names]
            modules = [name if name.removeprefix("remix_utils/") in ROOMS else "/".join(origin) for name in modules]
        elif isinstance(node, ast.Import):
            modules = [alias.name.replace(".", "/") for alias in node.names]
        else:
            continue
        found |= {
            name.removeprefix("remix_utils").removeprefix("/")
            for name in modules
            if name.split("/")[0] == "remix_utils"
        }
    return found


def test_every_room_has_a_storey():
    """A new room is given its place in the table above before it imports anything."""
    assert [room for room in ROOMS if not room.endswith("__init__") and storey(room) is None] == []


def test_imports_go_down():
    """No room imports from its own storey or from above."""
    heights = {room: storey(room) for room in ROOMS if not room.endswith("__init__")}
    upward = [
        f"{room} (storey {height}) imports {other} (storey {heights[other]})"
        for room, height in heights.items()
        for other in sorted(imports(ROOMS[room]))
        if other in heights and heights[other] >= height
    ]
    assert upward == []


def test_nobody_imports_an_index():
    """Rooms import rooms; what an __init__ gathers is for readers outside the house."""
    rooms = {room: path for room, path in ROOMS.items() if not room.endswith("__init__")}
    assert [
        f"{room} imports {other or 'remix_utils'}" for room in rooms for other in imports(rooms[room]) - set(rooms)
    ] == []


def test_an_index_only_gathers():
    """An __init__ holds imports and `__all__`; the package's own gives out the at most 40 names of `names.py`."""
    assert ast.parse(ROOMS["__init__"].read_text()).body[-1].value.func.id == "serve"
    for room, path in ROOMS.items():
        if room == "names" or (room.endswith("__init__") and room != "__init__"):
            statements = ast.parse(path.read_text()).body
            names = [alias for each in statements if isinstance(each, ast.ImportFrom) for alias in each.names]
            assert all(isinstance(each, ast.ImportFrom | ast.Assign | ast.Expr) for each in statements), room
            assert len(names) <= 40, room


def test_nothing_grows_too_large():
    """A file over 300 lines splits, and so does a function over 50."""
    large = [f"{path.relative_to(ROOT)}: {n} lines" for path in SOURCES if (n := path.read_text().count("\n")) > 300]
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= 50:
                large.append(f"{path.relative_to(ROOT)}: {node.name} has {node.end_lineno - node.lineno + 1} lines")
    assert large == []


def test_every_file_is_about_something():
    """There is no drawer for what has no place."""
    drawers = {"utils", "util", "misc", "helpers", "common", "tools"}
    assert [room for room in ROOMS if drawers & set(room.split("/"))] == []
