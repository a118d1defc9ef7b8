# SPDX-License-Identifier: GPL-2.0-or-later
"""What a case says of itself: the requirements it judges, the kind of behaviour, the waits it needs."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # the supervisor's process starts fast: it imports this module and no packet library
    from profiles import Profile
    from testbed.device.chain import Chain


def requirement(*identifiers: str, case: int | None = None) -> pytest.MarkDecorator:
    """The case judges these requirements of the catalogue; `case` numbers it among those of the first of them.

    Requirement and number are the case's id, which stays when function, module or order change: a number is never used
    again. Where rows of a table name requirements of their own, the number may stand at the function.
    """
    return pytest.mark.requirement(*identifiers) if case is None else pytest.mark.requirement(*identifiers, case=case)


valid = pytest.mark.behaviour("valid")
"""The tester behaves as the specification says."""

invalid = pytest.mark.behaviour("invalid")
"""The tester sends what the specification forbids or leaves undefined."""

inopportune = pytest.mark.behaviour("inopportune")
"""The tester sends something well-formed at a moment when it does not fit."""


exclusive = pytest.mark.exclusive
"""The case gets a device of its own, on wires of its own.

Alone it means that the case moves the device, and with it every connection that others would have; sockets that it
opens and addresses that it leaves or learns stay afterwards. `exclusive("why")` names another reason.
"""


def chain(plan: "Callable[[Profile], Chain]") -> pytest.MarkDecorator:
    """The case is about a device that stands in a chain of devices: it gets one of its own."""
    return pytest.mark.chain.with_args(plan)


def over(*networks: str) -> pytest.MarkDecorator:
    """The case is about these networks alone, though its role has others."""
    return pytest.mark.over(*networks)


def waits(seconds: float) -> pytest.MarkDecorator:
    """The case waits for about this many seconds at the timers of the specification: long cases start first."""
    return pytest.mark.waits(seconds)


MARKERS = (
    "requirement(*ids, case=number): requirements of the catalogue that the case judges, and its number",
    "behaviour(kind): valid, invalid or inopportune behaviour of the tester",
    "exclusive(why): the case gets a device of its own, because it moves it or for the reason named",
    "chain(plan): the case gets a device of its own, in a chain of devices",
    "over(*networks): the networks that the case is about, where its role has others",
    "waits(seconds): mandated waits of the case at the timers of the specification",
)
