# SPDX-License-Identifier: GPL-2.0-or-later
"""What the supervisor is asked to start, and what it has started."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import BufferedReader
from typing import IO, Any

from testbed.device.log import DeviceLog


@dataclass(frozen=True)
class Launch:
    """A device to start: command, configuration and command of the fork server, if any (docs/dut-contract.md)."""

    command: list[str]
    configuration: dict[str, Any]
    fork_server: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Process:
    """A device's process; `pid` is its number here, outside of its namespace."""

    instance: int
    pid: int
    command: list[str]
    stdin: IO[bytes]
    stdout: BufferedReader
    log: DeviceLog


@dataclass(frozen=True)
class Stdio:
    """The device's own streams; `final_words` tells how the device has ended, where it has."""

    stdin: IO[bytes]
    stdout: BufferedReader
    final_words: Callable[[], str]


@dataclass(frozen=True)
class End:
    """The tester's end of a wire: Ethernet addresses, its own and the devices', and two sockets."""

    wire: int
    mac: str
    device_macs: tuple[str, ...]
    capture: int
    sender: int


@dataclass(frozen=True)
class Started:
    """The processes of the devices, the inner one first, and the tester's ends of the wires, the inside first."""

    processes: list[Process]
    ends: list[End]


def command_of(words: Sequence[str]) -> list[str]:
    """A device's command with `{python}` filled in."""
    return [word.replace("{python}", sys.executable) for word in words]
