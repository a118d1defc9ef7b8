# SPDX-License-Identifier: GPL-2.0-or-later
"""What DUT_WIRES and DUT_CONFIG say; keys that nobody asks for are ignored.

Here stands what every host has. Tables of networks and protocols are read by those who know what is in them, with
`Table`, so that every error names the key by its whole path.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class ConfigurationError(Exception):
    """Something in the environment, the configuration or the command line is wrong: one line that says what."""


class Table:
    """One JSON object of DUT_CONFIG."""

    def __init__(self, value: Any, path: str = "") -> None:
        if not isinstance(value, dict):
            raise ConfigurationError(f"DUT_CONFIG: {path.rstrip('.') or 'the whole'} must be a JSON object")
        self.value, self.path = value, path

    def __contains__(self, key: str) -> bool:
        return key in self.value

    def wrong(self, key: str, allowed: str) -> ConfigurationError:
        """The error that says what may stand under a key."""
        return ConfigurationError(f"DUT_CONFIG: {self.path}{key} is {self.value.get(key)!r}, allowed: {allowed}")

    def table(self, key: str) -> "Table":
        """A table in this one; an empty one where there is none."""
        return Table(self.value.get(key, {}), f"{self.path}{key}.")

    def number(self, key: str, low: float, high: float, default: Any = None, *, whole: bool = False) -> Any:
        """A number within limits; a `default` outside of them stands for a key that must be there."""
        value = self.value.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not low <= value <= high:
            raise self.wrong(key, f"a {'whole ' if whole else ''}number {low}..{high}")
        return value

    def integer(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number within limits."""
        return int(self.number(key, low, high, default, whole=True))

    def choice(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """One word of several."""
        value = self.value.get(key, default)
        if value not in allowed:
            raise self.wrong(key, " | ".join(allowed))
        return str(value)

    def address(self, key: str, reading: Any) -> int:
        """An address as a number; `reading` makes it from text, or raises ValueError."""
        try:
            return int(reading(str(self.value.get(key))))
        except ValueError as error:
            raise ConfigurationError(f"DUT_CONFIG: {self.path}{key}: {error}") from None

    def mac(self, key: str) -> bytes:
        """The six bytes of an Ethernet address."""
        try:
            value = bytes.fromhex(str(self.value[key]).replace(":", ""))
        except (KeyError, ValueError):
            value = b""
        if len(value) != 6:
            raise self.wrong(key, "an Ethernet address like 02:00:00:00:00:01")
        return value


@dataclass(frozen=True)
class Configuration:
    """What every host has; `root` is the whole of DUT_CONFIG."""

    wires: tuple[str, ...]
    root: Table
    echo_port: int | None
    applications: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, wires: tuple[str, ...], value: Any) -> "Configuration":
        """Check what is read of any role."""
        root = Table(value)
        services = root.table("services")
        echo_port = services.integer("echo", 1, 65535) if "echo" in services else None
        return cls(wires, root, echo_port, _applications(root.value.get("applications", [])))

    def of_protocol(self, protocol: str) -> Table:
        """The protocol's own table."""
        return self.root.table(protocol)


def _applications(value: Any) -> tuple[tuple[str, ...], ...]:
    if not isinstance(value, list) or not all(
        isinstance(argv, list) and argv and all(isinstance(word, str) for word in argv) for argv in value
    ):
        raise ConfigurationError("DUT_CONFIG: applications must be a list of commands, each a list of words")
    return tuple(tuple(argv) for argv in value)


def read_configuration(environment: Mapping[str, str]) -> Configuration:
    """Read the two environment variables of the DUT contract."""
    wires = tuple(environment.get("DUT_WIRES", "").split())
    if not wires:
        raise ConfigurationError("DUT_WIRES must name an interface")
    path = environment.get("DUT_CONFIG", "")
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
    except OSError as error:
        raise ConfigurationError(f"DUT_CONFIG {path!r}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigurationError(f"DUT_CONFIG {path!r} is no JSON: {error}") from None
    return Configuration.of(wires, value)
