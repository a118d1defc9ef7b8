# SPDX-License-Identifier: GPL-2.0-or-later
"""Results of the upper tester's verbs, as docs/dut-contract.md has them."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError


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


class _Listener(_Result):
    listener: int


class _Sockets(_Result):
    connections: list[_Entry]
    listeners: list[_Listener] = []


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
