# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers under which a message travels (EtherType, protocol number, port) and readings of a message that a profile may
set otherwise.

A module that has such a number or reading declares it; commands offer everything that is declared as an option.
"""

from collections.abc import Callable
from typing import Any, NamedTuple


class Binding(NamedTuple):
    """A number and the function that binds it: from then on messages are dissected under this number and no other.

    Where `readings` are named it is one of them instead of a number.
    """

    option: str
    meaning: str
    default: Any
    bind: Callable[[Any], None]
    readings: tuple[str, ...] = ()

    def value(self, text: str) -> Any:
        """What a word of a command line stands for; ValueError where it is none."""
        return text if self.readings else int(text, 0)

    @property
    def shown(self) -> str:
        """The default in words."""
        return self.default if self.readings else f"{self.default:#x}"

    @property
    def key(self) -> str:
        """The option as argparse names its value."""
        return self.option.removeprefix("--").replace("-", "_")


_declared: dict[str, Binding] = {}


def declare(binding: Binding) -> None:
    """Offer the number as an option; ValueError where another has the same option."""
    if binding.option in _declared:
        raise ValueError(f"{binding.option} is declared twice")
    _declared[binding.option] = binding


def declared() -> tuple[Binding, ...]:
    """Every number that was declared, by option."""
    return tuple(_declared[option] for option in sorted(_declared))


def bind_defaults() -> None:
    """Bind every number to its default, those too that importing a layer does not bind."""
    for binding in declared():
        binding.bind(binding.default)
