# SPDX-License-Identifier: GPL-2.0-or-later
"""The kinds of small faults: each is a function from a node to what may stand in its place."""

import ast
import copy
from collections.abc import Callable, Iterator

_BOUNDARIES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
_OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
}

_OF_TYPES = ("isinstance", "issubclass", "cast")

LEFT_OUT = "pass"
"""What stands in the place of a statement that is left out."""

Made = Iterator[ast.AST | str]


def _boundary(node: ast.AST, in_function: bool) -> Made:
    """`<` for `<=`."""
    yield from _compared(node, _BOUNDARIES)


def _comparison(node: ast.AST, in_function: bool) -> Made:
    """The opposite comparison."""
    yield from _compared(node, _OPPOSITES)


def _compared(node: ast.AST, table: dict[type[ast.cmpop], type[ast.cmpop]]) -> Made:
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            if type(operator) in table:
                new = copy.deepcopy(node)
                new.ops[index] = table[type(operator)]()
                yield new


def _statement(node: ast.AST, in_function: bool) -> Made:
    """A call or an assignment is left out."""
    if in_function and isinstance(node, ast.Expr | ast.Assign | ast.AugAssign | ast.Delete):
        yield LEFT_OUT


def _leaving(node: ast.AST, in_function: bool) -> Made:
    """A return, continue, break or raise is left out."""
    if in_function and isinstance(node, ast.Return | ast.Continue | ast.Break | ast.Raise):
        yield LEFT_OUT


def _operand(node: ast.AST, in_function: bool) -> Made:
    """One operand of `and` or `or` is left out."""
    if isinstance(node, ast.BoolOp):
        for index in range(len(node.values)):
            left = [value for place, value in enumerate(node.values) if place != index]
            yield left[0] if len(left) == 1 else ast.BoolOp(node.op, left)


def _boolean(node: ast.AST, in_function: bool) -> Made:
    """`or` for `and`, and without `not`."""
    if isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand


def _condition(node: ast.AST, in_function: bool) -> Made:
    """The other branch of `x if y else z`."""
    if isinstance(node, ast.IfExp):
        yield ast.IfExp(node.test, node.orelse, node.body)


def _arguments(node: ast.AST, in_function: bool) -> Made:
    """Two neighbouring arguments change places."""
    if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in _OF_TYPES):
        for index, (one, other) in enumerate(zip(node.args, node.args[1:], strict=False)):
            if not isinstance(one, ast.Starred) and not isinstance(other, ast.Starred):
                swapped = [*node.args[:index], other, one, *node.args[index + 2 :]]
                yield ast.Call(node.func, swapped, node.keywords)


def _constant(node: ast.AST, in_function: bool) -> Made:
    """The next number, 0 for 1, False for True."""
    if not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int | float):
        yield ast.Constant(0 if node.value == 1 else node.value + 1)


def _arithmetic(node: ast.AST, in_function: bool) -> Made:
    """Minus for plus, and so on."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _ARITHMETIC:
        new = copy.copy(node)
        new.op = _ARITHMETIC[type(node.op)]()
        yield new


OPERATORS: dict[str, Callable[[ast.AST, bool], Made]] = {
    "boundary": _boundary,
    "comparison": _comparison,
    "statement": _statement,
    "leaving": _leaving,
    "operand": _operand,
    "boolean": _boolean,
    "condition": _condition,
    "arguments": _arguments,
    "constant": _constant,
    "arithmetic": _arithmetic,
}
"""By name. Each is called with a node and whether it stands in a function."""
