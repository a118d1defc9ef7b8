# SPDX-License-Identifier: GPL-2.0-or-later
"""JSON that a device writes: hostile input, read into plain data or refused."""

import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError


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


class _Result(BaseModel):
    model_config = ConfigDict(strict=True, extra="allow")


class _Listening(_Result):
    listener: int
    port: Annotated[int, Field(ge=1, le=65535)]


class _Connected(_Result):
    connection: int


class _Received(_Result):
    data: Annotated[str, Field(pattern=r"^([0-9a-fA-F]{2})*$")]
    eof: bool


class _Entry(_Connected):
    listener: int | None = None


class _Sockets(_Result):
    connections: list[_Entry]


_RESULTS: dict[str, type[_Result]] = {
    "listen": _Listening,
    "connect": _Connected,
    "receive": _Received,
    "sockets": _Sockets,
}


def checked_result(verb: str, result: Any) -> dict[str, Any]:
    """The result of a verb as docs/dut-contract.md has it. ValueError with one line: where it is wrong, how."""
    if not isinstance(result, dict):
        raise ValueError(f"the result must be a JSON object, not {result!r:.60}")
    if model := _RESULTS.get(verb):
        try:
            model.model_validate(result)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise ValueError(f"the result is wrong: {place}: {first['msg']}, not {first['input']!r:.60}") from None
    return result
