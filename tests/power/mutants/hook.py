# SPDX-License-Identifier: GPL-2.0-or-later
"""Modules that are imported from another text than their file's: no tree is changed, and mutants run side by side."""

import ast
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.abc import InspectLoader, MetaPathFinder
from types import CodeType, ModuleType

MARK = "_statement_runs_"
"""The name, in an instrumented module, that is called with a line before the statement that begins there."""


class _Loader(InspectLoader):
    def __init__(self, path: str, code: CodeType, given: dict[str, object]) -> None:
        self._path = path
        self._code = code
        self._given = given

    def get_source(self, fullname: str) -> None:
        """Nothing: the file says something else."""

    def get_code(self, fullname: str) -> CodeType:
        """What is imported."""
        return self._code

    def exec_module(self, module: ModuleType) -> None:
        """Run it, with the names that it is given."""
        vars(module).update(self._given)
        super().exec_module(module)


class Substitutes(MetaPathFinder):
    """Imports these modules from these trees; `given` makes the names that one is given."""

    def __init__(self, trees: dict[str, ast.Module], given: Callable[[str], dict[str, object]] = lambda _: {}) -> None:
        self._trees = trees
        self._given = given

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The module with the other text, None for every other module."""
        if name not in self._trees:
            return None
        found = importlib.machinery.PathFinder.find_spec(name, path, target)
        file = found.origin if found and found.origin else name
        code = compile(self._trees[name], file, "exec", dont_inherit=True)
        return importlib.util.spec_from_loader(name, _Loader(file, code, self._given(name)), origin=file)

    def install(self) -> None:
        """From now on. A module that has been imported already is an error: it would stay as it is."""
        if early := self._trees.keys() & sys.modules.keys():
            raise ImportError(f"imported before their substitutes: {', '.join(sorted(early))}")
        sys.meta_path.insert(0, self)


def instrumented(source: str) -> ast.Module:
    """The source with a call of MARK before every statement of its functions."""
    tree = ast.parse(source)
    for node in list(ast.walk(tree)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            _mark(node)
    return ast.fix_missing_locations(tree)


def _mark(parent: ast.AST) -> None:
    for name, value in ast.iter_fields(parent):
        if not isinstance(value, list) or not value or name == "decorator_list":
            continue
        if isinstance(value[0], ast.stmt):
            setattr(parent, name, [new for one in value for new in _marked(one)])
        else:
            for one in value:
                if isinstance(one, ast.ExceptHandler | ast.match_case):
                    _mark(one)


def _marked(statement: ast.stmt) -> list[ast.stmt]:
    if not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        _mark(statement)
    if isinstance(statement, ast.Nonlocal | ast.Global):
        return [statement]
    call = ast.Expr(ast.Call(ast.Name(MARK, ast.Load()), [ast.Constant(statement.lineno)], []))
    return [ast.copy_location(call, statement), statement]
