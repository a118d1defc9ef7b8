# SPDX-License-Identifier: GPL-2.0-or-later
"""The text of a new profile: every table that the roles need, each value with its meaning, default and what is allowed.

Addresses and names that only the vendor knows are filled in with those of the reference and marked with CHANGE.
"""

import json
import shlex
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from profiles.link import link_key
from profiles.model import ICS, IXIT
from profiles.networks import NetworkName
from profiles.role import Role
from profiles.tables import Key, keys
from profiles.wording import tables_of

NETWORKS: tuple[str, ...] = get_args(NetworkName)

_WIDTH = 118
_CHANGE = "  # CHANGE"
_SAMPLE_MAC = "02:00:00:00:00:01"


@dataclass(frozen=True)
class Answers:
    """What is known of the device: it is reached at `interfaces`, or started in a namespace by `command`."""

    name: str
    vendor: str
    version: str
    roles: list[Role]
    networks: list[str]
    interfaces: list[str]
    command: str

    @property
    def links(self) -> list[str]:
        """The links of all roles, each once."""
        return list(dict.fromkeys(link for role in self.roles for link in role.links))

    def wrong(self) -> str:
        """What does not fit together, in one line; nothing where all does."""
        for role in self.roles:
            if not set(role.networks) & set(self.networks):
                return f"the role {role.qualified} has cases over {', '.join(role.networks)}; name one with --network"
        if self.interfaces and len(self.interfaces) != len(self.links):
            return f"--interface: the roles have {len(self.links)} links ({', '.join(self.links)}); name as many"
        return ""


def text(answers: Answers) -> str:
    """The profile as TOML."""
    return "\n".join(line for part in _parts(answers) for line in (*part, ""))


def _parts(answers: Answers) -> Iterator[list[str]]:
    yield ["# What the device claims (ics), where it is, and the values that its cases need (ixit).", *_note()]
    yield ["[dut]", *(_pair(key, getattr(answers, key)) for key in ("name", "vendor", "version")), *_start(answers)]
    for place, link in enumerate(answers.links):
        yield [f"[{link_key(link)}]", *_link(answers, place)]
    yield ["[ics]", "# how messages travel", _pair("networks", answers.networks)]
    protocols = list(dict.fromkeys(role.protocol for role in answers.roles))
    for protocol in protocols:
        names = [role.name for role in answers.roles if role.protocol == protocol]
        claims = [key for key in keys(_model(ICS, protocol), "") if key.name != "roles"]
        yield [f"[ics.{protocol}]", _pair("roles", names), *_explained(claims)]
    for network in answers.networks:
        for link in answers.links:
            yield _network(network, link)
    for protocol in protocols:
        if protocol in IXIT.model_fields and (found := list(keys(_model(IXIT, protocol), ""))):
            yield [f"[ixit.{protocol}]", *_explained(found)]
    yield ["[ixit.services]", *_explained(list(keys(_model(IXIT, "services"), "")))]


def _note() -> list[str]:
    return ["# A line that begins with # and a key shows its default: take the # away to say something else."]


def _start(answers: Answers) -> list[str]:
    if answers.interfaces:
        return [
            "# the upper tester: a command that reaches the device, or a person",
            _pair("agent", "manual") + _CHANGE,
        ]
    return [
        "# starts the device in its namespace (docs/dut-contract.md)",
        _pair("command", shlex.split(answers.command)),
        "# the upper tester speaks over the command's standard input and output",
        _pair("agent", "stdio"),
    ]


def _link(answers: Answers, place: int) -> list[str]:
    if not answers.interfaces:
        return [_pair("kind", "namespace")]
    return [
        _pair("kind", "interface"),
        "# the tester's card on the device's wire",
        _pair("interface", answers.interfaces[place]),
        "# the device's Ethernet address there",
        _pair("dut_mac", _SAMPLE_MAC) + _CHANGE,
    ]


def _network(network: str, link: str) -> list[str]:
    """The addresses on one link; those without a default have the reference's."""
    samples = _samples()[network]
    samples = samples if link == "link" else samples[link]
    suffix = "" if link == "link" else f".{link}"
    lines = [f"[ixit.{network}{suffix}]"]
    for key in keys(_model(IXIT, network), ""):
        name = key.name.rpartition(".")[2]
        if key.field.is_required():
            lines += [*_comment(key), _pair(name, samples[name]) + _CHANGE]
        else:
            lines += _default(key)
    return lines


def _samples() -> dict[str, Any]:
    """The addresses of the reference."""
    reference = Path(__file__).with_name("reference.toml")
    return dict(tomllib.loads(reference.read_text(encoding="utf-8"))["ixit"])


def _explained(found: list[Key]) -> list[str]:
    return [line for key in found for line in _default(key)]


def _default(key: Key) -> list[str]:
    """Meaning of a key, and a line that is not in force with its default."""
    value = key.default.strip("`") or '"..."'
    return [*_comment(key), f"#{key.name.rpartition('.')[2]} = {value}"]


def _comment(key: Key) -> list[str]:
    words = f"{key.field.description}; allowed: {key.allowed}".replace("`", "")
    return textwrap.wrap(words, _WIDTH, initial_indent="# ", subsequent_indent="#   ")


def _model(parent: type[BaseModel], name: str) -> type[BaseModel]:
    """The table of that name; of one that stands once for each link, the table of a link."""
    found = tables_of(parent.model_fields[name].annotation)[0]
    return tables_of(found.model_fields["link"].annotation)[0] if "link" in found.model_fields else found


def _pair(key: str, value: Any) -> str:
    return f"{key} = {json.dumps(value, ensure_ascii=False)}"
