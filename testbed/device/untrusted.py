# SPDX-License-Identifier: GPL-2.0-or-later
"""JSON that a device writes: hostile input, read into plain data or refused."""

import json
from typing import Any


def read_json(line: bytes) -> Any:
    """The value of a line of JSON, in which every text can be written as UTF-8. ValueError for whatever else it is."""
    try:
        value = json.loads(line.decode(errors="backslashreplace"))
        return _storable(value)
    except RecursionError:
        raise ValueError("nested too deep") from None


def _storable(value: Any) -> Any:
    """The same with half surrogates written out, as \\ud800."""
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, dict):
        return {_storable(key): _storable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_storable(inner) for inner in value]
    return value
