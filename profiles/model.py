# SPDX-License-Identifier: GPL-2.0-or-later
"""The profile of a device under test.

`[dut]` names the device and how to start it, `[link]` says where it is connected, `[ics]` what it claims (selects
cases), `[ixit]` the values needed to run them (parameterises cases). `docs/profile.md` explains every key.
"""

import ipaddress
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, ValidationError, model_validator

from profiles.addresses import IPFFAddress, IPv4Address, parse_ipff
from profiles.link import Links
from profiles.table import PerLink, Table
from profiles.wording import describe

VERBS = {
    "listen": ("port", "service", "address", "protocol", "mobile_allowed", "unique_id", "one_time"),
    "connect": ("address", "port", "timeout_s", "protocol", "mobile_allowed", "unique_id", "one_time"),
    "send": ("connection", "data"),
    "receive": ("connection", "length", "timeout_s"),
    "close": ("connection", "listener"),
    "move": ("address",),
    "sockets": (),
    "status": (),
}
"""The verbs of the upper tester and their parameters (docs/dut-contract.md)."""

PLACEHOLDER = re.compile(r"(?<!\$)\{([a-z_]+)\}")
"""A parameter in a verb's shell command; `${NAME}` is the shell's own."""


class ProfileError(ValueError):
    """The profile cannot be used; the message is one line: file, key, what is allowed."""


def _check_agent(agent: Any) -> Any:
    words = isinstance(agent, list) and agent and all(isinstance(word, str) and word for word in agent)
    if agent in ("stdio", "manual") or words:
        return agent
    raise ValueError('must be "stdio", "manual" or a command: ["ssh", "box", "agent"]')


def _check_verb(verb: str, template: str) -> None:
    if unknown := sorted(set(PLACEHOLDER.findall(template)) - set(VERBS[verb])):
        allowed = ", ".join(f"{{{name}}}" for name in VERBS[verb]) or "none"
        raise ValueError(f"verbs.{verb}: {{{unknown[0]}}} is not a parameter of this verb; allowed are {allowed}")


Text = Annotated[str, StringConstraints(min_length=1)]
Deadline = Annotated[float, Field(gt=0, le=3600)]
Number8 = Annotated[int, Field(ge=0, le=255)]
TransportPort = Annotated[int, Field(ge=1, le=65535)]
Agent = Annotated[Literal["stdio", "manual"] | list[str], BeforeValidator(_check_agent)]

Role = Literal["mobile node", "server", "NAT router", "firewall", "anycast server"]
RehashRole = Literal["host"]
LegacyRole = Literal["legacy host"]
NetworkName = Literal["ipff", "ipv4"]
Verb = Literal["listen", "connect", "send", "receive", "close", "move", "sockets", "status"]


class DUT(Table):
    """The device and how to start it.

    `command` is started in the device's namespace (docs/dut-contract.md); `agent` is the upper tester: "stdio" for the
    command's own standard input and output, a command of its own, "manual" for a person at the terminal, or absent, and
    then `verbs` can hold a shell command for each verb.
    """

    name: Text = Field(description="what the certificate calls the device")
    vendor: str = ""
    version: str = ""
    command: list[Text] = Field(default=[], description="program and arguments; {python} is the suite's interpreter")
    agent: Agent | None = Field(default=None, description="the upper tester")
    verbs: dict[Verb, Text] = Field(default={}, description="a shell command for each verb, instead of an agent")
    ready_timeout_s: Deadline = 10.0

    @model_validator(mode="after")
    def _check_upper_tester(self) -> "DUT":
        for verb, template in self.verbs.items():
            _check_verb(verb, template)
        if self.agent and self.verbs:
            raise ValueError("verbs are allowed without agent only: who is the upper tester?")
        if self.agent == "stdio" and not self.command:
            raise ValueError('agent = "stdio" is allowed with a command only, whose standard input and output it means')
        return self


class MopsICS(Table):
    """What the device claims of the Mobile Protocol Stack: roles, and what is optional."""

    roles: list[Role] = []
    mobile_allowed: bool = Field(default=False, description="applications can set and clear MOBILE_ALLOWED (section 3)")
    udp: bool = Field(default=False, description="Mobile UDP (section 3)")
    unique_id: bool = Field(default=False, description="Unique IDs supplied by applications (section 4.1)")
    unique_id_one_time: bool = Field(default=False, description="Unique IDs that are good for one migration")
    mobile_capable: bool = Field(default=False, description="the MOBILE_CAPABLE option (Appendix C)")


class RehashICS(Table):
    """What the device claims of TCP Rehash."""

    roles: list[RehashRole] = []


class LegacyICS(Table):
    """What the device claims to be without knowing any of the protocols."""

    roles: list[LegacyRole] = []


class ICS(Table):
    """Implementation conformance statement: the claims that select cases."""

    networks: list[NetworkName] = Field(min_length=1, description='how messages travel: "ipff", "ipv4" or both')
    mops: MopsICS = MopsICS()
    rehash: RehashICS = RehashICS()
    legacy: LegacyICS = LegacyICS()


class IpffIXIT(Table):
    """Native network: the device's address, the tester's range of addresses, the numbers without an assignment."""

    address: IPFFAddress = Field(description="the device's own IPFF address")
    tester_first: IPFFAddress = Field(description="the first of the tester's addresses")
    tester_last: IPFFAddress = Field(description="the last of the tester's addresses")
    ethertype: Annotated[int, Field(ge=0x0600, le=0xFFFF)] = 0x88B5
    icmp_protocol: Annotated[int, Field(ge=0, le=0x3FFF)] = 1
    moves_to: list[IPFFAddress] = Field(default=[], description="addresses that the device may be told to move to")

    @model_validator(mode="after")
    def _check_range(self) -> "IpffIXIT":
        _check_tester_range(*map(parse_ipff, (self.address, self.tester_first, self.tester_last)))
        for address in self.moves_to:
            if parse_ipff(self.tester_first) <= parse_ipff(address) <= parse_ipff(self.tester_last):
                raise ValueError(f"moves_to must name addresses that are not the tester's: {address}")
        if self.ethertype in (0x0800, 0x0806):
            raise ValueError("ethertype must be one that nothing else on the wire uses, not that of IPv4 or ARP")
        return self


class Ipv4IXIT(Table):
    """IPv4 network: the device's address and prefix, the tester's range, the protocol number of ICMPv5."""

    address: IPv4Address = Field(description="the device's own IPv4 address")
    prefix_length: Annotated[int, Field(ge=1, le=30)] = Field(description="length of the prefix of the wire's network")
    tester_first: IPv4Address = Field(description="the first of the tester's addresses")
    tester_last: IPv4Address = Field(description="the last of the tester's addresses")
    icmp_protocol: Number8 = 254
    moves_to: list[IPv4Address] = Field(default=[], description="addresses that the device may be told to move to")

    @model_validator(mode="after")
    def _check_range(self) -> "Ipv4IXIT":
        numbers = [int(ipaddress.IPv4Address(one)) for one in (self.address, self.tester_first, self.tester_last)]
        _check_tester_range(*numbers)
        subnet = ipaddress.IPv4Network((self.address, self.prefix_length), strict=False)
        lowest, highest = int(subnet.network_address) + 1, int(subnet.broadcast_address) - 1
        if not all(lowest <= number <= highest for number in numbers):
            raise ValueError(f"address, tester_first and tester_last must be host addresses of one network, {subnet}")
        for address in self.moves_to:
            number = int(ipaddress.IPv4Address(address))
            if number in range(numbers[1], numbers[2] + 1) or ipaddress.IPv4Address(address) not in subnet:
                raise ValueError(f"moves_to must name addresses of {subnet} that are not the tester's: {address}")
        return self


def _check_tester_range(dut: int, first: int, last: int) -> None:
    if last - first < 15:
        raise ValueError("tester_first to tester_last must hold at least 16 addresses")
    if first <= dut <= last:
        raise ValueError("the range tester_first to tester_last must not hold the device's own address")


class MopsIXIT(Table):
    """Timers and choices of the Mobile Protocol Stack (section 4.1)."""

    rate_limit_s: Deadline = 5.0
    migrate_seq: Literal["window", "exact"] = "window"
    reply_within_s: Deadline = 2.0
    retry_interval_s: Deadline = Field(default=2.0, description="time between two Migrates that nobody answers")
    retries: Annotated[int, Field(ge=0, le=3)] = Field(default=3, description="how often a Migrate is repeated")
    guess_rate_per_s: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=1000, description="messages a second that guesses and floods may bring"
    )
    mobile_capable_kind: Annotated[int, Field(ge=2, le=255)] = Field(
        default=254, description="kind of the TCP option MOBILE_CAPABLE"
    )
    mobile_capable_exid: Annotated[int, Field(ge=0, le=0xFFFF)] = Field(
        default=0x4D4F, description="the two bytes behind its kind and length (RFC 6994)"
    )


class RehashIXIT(Table):
    """Numbers and choices of TCP Rehash."""

    option_kind: Annotated[int, Field(ge=2, le=255)] = 253
    max_retries: Annotated[int, Field(ge=0, le=100)] = Field(
        default=5, description="segments with REHASH-ADDR before the connection is closed; 0: no maximum"
    )
    init_reissues: Annotated[int, Field(ge=0, le=100)] = Field(
        default=3, description="how often REHASH-INIT is sent again to a peer that does not answer it"
    )
    init_at: Literal["syn", "established"] = Field(default="syn", description="where a host that connects begins")
    retry_within_s: Deadline = Field(default=5.0, description="longest time between two REHASH-ADDR nobody answers")


class MigrateIXIT(Table):
    """Numbers of TCP Migrate, of which the lecture gives none."""

    permitted_kind: Annotated[int, Field(ge=2, le=255)] = 15
    option_kind: Annotated[int, Field(ge=2, le=255)] = 16


class ServicesIXIT(Table):
    """Ports of services that the device runs from the start."""

    echo: TransportPort = 7


class IXIT(Table):
    """Implementation extra information for testing: the values that parameterise cases."""

    ipff: PerLink[IpffIXIT] = PerLink[IpffIXIT].model_construct()
    ipv4: PerLink[Ipv4IXIT] = PerLink[Ipv4IXIT].model_construct()
    mops: MopsIXIT = MopsIXIT()
    rehash: RehashIXIT = RehashIXIT()
    migrate: MigrateIXIT = MigrateIXIT()
    services: ServicesIXIT = ServicesIXIT()
    silence_s: Deadline = Field(default=0.1, description="how long silence lasts behind its ordered barrier")
    tcp_within_s: Deadline = Field(default=2.0, description="deadline for ordinary TCP answers")


class Profile(Table):
    """One device: who it is, how to reach it, what it claims, what is needed to run. `path` is the file it is from."""

    path: Path
    dut: DUT = Field(description="the table that names the device")
    link: Links = Field(description="the table that says where it is")
    ics: ICS = Field(description="the table of what the device claims")
    ixit: IXIT = Field(description="the table of addresses and times")

    @model_validator(mode="after")
    def _check_networks(self) -> "Profile":
        for name in self.ics.networks:
            if getattr(self.ixit, name).link is None:
                raise ValueError(f'[ixit.{name}] is missing, but ics.networks names "{name}"')
        kinds = {one.kind for one in (self.link.link, self.link.inside, self.link.outside) if one}
        if "namespace" in kinds and not self.dut.command:
            raise ValueError("dut.command is missing: a namespace link starts the device")
        return self


def load(path: Path, command_arguments: list[str] | None = None) -> Profile:
    """Read and check the profile at `path`; `command_arguments` are appended to the device's command.

    Raises `ProfileError` with one line that names the file, the key and what is allowed.
    """
    try:
        content: dict[str, Any] = tomllib.loads(path.read_text())
    except OSError as error:
        raise ProfileError(f"{path}: {error.strerror}; allowed is a readable TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path}: not TOML: {error}") from None
    if "path" in content:
        raise ProfileError(f"{path}: path: is not a key; allowed are dut, link, ics, ixit")
    try:
        profile = Profile(path=path, **content)
    except ValidationError as error:
        raise ProfileError(f"{path}: {describe(error, Profile)}") from None
    if command_arguments:
        if not profile.dut.command:
            raise ProfileError(f"{path}: dut.command: is missing: there is nothing to add arguments to")
        command = [*profile.dut.command, *command_arguments]
        profile = profile.model_copy(update={"dut": profile.dut.model_copy(update={"command": command})})
    return profile
