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

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

MAXIMUM_FIELD = 1023
"""The largest value of one of the five 10-bit fields of an IPFF address."""


class ProfileError(ValueError):
    """The profile cannot be used; the message is one line: file, key, what is allowed."""


def parse_ipff(address: str) -> int:
    """The 50-bit number behind a dotted address of five fields, most significant first; ValueError otherwise."""
    fields = address.split(".")
    if len(fields) != 5 or not all(re.fullmatch(r"\d{1,4}", field) and int(field) <= MAXIMUM_FIELD for field in fields):
        raise ValueError(f"an IPFF address has five fields of 0..{MAXIMUM_FIELD} with dots between: 525.8.78.3.9")
    number = 0
    for field in fields:
        number = number << 10 | int(field)
    return number


def format_ipff(number: int) -> str:
    """The dotted notation of a 50-bit address."""
    return ".".join(str(number >> shift & MAXIMUM_FIELD) for shift in (40, 30, 20, 10, 0))


def _check_ipff(address: str) -> str:
    parse_ipff(address)
    return address


def _check_ipv4(address: str) -> str:
    try:
        return str(ipaddress.IPv4Address(address))
    except ValueError:
        raise ValueError("an IPv4 address: 198.18.0.1") from None


def _check_mac(address: str) -> str:
    if not re.fullmatch(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", address):
        raise ValueError("an Ethernet address in lower case: 02:00:00:00:00:01")
    return address


IPFFAddress = Annotated[str, AfterValidator(_check_ipff)]
IPv4Address = Annotated[str, AfterValidator(_check_ipv4)]
MacAddress = Annotated[str, AfterValidator(_check_mac)]
Seconds = Annotated[float, Field(ge=0, le=3600)]
Number8 = Annotated[int, Field(ge=0, le=255)]
TransportPort = Annotated[int, Field(ge=1, le=65535)]

Role = Literal["mobile node", "server", "NAT router", "firewall", "anycast server"]
RehashRole = Literal["host"]
CarriageName = Literal["ipff", "ipv4"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DUT(_Table):
    """The device and how to start it.

    `command` is started in the device's namespace (docs/dut-contract.md); `agent` is the upper tester: "stdio" for the
    command's own standard input and output, a command of its own, or absent.
    """

    name: str
    vendor: str = ""
    version: str = ""
    command: list[str] = Field(default=[], description="program and arguments; {python} is the suite's interpreter")
    agent: Literal["stdio"] | list[str] | None = None
    ready_timeout_s: Seconds = 10


class NamespaceLink(_Table):
    """Virtual wires into a network namespace that the run makes for the device."""

    kind: Literal["namespace"]


class InterfaceLink(_Table):
    """A real interface: only this one, and only the addresses of the profile, are ever touched."""

    kind: Literal["interface"]
    interface: str
    dut_mac: MacAddress


class MopsICS(_Table):
    """What the device claims of the Mobile Protocol Stack: roles, and what is optional."""

    roles: list[Role] = []
    mobile_allowed: bool = Field(default=False, description="applications can set and clear MOBILE_ALLOWED (section 3)")
    udp: bool = Field(default=False, description="Mobile UDP (section 3)")
    unique_id: bool = Field(default=False, description="Unique IDs supplied by applications (section 4.1)")
    unique_id_one_time: bool = Field(default=False, description="Unique IDs that are good for one migration")
    mobile_capable: bool = Field(default=False, description="the MOBILE_CAPABLE option (Appendix C)")


class RehashICS(_Table):
    """What the device claims of TCP Rehash."""

    roles: list[RehashRole] = []


class ICS(_Table):
    """Implementation conformance statement: the claims that select cases."""

    carriages: list[CarriageName] = Field(min_length=1)
    mops: MopsICS = MopsICS()
    rehash: RehashICS = RehashICS()


class IpffIXIT(_Table):
    """Native carriage: the device's address, the tester's range of addresses, the numbers without an assignment."""

    address: IPFFAddress
    tester_first: IPFFAddress
    tester_last: IPFFAddress
    ethertype: Annotated[int, Field(ge=0x0600, le=0xFFFF)] = 0x88B5
    icmp_protocol: Annotated[int, Field(ge=0, le=0x3FFF)] = 1

    @model_validator(mode="after")
    def _check_range(self) -> "IpffIXIT":
        _check_tester_range(*map(parse_ipff, (self.address, self.tester_first, self.tester_last)))
        return self


class Ipv4IXIT(_Table):
    """IPv4 carriage: the device's address and prefix, the tester's range, the protocol number of ICMPv5."""

    address: IPv4Address
    prefix_length: Annotated[int, Field(ge=1, le=30)]
    tester_first: IPv4Address
    tester_last: IPv4Address
    icmp_protocol: Number8 = 254
    moves_to: list[IPv4Address] = Field(default=[], description="addresses that the device may be told to move to")

    @model_validator(mode="after")
    def _check_range(self) -> "Ipv4IXIT":
        numbers = [int(ipaddress.IPv4Address(one)) for one in (self.address, self.tester_first, self.tester_last)]
        _check_tester_range(*numbers)
        network = ipaddress.IPv4Network((self.address, self.prefix_length), strict=False)
        if not all(ipaddress.IPv4Address(number) in network for number in numbers):
            raise ValueError(f"tester_first and tester_last must lie in the device's network {network}")
        for address in self.moves_to:
            number = int(ipaddress.IPv4Address(address))
            if number in range(numbers[1], numbers[2] + 1) or ipaddress.IPv4Address(address) not in network:
                raise ValueError(f"moves_to must name addresses of {network} that are not the tester's: {address}")
        return self


def _check_tester_range(dut: int, first: int, last: int) -> None:
    if last - first < 3:
        raise ValueError("tester_first to tester_last must hold at least 4 addresses")
    if first <= dut <= last:
        raise ValueError("the range tester_first to tester_last must not hold the device's own address")


class MopsIXIT(_Table):
    """Timers and choices of the Mobile Protocol Stack (section 4.1)."""

    rate_limit_s: Seconds = 5.0
    migrate_seq: Literal["window", "exact"] = "window"
    reply_within_s: Seconds = 2.0


class RehashIXIT(_Table):
    """Numbers and choices of TCP Rehash."""

    option_kind: Annotated[int, Field(ge=2, le=255)] = 253
    max_retries: Annotated[int, Field(ge=0, le=100)] = Field(
        default=5, description="segments with REHASH-ADDR before the connection is closed; 0: no maximum"
    )
    init_reissues: Annotated[int, Field(ge=0, le=100)] = Field(
        default=3, description="how often REHASH-INIT is sent again to a peer that does not answer it"
    )
    init_at: Literal["syn", "established"] = Field(default="syn", description="where a host that connects begins")
    retry_within_s: Seconds = Field(default=5.0, description="longest time between two REHASH-ADDR nobody answers")


class ServicesIXIT(_Table):
    """Ports of services that the device runs from the start."""

    echo: TransportPort = 7


class IXIT(_Table):
    """Implementation extra information for testing: the values that parameterise cases."""

    ipff: IpffIXIT | None = None
    ipv4: Ipv4IXIT | None = None
    mops: MopsIXIT = MopsIXIT()
    rehash: RehashIXIT = RehashIXIT()
    services: ServicesIXIT = ServicesIXIT()
    silence_s: Seconds = Field(default=0.1, description="how long silence lasts behind its ordered barrier")
    tcp_within_s: Seconds = Field(default=2.0, description="deadline for ordinary TCP answers")


class Profile(_Table):
    """One device: who it is, how to reach it, what it claims, what is needed to run."""

    path: Path
    dut: DUT
    link: NamespaceLink | InterfaceLink = Field(discriminator="kind")
    ics: ICS
    ixit: IXIT

    @model_validator(mode="after")
    def _check_carriages(self) -> "Profile":
        for name in self.ics.carriages:
            if getattr(self.ixit, name) is None:
                raise ValueError(f'[ixit.{name}] is missing, but ics.carriages names "{name}"')
        if self.link.kind == "namespace" and not self.dut.command:
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
    try:
        profile = Profile(path=path, **content)
    except ValidationError as error:
        raise ProfileError(f"{path}: {_describe(error)}") from None
    except TypeError:
        raise ProfileError(f"{path}: path: is not a key of a profile") from None
    if command_arguments:
        command = [*profile.dut.command, *command_arguments]
        profile = profile.model_copy(update={"dut": profile.dut.model_copy(update={"command": command})})
    return profile


def _describe(error: ValidationError) -> str:
    """The first error as `key: what is wrong (value)`, and how many more there are."""
    first, *others = error.errors()
    key = ".".join(str(part) for part in first["loc"] if part not in ("namespace", "interface")) or "profile"
    message = first["msg"].removeprefix("Value error, ")
    given = first["input"]
    shown = f", not {given!r}" if isinstance(given, (str, int, float, list)) else ""
    more = f" (and {len(others)} more)" if others else ""
    return f"{key}: {message}{shown}{more}"
