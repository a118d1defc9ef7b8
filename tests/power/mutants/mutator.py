# SPDX-License-Identifier: GPL-2.0-or-later
"""Small faults in Python source: every way of making one module of the reference wrong by one small change.

Nothing is changed of what no peer can see: annotations, texts, log lines, and the counters that only `status` tells.
"""

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType

from tests.power.mutants.operators import OPERATORS

_UNSEEN = ("log", "counters")
"""Names in a statement that only people see."""


@dataclass(frozen=True)
class Mutant:
    """One small fault. `statement` is the line of the innermost statement that it is in, 0 outside of functions.

    `number` counts from 1 those that are equal in all other respects, in one function; `span` is the node's place: line
    and byte of its beginning and of its end.
    """

    module: str
    function: str
    operator: str
    old: str
    new: str
    number: int
    statement: int
    span: tuple[int, int, int, int]

    @property
    def key(self) -> tuple[str, str, str, str, str, int]:
        """What the mutant is called in `mutants.toml`: it survives every change elsewhere in the file."""
        return self.module, self.function, self.operator, self.old, self.new, self.number

    @property
    def id(self) -> str:
        """The key in eight digits."""
        return hashlib.sha256(repr(self.key).encode()).hexdigest()[:8]

    @property
    def text(self) -> str:
        """The mutant in one line."""
        number = f" ({self.number})" if self.number > 1 else ""
        return f"{self.module.removeprefix('reference.')} {self.function}: `{self.old}` becomes `{self.new}`{number}"

    def applied(self, source: str) -> str:
        """The module's source with this fault in it, every other line where it was."""
        first, start, last, end = self.span
        lines = source.encode().splitlines(keepends=True)
        rest = "\n" * (last - first)
        written = f"({self.new}{rest})" if _is_expression(self.new) else self.new + rest
        head, tail = lines[first - 1][:start], lines[last - 1][end:]
        return (b"".join(lines[: first - 1]) + head + written.encode() + tail + b"".join(lines[last:])).decode()

    def changes_nothing(self, source: str) -> bool:
        """Whether the compiler makes the same of the module with and without the fault."""
        one, other = (compile(text, self.module, "exec", dont_inherit=True) for text in (source, self.applied(source)))
        return _code(one) == _code(other)


def mutants(module: str, source: str) -> list[Mutant]:
    """Every mutant of a module, those that change nothing among them."""
    found: list[Mutant] = []
    count: Counter[tuple[str, ...]] = Counter()
    for place in _places(ast.parse(source)):
        old = ""
        for operator, make in OPERATORS.items():
            for new in make(place.node, place.in_function):
                old = old or ast.unparse(place.node)
                named = module, place.function, operator, old, new if isinstance(new, str) else ast.unparse(new)
                count[named] += 1
                found.append(Mutant(*named, count[named], place.statement, _span(place.node)))
    return found


def drawn(population: list[Mutant], seed: int, count: int) -> list[Mutant]:
    """So many of them, decided by the seed and each one's own key: a change elsewhere changes nothing of the others."""

    def place(mutant: Mutant) -> bytes:
        return hashlib.sha256(f"{seed} {mutant.key}".encode()).digest()

    return sorted(population, key=place)[:count]


@dataclass(frozen=True)
class _Place:
    node: ast.AST
    function: str
    statement: int
    in_function: bool


def _places(tree: ast.Module) -> Iterator[_Place]:
    yield from _inside(tree, "", 0, in_function=False)


def _inside(parent: ast.AST, function: str, statement: int, *, in_function: bool) -> Iterator[_Place]:
    """Every node below `parent` that may be changed."""
    for name, value in ast.iter_fields(parent):
        if name in ("annotation", "returns", "decorator_list") or _are_types(parent, name):
            continue
        for node in value if isinstance(value, list) else [value]:
            if not isinstance(node, ast.AST) or _is_unseen(node):
                continue
            inner, line, within = function, statement, in_function
            if isinstance(node, ast.stmt) and in_function:
                line = node.lineno
            yield _Place(node, function or "module", line, in_function)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inner = f"{function}.{node.name}".lstrip(".")
                within = not isinstance(node, ast.ClassDef)
            yield from _inside(node, inner, line, in_function=within)


def _is_unseen(node: ast.AST) -> bool:
    """Texts, and what only logs, counts or tells people."""
    if isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.FunctionDef) and node.name == "status":
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    target = node.value if isinstance(node, ast.Expr) else node.target if isinstance(node, ast.AugAssign) else None
    while isinstance(target, ast.Call | ast.Subscript):
        target = target.func if isinstance(target, ast.Call) else target.value
    name = target.attr if isinstance(target, ast.Attribute) else target.id if isinstance(target, ast.Name) else ""
    return name in _UNSEEN


def _are_types(parent: ast.AST, field: str) -> bool:
    """Whether a field holds types: the base classes of a class, the second argument of isinstance and cast."""
    if isinstance(parent, ast.ClassDef):
        return field in ("bases", "keywords")
    callee = parent.func if isinstance(parent, ast.Call) else None
    return isinstance(callee, ast.Name) and callee.id in ("isinstance", "cast", "TypeVar", "NewType")


def _span(node: ast.AST) -> tuple[int, int, int, int]:
    assert isinstance(node, ast.expr | ast.stmt)
    return node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True


def _code(code: CodeType) -> tuple[object, ...]:
    """What a code object does, wherever it stands: two sources with equal ones are one program."""
    constants = tuple(
        _code(one) if isinstance(one, CodeType) else (type(one).__name__, repr(one)) for one in code.co_consts
    )
    return code.co_code, constants, code.co_names, code.co_varnames, code.co_exceptiontable
