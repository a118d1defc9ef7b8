# SPDX-License-Identifier: GPL-2.0-or-later
"""The fields of a reply, judged together."""

from typing import Any

from conformance.mops.migrate import Reply, in_mops
from testbed.case.verdict import Broken, Difference, Finding

COPIED = ("type", "version", "protocol", "previous_source", "migrated_source")
"""The fields in which every reply equals its request, beside Count and the entries."""


def require_fields(reply: Reply, **fields: Any) -> None:
    """Broken, with all fields that differ, unless the reply has exactly these field values."""
    frame, message = reply
    differences = [
        Difference(name, _shown(name, value), _shown(name, message.getfieldval(name)))
        for name, value in fields.items()
        if not _same(name, value, message.getfieldval(name))
    ]
    if differences:
        names = ", ".join(difference.field for difference in differences)
        wanted = ", ".join(f"{one.field} {one.expected}" for one in differences)
        seen = ", ".join(f"{one.field} {one.seen}" for one in differences)
        raise Broken(Finding(f"reply #{frame.index} differs in {names}", wanted, seen, differences), frame)


def _same(name: str, expected: Any, seen: Any) -> bool:
    if name.endswith("_source"):
        return in_mops(expected) == in_mops(seen)
    return bool(expected == seen)


def _shown(name: str, value: Any) -> str:
    if name.endswith("_source"):
        return in_mops(value)
    if name == "entries":
        return " ".join(f"{previous}>{migrated}:{identifier}" for previous, migrated, identifier in value) or "none"
    return str(value)
