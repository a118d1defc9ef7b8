# SPDX-License-Identifier: GPL-2.0-or-later
"""The files of a report: JSON in, one line for what is wrong with it, and a file in one step out."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError


class ResultsError(ValueError):
    """A file that is not what it has to be. The message is one line: file, key, what is allowed."""


def read_object(path: Path) -> tuple[bytes, dict[str, Any]]:
    """The file as it is and as JSON. Raises ResultsError if it cannot be read or is not a JSON object."""
    try:
        text = path.read_bytes()
        raw = json.loads(text)
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ResultsError(f"{path}: is not JSON: {error}") from error
    except RecursionError as error:
        raise ResultsError(f"{path}: is not {path.name}: nested too deep") from error
    if not isinstance(raw, dict):
        raise ResultsError(f"{path}: must be a JSON object, not {type(raw).__name__}")
    return text, raw


def expect_schema(path: Path, raw: dict[str, Any], version: int) -> None:
    """Raise ResultsError unless the file says that it is of this version."""
    if raw.get("schema") != version or isinstance(raw.get("schema"), bool):
        found = f"not {raw['schema']!r:.60}" if "schema" in raw else "it is missing"
        raise ResultsError(f"{path}: schema: must be {version}, {found}")


def one_line(error: ValidationError) -> str:
    """The first thing that is wrong: key, what is allowed, what was found."""
    first, *others = error.errors(include_url=False)
    key = ""
    for part in first["loc"]:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else str(part)
    message = first["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    if first["type"] == "missing":
        message = "is missing"
    elif first["type"] == "extra_forbidden":
        message = "is not a key of this schema"
    elif not isinstance(first["input"], dict | list | BaseModel):
        message += f", not {first['input']!r:.60}"
    more = f" (and {len(others)} more)" if others else ""
    return " ".join(f"{key}: {message}{more}".removeprefix(": ").split())


def as_json(model: BaseModel, exclude: set[str] | None = None) -> bytes:
    """The model as JSON in UTF-8, whatever text a device put into it."""
    try:
        return model.model_dump_json(by_alias=True, exclude=exclude).encode()
    except PydanticSerializationError:
        storable = _without_surrogates(model.model_dump(mode="python", by_alias=True, exclude=exclude))
        return json.dumps(storable, default=str, separators=(",", ":"), ensure_ascii=False).encode()


def _without_surrogates(value: Any) -> Any:
    """The same data with half surrogates written as \\udcXX: a device's log may hold any byte, UTF-8 may not."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_without_surrogates(inner) for inner in value)
    return value


def replace_file(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Put `content`, whole or in parts, at `path` in one step; makes the folder, leaves no temporary file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines([content] if isinstance(content, bytes) else content)
        umask = os.umask(0o022)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
