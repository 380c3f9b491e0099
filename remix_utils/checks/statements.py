"""The statements of a lesson, by the names that they make and read; what names rest on."""

from __future__ import annotations

import ast
import builtins
import functools
import symtable
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from remix_utils.checks.lesson import Cell, MasterError

Names = frozenset[str]
KNOWN = frozenset(dir(builtins)) | {"get_ipython", "display", "__name__"}
WHOLE = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Import,
    ast.ImportFrom,
    ast.Assign,
)

TOOLS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Match)


@dataclass(frozen=True)
class Statement:
    """One top-level statement: the names it makes, those it may make or change, those it reads.

    `reads` are needed when it runs, `reads_later` when a function that it defines is called. Of the
    names in `calls`, it only calls a function or method, as in `results.append(x)`. A tool is an
    import or a definition: it computes nothing.
    """

    text: str
    makes: Names
    touches: Names
    reads: Names
    reads_later: Names
    calls: Names = frozenset()
    is_tool: bool = False

    @property
    def is_class(self) -> bool:
        """Whether it defines a class."""
        return self.is_tool and isinstance(ast.parse(self.text).body[0], ast.ClassDef)

    @property
    def mentions(self) -> Names:
        """Every name that it makes, changes or reads, now or later."""
        return self.makes | self.touches | self.reads | self.reads_later

    def changes(self, rooms: Names) -> Names:
        """Returns the names that it makes or changes; a function of a room draws or prints."""
        return self.makes | (self.touches - (self.calls & rooms))


def statements(cells: Iterable[Cell]) -> list[Statement]:
    """Returns the top-level statements of the code cells, in order."""
    found: list[Statement] = []
    for cell in cells:
        if cell.kind == "code":
            found += _in_source(cell.source, cell.line)
    return found


@functools.cache
def _in_source(source: str, line: int) -> tuple[Statement, ...]:
    try:
        body = ast.parse(source).body
    except SyntaxError as error:
        raise MasterError(
            f"The cell at line {line} of its master is not Python: {error}.",
            fix="write plain Python, no magics.",
        ) from error
    lines = source.split("\n")
    return tuple(_statement(node, lines) for node in body)


def _statement(node: ast.stmt, lines: list[str]) -> Statement:
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(each.lineno for each in decorators)])
    text = "\n".join(lines[first - 1 : node.end_lineno])
    table = symtable.symtable(text, "<lesson>", "exec")
    stored = _stored(table)
    later = frozenset(_read_inside(table))
    now = _read_first(node)
    whole = isinstance(node, WHOLE) or (isinstance(node, ast.AnnAssign) and node.value is not None)
    # A function that calls itself finds itself; a value that is made anew may rest on its old one.
    changed = frozenset(_changed(node))
    calls = changed - frozenset(_changed(node, calls=False))
    reads = now | (later - stored)
    makes = stored if whole else _made_by_loop(node)
    touches = changed | (stored - makes)
    return Statement(text, makes, touches, reads, later, calls, isinstance(node, TOOLS))


def _made_by_loop(node: ast.stmt) -> Names:
    """The names that a loop or a `with` surely makes: its variables, and what its body assigns.

    A loop over nothing makes none of them; a lesson that reads them afterwards does not have one.
    """
    if not isinstance(node, ast.For | ast.With):
        return frozenset()
    return frozenset(each.id for each in _targets_of_header(node)).union(*map(_assigned, node.body))


def _assigned(node: ast.stmt) -> Names:
    if not isinstance(node, WHOLE):
        return frozenset()
    return _stored(symtable.symtable(ast.unparse(node), "<lesson>", "exec"))


def _read_first(node: ast.stmt) -> Names:
    """The names that a statement reads at the top level before it has made them itself.

    A loop makes its variables before its body reads them, and so does a `with`; the statements of a
    body run in order.
    """
    blocks = [getattr(node, name, []) for name in ("body", "orelse", "finalbody")]
    if isinstance(node, DEFINITIONS) or not any(blocks):
        # symtable does not say that `total += 1` reads total
        return _referenced(node) | frozenset(_changed(node))
    bound = frozenset(target.id for target in _targets_of_header(node))
    read = frozenset().union(*map(_read_in_order, blocks)) - bound
    for handler in getattr(node, "handlers", []):
        read |= _read_in_order(handler.body) - {handler.name}
    return read.union(*(_referenced(each) for each in _header(node)))


def _read_in_order(body: Sequence[ast.stmt]) -> Names:
    read, made = frozenset(), frozenset()
    for each in body:
        read |= _read_first(each) - made
        made |= _assigned(each)
    return read


def _referenced(node: ast.AST) -> Names:
    table = symtable.symtable(ast.unparse(node), "<lesson>", "exec")
    return frozenset(each.get_name() for each in table.get_symbols() if each.is_referenced())


def _header(node: ast.stmt) -> list[ast.expr]:
    """The expressions of a loop, a condition or a `with` that are read before its body."""
    items = getattr(node, "items", [])
    parts = [getattr(node, name, None) for name in ("iter", "test", "subject")]
    parts += [each.context_expr for each in items]
    parts += [each.type for each in getattr(node, "handlers", [])]
    return [each for each in parts if each is not None]


def _targets_of_header(node: ast.stmt) -> list[ast.Name]:
    """The names that a loop or a `with` binds before its body runs."""
    parts = [getattr(node, "target", None)]
    parts += [each.optional_vars for each in getattr(node, "items", [])]
    inside = [each for part in parts if part is not None for each in ast.walk(part)]
    return [each for each in inside if isinstance(each, ast.Name)]


def _stored(table: symtable.SymbolTable) -> Names:
    """The names that a statement binds at the top level, `global` inside functions included."""
    own = (each for each in table.get_symbols() if each.is_assigned() or each.is_imported())
    names = {each.get_name() for each in own}
    for inner in _tables_inside(table):
        names |= {each.get_name() for each in inner.get_symbols() if _writes_global(each)}
    return frozenset(names)


def _writes_global(symbol: symtable.Symbol) -> bool:
    return symbol.is_declared_global() and symbol.is_assigned()


def _read_inside(table: symtable.SymbolTable) -> Iterator[str]:
    """The names that functions, classes and comprehensions inside read from the lesson."""
    for inner in _tables_inside(table):
        for symbol in inner.get_symbols():
            if symbol.is_global() and symbol.is_referenced():
                yield symbol.get_name()


def _tables_inside(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for inner in table.get_children():
        yield inner
        yield from _tables_inside(inner)


def _changed(node: ast.stmt, calls: bool = True) -> Iterator[str]:
    """Names whose value is written into: `table["a"] = 1`, `total += 1`, `results.append(x)`."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    for each in ast.walk(node):
        is_call = isinstance(each, ast.Expr)
        for target in [] if is_call and not calls else _targets(each):
            root = target
            while isinstance(root, ast.Attribute | ast.Subscript):
                root = root.value
            if isinstance(root, ast.Name) and (
                root is not target or isinstance(each, ast.AugAssign)
            ):
                yield root.id


def _targets(node: ast.AST) -> list[ast.expr]:
    """The places that a statement or expression may write into."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return [node.value.func]
    if isinstance(node, ast.Assign | ast.Delete):
        targets = node.targets
    elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.For | ast.NamedExpr):
        targets = [node.target]
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        targets = [node.optional_vars]
    else:
        return []
    flat: list[ast.expr] = []
    for target in targets:
        flat += target.elts if isinstance(target, ast.Tuple | ast.List) else [target]
    # `first, *rest = values` makes `rest`, and writes into nothing
    return [each.value if isinstance(each, ast.Starred) else each for each in flat]


def chosen(known: Sequence[Statement], wanted: Iterable[str]) -> list[Statement]:
    """Returns the statements, in order, that the wanted names rest on at the end of `known`."""
    return [known[place] for place in places(known, wanted)]


def places(known: Sequence[Statement], wanted: Iterable[str]) -> list[int]:
    """Returns where the statements stand that the wanted names rest on at the end of `known`."""
    at_end, rooms = set(wanted), rooms_of(known)
    while True:
        live, later, kept = set(at_end), set(), []
        for place in reversed(range(len(known))):
            each = known[place]
            if each.changes(rooms) & live:
                kept.append(place)
                live = (live - each.makes) | each.reads
                later |= each.reads_later
        if later <= at_end:
            return kept[::-1]
        at_end |= (
            later  # a function finds the names of the end, whatever stood there when it was made
        )


def rooms_of(known: Sequence[Statement]) -> Names:
    """Returns the names from remix_utils, whose functions change nothing in it: `plot.bars(x)`."""
    ours = (each.makes for each in known if each.text.startswith("from remix_utils"))
    return frozenset().union(*ours)


def closure(known: Sequence[Statement], wanted: Iterable[str]) -> list[str]:
    """Returns the texts of the statements that the wanted names rest on."""
    return [each.text for each in chosen(known, wanted)]


def bring(
    before: Sequence[Statement], rest: Sequence[Statement]
) -> tuple[list[Statement], list[str]]:
    """Returns what the rest of a part needs: statements to run, and names to bring.

    Every class of these statements is among the names. Otherwise a value could be of another class
    than the one that an earlier rejoin has left under the name.
    """
    made_before = frozenset().union(*(each.makes | each.touches for each in before))
    names = needs(rest) & made_before
    needed = chosen(before, names)
    names |= frozenset().union(*(each.makes for each in needed if each.is_class))
    order = dict.fromkeys(name for each in before for name in sorted(each.makes | each.touches))
    return needed, [name for name in order if name in names]


def needs(rest: Sequence[Statement]) -> Names:
    """Returns the names that statements read before they make them."""
    wanted: set[str] = set()
    made: set[str] = set()
    for each in rest:
        wanted |= each.reads - made
        made |= each.makes
    # A function of the rest may read a name that only later statements of the rest make.
    later = frozenset().union(*(each.reads_later for each in rest))
    return frozenset(wanted | (later - made))


def unbound(run: Sequence[Statement]) -> dict[str, Statement]:
    """Returns the names that statements read, in this order, although nothing before makes them."""
    made = set(KNOWN)
    missing: dict[str, Statement] = {}
    all_made = KNOWN.union(*(each.makes | each.touches for each in run))
    for each in run:
        now = each.reads - each.reads_later
        late = each.reads_later & each.reads
        for name in (now - made - each.makes - each.touches) | (late - all_made):
            missing.setdefault(name, each)
        made |= each.makes | each.touches
    return missing
