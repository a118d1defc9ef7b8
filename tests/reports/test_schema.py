# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/results.schema.json: that of the model, and what it says of files as they are written, and of spoiled ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reports.__main__ import main
from tests.reports.samples import every_verdict, hostile, large
from tests.testbed.lab import ROOT

PATH = ROOT / "docs/results.schema.json"
SCHEMA = json.loads(PATH.read_text())
NOTES = {"$defs", "$schema", "title", "description", "default", "format"}
KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int}


def wrong(value: Any, schema: dict[str, Any], where: str = "") -> Iterator[str]:
    """Every place at which a value is not what the schema allows; KeyError for a word that is not known here."""
    if "type" in schema and not _is(value, schema["type"]):
        yield f"{where}: {value!r} is no {schema['type']}"
        return
    for word, allowed in schema.items():
        if word not in NOTES:
            yield from (f"{where}: {word} {fault}" for fault in RULES[word](value, allowed))
    for key, part in schema.get("properties", {}).items():
        if isinstance(value, dict) and key in value:
            yield from wrong(value[key], part, f"{where}.{key}")
    if isinstance(value, list):
        parts = schema.get("prefixItems") or [schema.get("items", {})] * len(value)
        for number, (entry, part) in enumerate(zip(value, parts, strict=False)):
            yield from wrong(entry, part, f"{where}[{number}]")
    if isinstance(value, dict) and isinstance(others := schema.get("additionalProperties"), dict):
        for key in value.keys() - schema.get("properties", {}).keys():
            yield from wrong(value[key], others, f"{where}.{key}")
    if "additionalProperties" in schema and schema["additionalProperties"] is False:
        yield from (f"{where}: {key} is not known" for key in value.keys() - schema.get("properties", {}).keys())


def _is(value: Any, kind: str) -> bool:
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _unless(good: bool, fault: object) -> list[str]:
    return [] if good else [str(fault)]


RULES: dict[str, Callable[[Any, Any], list[str]]] = {
    "type": lambda *_: [],
    "const": lambda value, one: _unless(value == one and type(value) is type(one), one),
    "enum": lambda value, known: _unless(value in known, known),
    "minimum": lambda value, least: _unless(value >= least, least),
    "exclusiveMinimum": lambda value, least: _unless(value > least, least),
    "minLength": lambda value, least: _unless(len(value) >= least, least),
    "minItems": lambda value, least: _unless(len(value) >= least, least),
    "maxItems": lambda value, most: _unless(len(value) <= most, most),
    "pattern": lambda value, pattern: _unless(bool(re.search(pattern, value)), pattern),
    "required": lambda value, keys: [key for key in keys if key not in value],
    "anyOf": lambda value, ways: _unless(any(not list(wrong(value, one)) for one in ways), "none of them"),
    "$ref": lambda value, name: list(wrong(value, SCHEMA["$defs"][name.rpartition("/")[2]])),
    "properties": lambda *_: [],
    "items": lambda *_: [],
    "prefixItems": lambda *_: [],
    "additionalProperties": lambda *_: [],
}


@pytest.fixture
def document(tmp_path: Path) -> dict[str, Any]:
    every_verdict().write(tmp_path / "results.json")
    read: dict[str, Any] = json.loads((tmp_path / "results.json").read_bytes())
    return read


def test_it_is_that_of_the_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    assert capsys.readouterr().out == PATH.read_text(), "python -m reports schema > docs/results.schema.json"
    assert SCHEMA["properties"]["schema"]["const"] == 1


@pytest.mark.parametrize("made", [every_verdict, hostile, large])
def test_what_a_run_writes_is_valid(tmp_path: Path, made: Callable[[], Any]) -> None:
    made().write(tmp_path / "results.json")
    assert list(wrong(json.loads((tmp_path / "results.json").read_bytes()), SCHEMA)) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document.pop("dut"),
        lambda document: document.update(schema=2),
        lambda document: document.update(verdict="fine"),
        lambda document: document.update(colour="red"),
        lambda document: document["dut"].update(roles="server"),
        lambda document: document["cases"][0].update(verdict="PASSED"),
        lambda document: document["cases"][0].update(duration_s=-1),
        lambda document: document["cases"][0].update(attempts="1"),
        lambda document: document["cases"][0]["frames"][0].update(hex="0"),
        lambda document: document["cases"][0]["frames"][0].update(fields=[["a", "b"]]),
        lambda document: document["requirements"][0].update(strength="X"),
    ],
)
def test_what_is_spoiled_is_not(document: dict[str, Any], spoil: Callable[[dict[str, Any]], object]) -> None:
    assert list(wrong(document, SCHEMA)) == []
    spoil(document)
    assert list(wrong(document, SCHEMA))
