# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of keys in the documentation, produced from the models: meaning, default, what is allowed."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from profiles.model import ICS, IXIT, PROTOCOLS, Profile
from profiles.role import Claims, Role
from profiles.table import Allowed, PerLink
from profiles.wording import tables_of

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- keys: {} -->", "<!-- end of keys -->"
_BLOCK = re.compile(r"<!-- keys: ([a-z ]+) -->\n.*?<!-- end of keys -->", re.DOTALL)


class Key(NamedTuple):
    """A key with its table in front, its field, and the tables that have it (more than one where kinds share it)."""

    name: str
    field: FieldInfo
    tables: tuple[type[BaseModel], ...]

    @property
    def default(self) -> str:
        """The default as TOML has it; empty where there is none."""
        if self.field.is_required() or self.field.default is None:
            return ""
        return f"`{_toml(self.field.default)}`"

    @property
    def allowed(self) -> str:
        """What is allowed, in words."""
        name = self.name.rpartition(".")[2]
        if issubclass(self.tables[0], Claims) and name == "roles":
            return _roles(self.tables[0].KNOWN)
        fields = [table.model_fields[name] for table in self.tables]
        return ", ".join(dict.fromkeys(_allowed(field.annotation, field.metadata) for field in fields))


def keys(model: type[BaseModel], prefix: str = "", *, deep: bool = True) -> Iterator[Key]:
    """The keys of a table, each once, and of the tables in it."""
    for name, field in model.model_fields.items():
        inner = _tables(field)
        if not inner and (prefix or name != "path"):
            yield Key(f"{prefix}{name}", field, (model,))
        found: dict[str, Key] = {}
        for key in (key for table in inner if deep for key in keys(table, f"{prefix}{name}.")):
            known = found.get(key.name)
            found[key.name] = known._replace(tables=known.tables + key.tables) if known else key
        yield from found.values()


def _tables(field: FieldInfo) -> list[type[BaseModel]]:
    """The tables that the key can hold; one that stands once for each link counts once."""
    found: list[type[BaseModel]] = []
    for table in tables_of(field.annotation):
        one_link = issubclass(table, PerLink)
        found += tables_of(table.model_fields["link"].annotation) if one_link else [table]
    return found


def update(text: str) -> str:
    """The text of a page with every table of keys as the models have it."""
    return _BLOCK.sub(lambda block: f"{BEGIN.format(block[1])}\n{_produce(block[1])}\n{END}", text)


PAGES = (ROOT / "docs/profile.md", ROOT / "conformance/catalogue/README.md")
"""The pages that hold tables of keys."""


def _produce(block: str) -> str:
    words = block.split()
    if words[-1] == "catalogue":
        return _catalogue_table(words[0])
    parts = []
    if block == "ixit":
        parts = [_table(keys(IXIT, "ixit.", deep=False))]
        for name, field in IXIT.model_fields.items():
            for table in _tables(field):
                parts += [f"{_heading(name, table)}", _table(keys(table, f"ixit.{name}."))]
    else:
        parts = [_table(key for key in keys(Profile) if key.name.startswith(f"{block}."))]
    return "\n\n".join(parts)


def _heading(name: str, table: type[BaseModel]) -> str:
    """The first words of the table's docstring, and what is not there yet."""
    text = " ".join((inspect.getdoc(table) or "").split())
    if name in PROTOCOLS and not PROTOCOLS[name].KNOWN:
        text += " No device can be judged by it yet."
    return f"`[ixit.{name}]`: {text}"


def _table(rows: Iterator[Key]) -> str:
    lines = ["| key | meaning | default | allowed |", "| --- | --- | --- | --- |"]
    lines += [f"| `{key.name}` | {_described(key)} | {key.default} | {key.allowed} |" for key in rows]
    return "\n".join(line.replace("|  |", "| |") for line in lines)


def _catalogue_table(model: str) -> str:
    """The keys that requirements can name: without `ics` or `ixit` in front."""
    rows = [key for key in keys(ICS if model == "ics" else IXIT) if "." in key.name and not key.name.endswith(".roles")]
    lines = ["| key | meaning | default |", "| --- | --- | --- |"]
    lines += [f"| {key.name} | {_described(key)} | {key.default} |" for key in rows]
    return "\n".join(line.replace("|  |", "| |") for line in lines)


def _described(key: Key) -> str:
    if not key.field.description:
        raise ValueError(f"{key.name}: the field has no description")
    return key.field.description


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _roles(known: tuple[Role, ...]) -> str:
    """The roles that can be claimed, and the network where all of them know only one."""
    if not known:
        return "none yet"
    networks = {network for role in known for network in role.networks}
    alone = f", over {_quoted(networks)} alone" if len(networks) == 1 else ""
    return f"list of {_quoted(role.name for role in known)}{alone}"


def _quoted(values: Any) -> str:
    return ", ".join(f"`{_toml(value)}`" for value in values)


def _allowed(annotation: Any, metadata: list[Any]) -> str:
    """The words of `Allowed`, or those that the type and its bounds make."""
    if words := [one.words for one in metadata if isinstance(one, Allowed)]:
        return words[-1]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _allowed(arguments[0], list(arguments[1:]))
    if origin in (Union, UnionType):
        return " or ".join(_allowed(one, metadata) for one in arguments if one is not type(None))
    if origin is Literal:
        return _quoted(arguments)
    if origin is list:
        return f"list of {_allowed(arguments[0], [])}"
    if annotation is bool:
        return _quoted((True, False))
    if annotation is str:
        return "text"
    return _bounds(metadata)


def _bounds(metadata: list[Any]) -> str:
    """The bounds of a number in words."""
    bounds = {
        name: getattr(one, name)
        for part in metadata
        for one in _flat(part)
        for name in ("ge", "gt", "le")
        if hasattr(one, name)
    }
    if "gt" in bounds:
        return f"more than {bounds['gt']}, up to {bounds['le']}"
    return f"{bounds['ge']} to {bounds['le']}"


def _flat(metadata: Any) -> Iterator[Any]:
    yield from metadata.metadata if isinstance(metadata, FieldInfo) else (metadata,)
