# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/profile.md names exactly the keys of a profile, with their defaults."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from profiles import Profile
from profiles.table import PerLink
from profiles.wording import tables_of

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| `([a-z0-9_.]+)` \|[^|]+\| ?([^|]*?) ?\|[^|]+\|$", re.MULTILINE)


def keys(table: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key with its default as TOML has it; None where there is none.

    Tables that stand once for each link have the same keys for each, and are listed once.
    """
    if issubclass(table, PerLink):
        for one in tables_of(table.model_fields["link"].annotation):
            yield from keys(one, prefix)
        return
    for name, field in table.model_fields.items():
        inner = tables_of(field.annotation)
        for one in inner:
            yield from keys(one, f"{prefix}{name}.")
        if not inner and (prefix or name != "path"):
            yield f"{prefix}{name}", None if field.is_required() else field.get_default(call_default_factory=True)


def test_every_key_is_documented_with_its_default_and_no_other() -> None:
    text = (ROOT / "docs/profile.md").read_text()
    documented = {}
    for key, default in ROW.findall(text):
        assert key not in documented, f"{key} is there twice"
        documented[key] = tomllib.loads(f"x = {default.strip('`')}")["x"] if default.startswith("`") else None
    assert documented == dict(keys(Profile))


def test_the_reference_profile_uses_documented_keys_only() -> None:
    known = dict(keys(Profile))
    content = tomllib.loads((ROOT / "profiles/reference.toml").read_text())

    def flat(table: dict[str, Any], prefix: str = "") -> Iterator[str]:
        for name, value in table.items():
            yield from flat(value, f"{prefix}{name}.") if isinstance(value, dict) else [f"{prefix}{name}"]

    assert set(flat(content)) <= set(known)
