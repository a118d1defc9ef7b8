# SPDX-License-Identifier: GPL-2.0-or-later
"""What DUT_WIRES and DUT_CONFIG say, checked; keys that are not known are ignored."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reference.addresses import ipff_from_text, ipv4_from_text
from reference.mobile_capable import CapableSettings
from reference.rehash_settings import RehashSettings

SERVER, HOST, MOBILE_NODE, LEGACY_HOST = ROLES = ("server", "host", "mobile node", "legacy host")
MIGRATE_SEQUENCE_POLICIES = ("window", "exact")


class ConfigurationError(Exception):
    """Something in the environment, the configuration or the command line is wrong: one line that says what."""


@dataclass(frozen=True)
class IpffSettings:
    """The native network."""

    address: int
    ethertype: int
    icmp_protocol: int
    neighbour_mac: bytes


@dataclass(frozen=True)
class Ipv4Settings:
    """The IPv4 network."""

    address: int
    prefix_length: int
    icmp_protocol: int


@dataclass(frozen=True)
class Configuration:
    """Everything a host needs to run."""

    wires: tuple[str, ...]
    role: str
    ipff: IpffSettings | None
    ipv4: Ipv4Settings | None
    rate_limit_s: float = 5.0
    migrate_seq: str = "window"
    retry_interval_s: float = 2.0
    retries: int = 3
    mobile_capable: CapableSettings | None = None
    rehash: RehashSettings = field(default_factory=RehashSettings)
    echo_port: int | None = None
    applications: tuple[tuple[str, ...], ...] = field(default=())


class _Table:
    """One JSON object, whose errors name the key by its whole path."""

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise ConfigurationError(f"DUT_CONFIG: {path or 'the whole'} must be a JSON object")
        self.value, self.path = value, path

    def _wrong(self, key: str, allowed: str) -> ConfigurationError:
        return ConfigurationError(f"DUT_CONFIG: {self.path}{key} is {self.value.get(key)!r}, allowed: {allowed}")

    def table(self, key: str) -> "_Table":
        return _Table(self.value.get(key, {}), f"{self.path}{key}.")

    def number(self, key: str, low: float, high: float, default: Any = None, *, whole: bool = False) -> Any:
        value = self.value.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not low <= value <= high:
            raise self._wrong(key, f"a {'whole ' if whole else ''}number {low}..{high}")
        return value

    def integer(self, key: str, low: int, high: int, default: int | None = None) -> int:
        return int(self.number(key, low, high, default, whole=True))

    def choice(self, key: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.value.get(key, default)
        if value not in allowed:
            raise self._wrong(key, " | ".join(allowed))
        return str(value)

    def address(self, key: str, reading: Any) -> int:
        try:
            return int(reading(str(self.value.get(key))))
        except ValueError as error:
            raise ConfigurationError(f"DUT_CONFIG: {self.path}{key}: {error}") from None

    def mac(self, key: str) -> bytes:
        try:
            value = bytes.fromhex(str(self.value[key]).replace(":", ""))
        except (KeyError, ValueError):
            value = b""
        if len(value) != 6:
            raise self._wrong(key, "an Ethernet address like 02:00:00:00:00:01")
        return value


def _applications(value: Any) -> tuple[tuple[str, ...], ...]:
    if not isinstance(value, list) or not all(
        isinstance(argv, list) and argv and all(isinstance(word, str) for word in argv) for argv in value
    ):
        raise ConfigurationError("DUT_CONFIG: applications must be a list of commands, each a list of words")
    return tuple(tuple(argv) for argv in value)


def _role(root: _Table) -> str:
    protocol = root.choice("protocol", ("mops", "rehash", "legacy"), "mops")
    if protocol == "mops":
        return root.choice("role", (SERVER, MOBILE_NODE), SERVER)
    root.choice("role", ("host",), "host")
    return HOST if protocol == "rehash" else LEGACY_HOST


def _capable(mops: _Table) -> CapableSettings | None:
    if mops.value.get("mobile_capable") is None:
        return None
    table = mops.table("mobile_capable")
    return CapableSettings(table.integer("kind", 9, 255, 254), table.integer("exid", 0, 0xFFFF, 0x4D4F))


def read_configuration(environment: Mapping[str, str]) -> Configuration:
    """Read the two environment variables of the DUT contract."""
    wires = tuple(environment.get("DUT_WIRES", "").split())
    if len(wires) != 1:
        raise ConfigurationError("DUT_WIRES must name exactly one interface for a host")
    path = environment.get("DUT_CONFIG", "")
    try:
        with open(path, encoding="utf-8") as file:
            root = _Table(json.load(file), "")
    except OSError as error:
        raise ConfigurationError(f"DUT_CONFIG {path!r}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigurationError(f"DUT_CONFIG {path!r} is no JSON: {error}") from None

    role = _role(root)
    networks = root.table("networks")
    ipff = ipv4 = None
    if "ipff" in networks.value and role not in (HOST, LEGACY_HOST):
        table = networks.table("ipff")
        ipff = IpffSettings(
            address=table.address("address", ipff_from_text),
            ethertype=table.integer("ethertype", 0x0600, 0xFFFF, 0x88B5),
            icmp_protocol=table.integer("icmp_protocol", 0, 0x3FFF, 1),
            neighbour_mac=table.mac("neighbour_mac"),
        )
    if "ipv4" in networks.value:
        table = networks.table("ipv4")
        ipv4 = Ipv4Settings(
            address=table.address("address", ipv4_from_text),
            prefix_length=table.integer("prefix_length", 1, 30),
            icmp_protocol=table.integer("icmp_protocol", 0, 255, 254),
        )
    if role in (HOST, LEGACY_HOST) and ipv4 is None:
        raise ConfigurationError(f"DUT_CONFIG: networks must have ipv4 for the role {role}")
    if ipff is None and ipv4 is None:
        raise ConfigurationError("DUT_CONFIG: networks must have ipff or ipv4 or both")
    for settings in (ipff, ipv4):
        if settings is not None and settings.icmp_protocol in (6, 17):
            raise ConfigurationError("DUT_CONFIG: icmp_protocol must not be the number of TCP or UDP")
    services = root.table("services")
    mops = root.table("mops")
    rehash = root.table("rehash")
    return Configuration(
        wires=wires,
        role=role,
        ipff=ipff,
        ipv4=ipv4,
        rate_limit_s=mops.number("rate_limit_s", 0, 3600, 5.0),
        migrate_seq=mops.choice("migrate_seq", MIGRATE_SEQUENCE_POLICIES, "window"),
        retry_interval_s=mops.number("retry_interval_s", 0.01, 3600, 2.0),
        retries=mops.integer("retries", 0, 100, 3),
        mobile_capable=_capable(mops),
        rehash=RehashSettings(
            option_kind=rehash.integer("option_kind", 9, 255, 253),
            max_retries=rehash.integer("max_retries", 0, 100, 5),
            init_reissues=rehash.integer("init_reissues", 0, 100, 3),
        ),
        echo_port=services.integer("echo", 1, 65535) if "echo" in services.value else None,
        applications=_applications(root.value.get("applications", [])),
    )
