# SPDX-License-Identifier: GPL-2.0-or-later
"""The pages that document the profile's keys say what the models say."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from profiles import Profile
from profiles.dut import VERBS
from profiles.tables import PAGES, keys, update

ROOT = Path(__file__).resolve().parents[2]
KEYS = {key.name: key for key in keys(Profile)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tables_of_keys_are_those_of_the_models(page: Path) -> None:
    """`python -m profiles` would change nothing."""
    text = page.read_text()
    assert "<!-- keys: " in text
    assert update(text) == text


def test_every_key_is_documented_once_with_its_default() -> None:
    """Read back from the page as a reader does: the key, and its default as TOML."""
    row = re.compile(r"^\| `([a-z0-9_.]+)` \|[^|]+\| ?([^|]*?) ?\|[^|]+\|$", re.MULTILINE)
    found = row.findall((ROOT / "docs/profile.md").read_text())
    assert sorted(name for name, _ in found) == sorted(KEYS)
    for name, default in found:
        field = KEYS[name].field
        value = None if field.is_required() else field.default
        assert (tomllib.loads(f"x = {default.strip('`')}")["x"] if default else None) == value, name


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        ("dut.vendor", "text"),
        ("link.kind", '`"namespace"`, `"interface"`'),
        ("ics.networks", 'list of `"ipff"`, `"ipv4"`'),
        ("ics.mops.roles", 'list of `"server"`, `"mobile node"`, `"anycast server"`, `"NAT router"`, `"firewall"`'),
        ("ics.rehash.roles", 'list of `"host"`, over `"ipv4"` alone'),
        ("ics.msocks.roles", 'list of `"proxy"`, `"mobile node"`, over `"ipv4"` alone'),
        ("ics.mops.udp", "`true`, `false`"),
        ("ixit.ipv4.prefix_length", "1 to 30"),
        ("ixit.ipv4.address", "IPv4 address"),
        ("ixit.mops.rate_limit_s", "more than 0, up to 3600"),
        ("ixit.msocks.reconnect_command", "0 to 255"),
    ],
)
def test_what_is_allowed_is_said_in_words(key: str, allowed: str) -> None:
    assert KEYS[key].allowed == allowed


def test_the_command_says_nothing_where_nothing_is_to_do() -> None:
    before = {page: page.read_bytes() for page in PAGES}
    done = subprocess.run([sys.executable, "-m", "profiles"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert {page: page.read_bytes() for page in PAGES} == before


def test_a_page_that_is_out_of_date_is_brought_up_to_date() -> None:
    page = "before\n<!-- keys: link -->\n| old |\n<!-- end of keys -->\nafter\n"
    produced = update(page)
    assert "| `link.dut_mac` |" in produced
    assert "old" not in produced
    assert (produced.startswith("before\n"), produced.endswith("\nafter\n")) == (True, True)


def test_the_contract_names_every_verb_with_its_parameters() -> None:
    text = (ROOT / "docs/dut-contract.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| ([^|]*)\|[^|]+\|$", text[text.index("| verb |") :], re.MULTILINE))
    verbs = {verb: rows[verb] for verb in VERBS}
    for verb, parameters in VERBS.items():
        choices = {"protocol", "mobile_allowed", "unique_id", "one_time"} & set(parameters)
        assert ("choices" in verbs[verb]) == bool(choices), verb
        assert set(re.findall(r"`([a-z_]+)`", verbs[verb])) == set(parameters) - choices, verb


def test_the_reference_profile_uses_documented_keys_only() -> None:
    content = tomllib.loads((ROOT / "profiles/reference.toml").read_text())

    def flat(table: dict[str, Any], prefix: str = "") -> Iterator[str]:
        for name, value in table.items():
            below = prefix if name in ("inside", "outside") else f"{prefix}{name}."
            yield from flat(value, below) if isinstance(value, dict) else [f"{prefix}{name}"]

    assert set(flat(content)) <= set(KEYS)
