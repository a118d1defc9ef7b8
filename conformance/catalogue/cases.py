# SPDX-License-Identifier: GPL-2.0-or-later
"""Which case judges which requirement: read from the test modules without running them."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from conformance.catalogue.model import CatalogueError

MARK = "requirement"
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Use(NamedTuple):
    """A case, as pytest names it, and a requirement that it judges."""

    case: str
    requirement: str
    path: Path
    line: int


def find_uses(folder: Path) -> list[Use]:
    """Every use of a requirement by a case in `folder`: `@requirement("ID", ...)` on a function, a class or a
    parameter, and `pytestmark`.

    Raises `CatalogueError` with one line for a module that cannot be read and for an id that is not written out.
    """
    return [use for path in sorted(folder.rglob("test_*.py")) for use in _uses(path, folder)]


def by_requirement(uses: list[Use]) -> dict[str, list[str]]:
    """The cases of each requirement, each once."""
    cases: dict[str, dict[str, None]] = {}
    for use in uses:
        cases.setdefault(use.requirement, {})[use.case] = None
    return {requirement: list(names) for requirement, names in cases.items()}


def _uses(path: Path, folder: Path) -> Iterator[Use]:
    try:
        module = ast.parse(path.read_text(encoding="utf-8"), str(path))
    except (OSError, SyntaxError, UnicodeDecodeError, ValueError) as error:
        raise CatalogueError(f"{path}: cannot be read: {error}; allowed is a Python module") from None
    named = _named_values(module)
    inherited = list(_marks(path, named.get("pytestmark", []), named))
    name = path.relative_to(folder.parent).as_posix()
    for case, marks in _cases(path, module.body, name, inherited, named):
        for identifier, line in dict(marks).items():
            yield Use(case, identifier, path, line)


Mark = tuple[str, int]
Values = dict[str, list[ast.expr]]


def _named_values(module: ast.Module) -> Values:
    """What the names of the module stand for: marks and lists of parameters may be written there."""
    named: Values = {}
    for node in module.body:
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    if isinstance(target, ast.Name):
                        named.setdefault(target.id, []).append(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                named.setdefault(name, []).append(value)
    return named


def _cases(
    path: Path, body: list[ast.stmt], prefix: str, inherited: list[Mark], named: Values
) -> Iterator[tuple[str, list[Mark]]]:
    for node in body:
        if isinstance(node, Function) and node.name.startswith("test"):
            yield f"{prefix}::{node.name}", [*inherited, *_marks(path, node.decorator_list, named)]
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            own = [*inherited, *_marks(path, [*node.decorator_list, *_class_marks(node)], named)]
            yield from _cases(path, node.body, f"{prefix}::{node.name}", own, named)


def _class_marks(node: ast.ClassDef) -> Iterator[ast.expr]:
    for statement in node.body:
        if isinstance(statement, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "pytestmark" for target in statement.targets
        ):
            yield statement.value


def _marks(
    path: Path, expressions: list[ast.expr], named: Values, seen: frozenset[str] = frozenset()
) -> Iterator[Mark]:
    """The requirements named anywhere in the expressions, names of the module followed."""
    for expression in expressions:
        for node in ast.walk(expression):
            if isinstance(node, ast.Name) and node.id in named and node.id not in seen:
                yield from _marks(path, named[node.id], named, seen | {node.id})
            elif isinstance(node, ast.Call) and _called(node) == MARK:
                yield from _identifiers(path, node)


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _identifiers(path: Path, call: ast.Call) -> Iterator[Mark]:
    for argument in call.args:
        if not isinstance(argument, ast.Constant) or not isinstance(argument.value, str):
            raise CatalogueError(
                f"{path}:{argument.lineno}: {MARK}({ast.unparse(argument)}): cannot be read without running "
                'the module; allowed are ids written out: "MOPS-4.1-01"'
            )
        yield argument.value, argument.lineno
