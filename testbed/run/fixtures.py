# SPDX-License-Identifier: GPL-2.0-or-later
"""Function-scoped fixtures for cases that run ahead of pytest's items.

Pytest sets fixtures up for one item at a time. The bodies of many cases run at once, so the plain fixtures that they
use (functions of other fixtures, with `return` or `yield`) are called here, in the case's own thread.
"""

import inspect
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest


def call(item: pytest.Function, given: dict[str, Any]) -> None:
    """Call the item's function with its parameters, `given` and whatever fixtures it asks for."""
    with ExitStack() as stack:
        item.obj(**resolve(item, given, stack))


def resolve(item: pytest.Function, given: dict[str, Any], stack: ExitStack) -> dict[str, Any]:
    """The arguments of the item's function; fixtures with `yield` are finished when `stack` unwinds."""
    info = item._fixtureinfo
    values = {**(item.callspec.params if hasattr(item, "callspec") else {}), **given}

    def value(name: str) -> Any:
        if name not in values:
            definitions = info.name2fixturedefs.get(name)
            if not definitions or definitions[-1].scope != "function" or name == "request":
                raise LookupError(f"{item.nodeid}: a case can use function-scoped fixtures of this suite, not {name!r}")
            definition = definitions[-1]
            result = definition.func(**{argument: value(argument) for argument in definition.argnames})
            if inspect.isgenerator(result):
                generator: Iterator[Any] = result
                result = next(generator)
                stack.callback(lambda: next(generator, None))
            values[name] = result
        return values[name]

    return {name: value(name) for name in info.argnames}
