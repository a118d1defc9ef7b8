# SPDX-License-Identifier: GPL-2.0-or-later
"""The profile of a device under test.

`[dut]` names the device and how to start it, `[link]` says where it is connected, `[ics]` what it claims (selects
cases), `[ixit]` the values needed to run them (parameterises cases). `docs/profile.md` explains every key.

A protocol is the field of its name in ICS and, where it has values, in IXIT; everything else finds it there.
"""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

import profiles.legacy
import profiles.migrate
import profiles.mops
import profiles.msocks
import profiles.rehash
import profiles.sacip
from profiles.declaration import Declaration
from profiles.dut import DUT
from profiles.expected import Expected
from profiles.link import Links, link_key
from profiles.networks import IpffLinks, Ipv4Links, NetworkName
from profiles.role import Claims, Role
from profiles.table import Seconds, Table, TransportPort
from profiles.wording import describe


class ProfileError(ValueError):
    """The profile cannot be used; the message is one line: file, key, what is allowed."""


class ICS(Table):
    """Implementation conformance statement: the claims that select cases."""

    networks: list[NetworkName] = Field(
        min_length=1, description="how messages travel: natively as IPFF on Ethernet, inside IPv4, or both"
    )
    mops: profiles.mops.ICS = profiles.mops.ICS()
    rehash: profiles.rehash.ICS = profiles.rehash.ICS()
    migrate: profiles.migrate.ICS = profiles.migrate.ICS()
    msocks: profiles.msocks.ICS = profiles.msocks.ICS()
    sacip: profiles.sacip.ICS = profiles.sacip.ICS()
    legacy: profiles.legacy.ICS = profiles.legacy.ICS()


class ServicesIXIT(Table):
    """Services that the device runs from the start."""

    echo: TransportPort = Field(default=7, description="port of the TCP echo service")


class IXIT(Table):
    """Implementation extra information for testing: the values that parameterise cases."""

    silence_s: Seconds = Field(
        default=0.1, description="seconds that silence has to last, after a barrier that the device must answer"
    )
    tcp_within_s: Seconds = Field(
        default=2.0, description="seconds for answers of ordinary TCP, such as those of the echo service"
    )
    services: ServicesIXIT = ServicesIXIT()
    ipff: IpffLinks = IpffLinks.model_construct()
    ipv4: Ipv4Links = Ipv4Links.model_construct()
    mops: profiles.mops.IXIT = profiles.mops.IXIT()
    rehash: profiles.rehash.IXIT = profiles.rehash.IXIT()
    migrate: profiles.migrate.IXIT = profiles.migrate.IXIT()
    msocks: profiles.msocks.IXIT = profiles.msocks.IXIT()
    sacip: profiles.sacip.IXIT = profiles.sacip.IXIT()
    legacy: profiles.legacy.IXIT = profiles.legacy.IXIT()


class Profile(Table):
    """One device: who it is, how to reach it, what it claims, what is needed to run. `path` is the file it is from."""

    path: Path
    dut: DUT = Field(description="the table that names the device")
    link: Links = Field(description="the table that says where it is")
    ics: ICS = Field(description="the table of what the device claims")
    ixit: IXIT = Field(description="the table of addresses and times")
    expected: list[Expected] = Field(default=[], description="requirements that the device is known to break")
    declaration: Declaration | None = Field(default=None, description="the table that an official run needs")

    @model_validator(mode="after")
    def _check_networks(self) -> "Profile":
        for role in self.claimed:
            claim = f'ics.{role.protocol}.roles names "{role.name}"'
            for link in role.links:
                where = link_key(link)
                if self.link.of(link) is None:
                    raise ValueError(f"[{where}] is missing, but {claim}")
                for name in self.ics.networks:
                    if name in role.networks and getattr(self.ixit, name).of(link) is None:
                        table = f"ixit.{name}{where.removeprefix('link')}"
                        raise ValueError(f'[{table}] is missing, but {claim} and ics.networks names "{name}"')
        for name in self.ics.networks:
            if not getattr(self.ixit, name).all:
                raise ValueError(f'[ixit.{name}] is missing, but ics.networks names "{name}"')
        if any(table.kind == "namespace" for table in self.link.all) and not self.dut.command:
            raise ValueError("dut.command is missing: a namespace link starts the device")
        return self

    @model_validator(mode="after")
    def _check_claims(self) -> "Profile":
        for name in PROTOCOLS:
            getattr(self.ics, name).check(self)
        return self

    @model_validator(mode="after")
    def _check_expected(self) -> "Profile":
        names = [one.requirement for one in self.expected]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"expected.requirement: {twice[0]} may be named once")
        return self

    @property
    def claimed(self) -> tuple[Role, ...]:
        """The roles that the device claims, protocol by protocol."""
        return tuple(role for role in ROLES if role.name in getattr(self.ics, role.protocol).roles)

    def is_bridge(self, role: Role) -> bool:
        """Whether the device in a role has no addresses: what is for the other side is sent to who is there."""
        return bool(getattr(self.ics, role.protocol).is_bridge(role.name))


PROTOCOLS: dict[str, type[Claims]] = {
    name: field.annotation
    for name, field in ICS.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, Claims)
}
"""The protocols by name, with what can be claimed of each."""

ROLES: tuple[Role, ...] = tuple(role for claims in PROTOCOLS.values() for role in claims.KNOWN)
"""Every role that has cases, of every protocol."""


def load(path: Path, command_arguments: list[str] | None = None, roles: list[str] | None = None) -> Profile:
    """Read and check the profile at `path`; `command_arguments` are appended to the device's command.

    Of its claims those to `roles` ("mops server") are kept, all where none is named.
    Raises `ProfileError` with one line that names the file, the key and what is allowed.
    """
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise ProfileError(f"{path}: {error.strerror}; allowed is a readable TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path}: not TOML: {error}") from None
    if "path" in content:
        raise ProfileError(f"{path}: path: is not a key; allowed are dut, link, ics, ixit, expected, declaration")
    try:
        profile = Profile(path=path, **content)
    except ValidationError as error:
        raise ProfileError(f"{path}: {describe(error, Profile)}") from None
    if command_arguments:
        if not profile.dut.command:
            raise ProfileError(f"{path}: dut.command: is missing: there is nothing to add arguments to")
        command = [*profile.dut.command, *command_arguments]
        profile = profile.model_copy(update={"dut": profile.dut.model_copy(update={"command": command})})
    return _narrowed(profile, roles) if roles else profile


def _narrowed(profile: Profile, roles: list[str]) -> Profile:
    known = [role.qualified for role in profile.claimed]
    if unknown := [role for role in roles if role not in known]:
        claimed = ", ".join(f'"{role}"' for role in known) or "none"
        raise ProfileError(f'{profile.path}: --role "{unknown[0]}": is not claimed; allowed are {claimed}')
    claims = {
        name: claim.model_copy(update={"roles": [one for one in claim.roles if f"{name} {one}" in roles]})
        for name in PROTOCOLS
        if isinstance(claim := getattr(profile.ics, name), Claims)
    }
    return profile.model_copy(update={"ics": profile.ics.model_copy(update=claims)})
