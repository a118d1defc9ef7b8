# SPDX-License-Identifier: GPL-2.0-or-later
"""What is wrong with a profile, in one line: the key and what is allowed there."""

import re
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from profiles.table import PerLink

Location = tuple[int | str, ...]


def describe(error: ValidationError, model: type[BaseModel]) -> str:
    """The first error as `key: what is allowed, not value`, and how many more there are."""
    first, *others = error.errors()
    location = _location(first)
    key = ".".join(str(part) for part in _as_written(location, model))
    message = _message(first, location, model)
    given = first["input"]
    silent = first["type"] in ("missing", "extra_forbidden", "union_tag_not_found", "union_tag_invalid", "no_cases")
    shown = f", not {given!r}" if isinstance(given, (str, int, float, list)) and not silent else ""
    more = f" (and {len(others)} more)" if others else ""
    return f"{key}: {message}{shown}{more}" if key else f"{message}{more}"


def _location(error: ErrorDetails) -> Location:
    """The path of keys: pydantic adds the kind of link, and marks the key of a mapping."""
    parts = tuple(part for part in error["loc"] if part != "[key]")
    if parts[:1] == ("link",):
        parts = parts[:2] + parts[3:]
        parts += ("kind",) if error["type"].startswith("union_tag") else ()
    return parts


def _as_written(location: Location, model: type[BaseModel]) -> Location:
    """The location as the file has it: the table of the only link stands directly under its name."""
    return tuple(
        part
        for place, part in enumerate(location)
        if not (part == "link" and any(issubclass(table, PerLink) for table in _tables(model, location[:place])))
    )


def _message(error: ErrorDetails, location: Location, model: type[BaseModel]) -> str:
    context = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            return f"is not a key; allowed are {', '.join(keys(model, location[:-1]))}"
        case "missing":
            meaning = next((field.description for field in _fields(model, location[:-1], str(location[-1]))), None)
            return f"is missing: {meaning}" if meaning else "is missing"
        case "union_tag_not_found":
            return f"is missing; allowed are {context.get('expected_tags', _KINDS)}"
        case "union_tag_invalid":
            return f"must be {context['expected_tags']}, not {context['tag']!r}"
    message = error["msg"].removeprefix("Value error, ")
    for pydantic, ours in _WORDS:
        message = re.sub(pydantic, ours, message)
    return message


_KINDS = "'namespace', 'interface'"
_WORDS = (
    ("Input should be", "must be"),
    ("String should", "must"),
    ("List should", "must"),
    ("a valid string", "text in quotes"),
    ("a valid list", "a list in brackets"),
    ("a valid boolean", "true or false"),
    (r"a valid dictionary( or (instance of \w+(\[.*\])?|object to extract fields from))?", "a table"),
)


def keys(model: type[BaseModel], location: Location = ()) -> list[str]:
    """The keys that are allowed in the table at `location`."""
    names = [name for table in _tables(model, location) for name in table.model_fields]
    return [name for name in dict.fromkeys(names) if location or name != "path"]


def _fields(model: type[BaseModel], location: Location, name: str) -> Iterator[Any]:
    for table in _tables(model, location):
        if name in table.model_fields:
            yield table.model_fields[name]


def _tables(model: type[BaseModel], location: Location) -> list[type[BaseModel]]:
    """The models of the table at `location`: more than one where the key has several kinds."""
    tables = [model]
    for part in (part for part in location if isinstance(part, str)):
        inner = [table.model_fields[part].annotation for table in tables if part in table.model_fields]
        tables = [table for annotation in inner for table in tables_of(annotation)]
    return tables


def tables_of(annotation: Any) -> list[type[BaseModel]]:
    """The models in a type annotation."""
    if get_origin(annotation) is Annotated:
        return tables_of(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [table for one in get_args(annotation) for table in tables_of(one)]
    if get_origin(annotation) is list:
        return tables_of(get_args(annotation)[0])
    return [annotation] if isinstance(annotation, type) and issubclass(annotation, BaseModel) else []
