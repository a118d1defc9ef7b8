# SPDX-License-Identifier: GPL-2.0-or-later
"""The loader of the catalogue, which says in one line what is wrong with a file."""

import functools
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from conformance.catalogue.model import (
    FOLDER,
    REQUIREMENTS,
    SPECIFICATION,
    Catalogue,
    CatalogueError,
    Entry,
    Protocol,
    Requirement,
    Section,
    Unnormative,
)


def load(folder: Path = FOLDER) -> Catalogue:
    """Read `requirements.toml` of every folder in `folder`, beside which the specification lies.

    Raises `CatalogueError` with one line that names the file, the entry, the key and what is allowed.
    """
    return _load(folder)


@functools.cache
def _load(folder: Path) -> Catalogue:
    protocols: list[Protocol] = []
    for path in sorted(folder.glob(f"*/{REQUIREMENTS}")):
        protocols.append(protocol := _load_file(path))
        names = [entry.id for entry in protocol.requirements]
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise CatalogueError(f"{path}: {twice}: id: used twice; allowed is an id nobody else has")
    if not protocols:
        raise CatalogueError(f"{folder}: no catalogue here; allowed is a folder with */{REQUIREMENTS}")
    return Catalogue(tuple(protocols))


def _load_file(path: Path) -> Protocol:
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogueError(f"{path}: {error.strerror}; allowed is a readable TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogueError(f"{path}: not TOML: {error}") from None
    tables: dict[str, type[Entry]] = {"section": Section, "requirement": Requirement, "unnormative": Unnormative}
    for key in ("protocol", "specification"):
        if not isinstance(content.get(key), str):
            raise CatalogueError(f"{path}: {key}: is missing; allowed is a text")
    roles = content.get("roles")
    if not isinstance(roles, list) or not roles or not all(isinstance(role, str) for role in roles):
        raise CatalogueError(f"{path}: roles: is missing; allowed is a list of texts")
    if wrong := next((key for key in ("title", "revision") if not isinstance(content.get(key, ""), str)), ""):
        raise CatalogueError(f"{path}: {wrong}: is no text; allowed is what the specification calls itself")
    keys = ("protocol", "specification", "title", "revision", "roles", *tables)
    if unknown := next(iter(content.keys() - set(keys)), ""):
        raise CatalogueError(f"{path}: {unknown}: no such key; allowed are {', '.join(keys)}")
    common = {"protocol": content["protocol"], "specification": content["specification"]}
    if common["protocol"] != (name := path.parent.name.upper()):
        raise CatalogueError(f"{path}: protocol: {common['protocol']!r}; allowed is that of the folder, {name}")
    specification = path.with_name(SPECIFICATION)
    if not specification.is_file():
        raise CatalogueError(f"{path}: {specification} is not there; allowed is a text beside the requirements")
    entries = {
        name: tuple(
            _entry(path, name, model, raw, common if model is Requirement else {})
            for raw in _tables(path, content, name)
        )
        for name, model in tables.items()
    }
    protocol = Protocol(
        name=common["protocol"],
        specification=common["specification"],
        title=content.get("title", ""),
        revision=content.get("revision", ""),
        roles=tuple(roles),
        sections=entries["section"],  # type: ignore[arg-type]
        requirements=entries["requirement"],  # type: ignore[arg-type]
        unnormative=entries["unnormative"],  # type: ignore[arg-type]
        path=specification,
    )
    _check_roles(path, protocol)
    _check_sections(path, protocol)
    return protocol


def _tables(path: Path, content: dict[str, Any], name: str) -> list[dict[str, Any]]:
    tables = content.get(name, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise CatalogueError(f"{path}: {name}: is not a table; allowed is [[{name}]]")
    return tables


def _entry(path: Path, name: str, model: type[Entry], raw: dict[str, Any], common: dict[str, str]) -> Entry:
    label = str(raw.get("id") or raw.get("section") or f"an entry of [[{name}]] without a name")
    if clash := next(iter(common.keys() & raw.keys()), ""):
        raise CatalogueError(f"{path}: {label}: {clash}: stands at the head of the file; allowed is none in an entry")
    try:
        return model.model_validate(common | raw)
    except ValidationError as error:
        raise CatalogueError(f"{path}: {label}: {_describe(error, model)}") from None


def _check_roles(path: Path, protocol: Protocol) -> None:
    """Entries name roles of the head of the file only."""
    named = [(one.id, "roles", one.roles) for one in protocol.requirements]
    named += [(one.id, "complete", one.complete) for one in protocol.sections]
    for label, key, roles in named:
        for number, role in enumerate(roles):
            if role not in protocol.roles:
                allowed = ", ".join(map(repr, protocol.roles))
                raise CatalogueError(f"{path}: {label}: {key}.{number}: {role!r}; allowed are {allowed}")


def _check_sections(path: Path, protocol: Protocol) -> None:
    """Every entry's section exists, ids say their section, and a section has requirements or a reason, not both."""
    known = [section.id for section in protocol.sections]
    if twice := next((one for one in known if known.count(one) > 1), ""):
        raise CatalogueError(f"{path}: {twice}: id: the section is there twice; allowed is once")
    allowed = f"allowed are {', '.join(known)}"
    for entry in protocol.requirements:
        if entry.section not in known:
            raise CatalogueError(f"{path}: {entry.id}: section: no such section {entry.section!r}; {allowed}")
        prefix = f"{protocol.name}-{entry.section}-"
        if not entry.id.startswith(prefix) or not entry.id.removeprefix(prefix).isdigit():
            raise CatalogueError(f"{path}: {entry.id}: id: does not say its section; allowed is {prefix}NN")
    for reason in protocol.unnormative:
        if reason.section not in known:
            raise CatalogueError(f"{path}: {reason.section}: section: no such section; {allowed}")
    used = {entry.section for entry in protocol.requirements}
    for section in known:
        if section in used and protocol.reason(section):
            raise CatalogueError(f"{path}: {section}: unnormative: has requirements; allowed is one or the other")
        if section not in used and not protocol.reason(section):
            raise CatalogueError(
                f"{path}: {section}: neither a requirement nor a reason; allowed is one [[unnormative]] for it"
            )


def _describe(error: ValidationError, model: type[Entry]) -> str:
    """The first error as `key: what is wrong; what is allowed`, and how many more there are."""
    first, *others = error.errors()
    key = ".".join(str(part) for part in first["loc"])
    more = f" (and {len(others)} more)" if others else ""
    context = first.get("ctx", {})
    match first["type"]:
        case "extra_forbidden":
            keys = ", ".join(name for name in model.model_fields if name not in ("protocol", "specification"))
            text = f"no such key; allowed are {keys}"
        case "missing":
            text = "is missing; allowed is a value"
        case "literal_error":
            text = f"{first['input']!r}; allowed are {context['expected']}"
        case "string_pattern_mismatch":
            text = f"{first['input']!r}; allowed is {context['pattern']}"
        case "value_error":
            text = f"{first['input']!r}; allowed: {context['error']}"
        case _:
            text = f"{first['input']!r}; allowed: {first['msg']}"
    return f"{key}: {text}{more}"
