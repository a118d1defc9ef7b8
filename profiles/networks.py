# SPDX-License-Identifier: GPL-2.0-or-later
"""The networks that messages travel over: the device's addresses, the tester's, and what the device is told of them."""

import ipaddress
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from profiles.addresses import IPFFAddress, IPv4Address, ipff_place, parse_ipff
from profiles.table import Allowed, Number8, PerLink, Table

NetworkName = Literal["ipff", "ipv4"]

_AT_LEAST = "at least 16 addresses"


IPFF_READINGS = ("header", "icmp_checksum", "icmp_pseudo_protocol", "udp")
"""What the drafts leave open, or what devices have otherwise that were built before the drafts were known."""


class IpffIXIT(Table):
    """Messages natively in IPFF. The table is needed where `ics.networks` names `"ipff"`."""

    address: IPFFAddress = Field(description="the device's own IPFF address")
    tester_first: IPFFAddress = Field(description="the first of the tester's addresses")
    tester_last: Annotated[IPFFAddress, Allowed(f"IPFF address; {_AT_LEAST}")] = Field(
        description="the last of the tester's addresses"
    )
    ethertype: Annotated[int, Field(ge=0x0600, le=0xFFFF), Allowed("1536 to 65535, not that of IPv4 or ARP")] = Field(
        default=0x88B5, description="EtherType of IPFF"
    )
    icmp_protocol: Annotated[int, Field(ge=0, le=0x3FFF)] = Field(
        default=1, description="protocol number of ICMPv5 in IPFF"
    )
    header: Literal["draft-00", "24-byte"] = Field(
        default="draft-00",
        description="the header: that of draft-eromenko-ipff-00 (20 bytes), or one of 24 bytes that was read into the "
        "drafts above it before",
    )
    icmp_checksum: Literal["pseudo-header", "plain"] = Field(
        default="pseudo-header",
        description="what the checksum of ICMPv5 covers: message and pseudo-header (draft-eromenko-ipff-icmp-00), or "
        "the message alone",
    )
    icmp_pseudo_protocol: Literal[1, 58] = Field(
        default=1,
        description="Protocol in that pseudo-header: 1 (draft-eromenko-ipff-icmp-00) or 58 (draft-eromenko-ipff-00, "
        "7.1)",
    )
    udp: Literal["v5", "rfc768"] = Field(
        default="v5",
        description="UDP in IPFF: without Length, 6 bytes (draft-eromenko-ipff-udp-00), or that of RFC 768, 8 bytes",
    )
    moves_to: Annotated[list[IPFFAddress], Allowed("list of IPFF addresses, none of them the tester's")] = Field(
        default=[], description="addresses that the device may be told to move to; two serve every case"
    )

    @model_validator(mode="after")
    def _check_range(self) -> "IpffIXIT":
        _check_tester_range(*map(_place, (self.address, self.tester_first, self.tester_last)))
        for address in self.moves_to:
            if parse_ipff(self.tester_first) <= parse_ipff(address) <= parse_ipff(self.tester_last):
                raise ValueError(f"moves_to must name addresses that are not the tester's: {address}")
        if self.ethertype in (0x0800, 0x0806):
            raise ValueError("ethertype must be one that nothing else on the wire uses, not that of IPv4 or ARP")
        return self

    def has_room_for(self, address: str) -> bool:
        """Whether the device can have this address besides its own: it is not the tester's."""
        taken = parse_ipff(self.tester_first) <= parse_ipff(address) <= parse_ipff(self.tester_last)
        return not taken and address != self.address

    def dut_config(self) -> dict[str, Any]:
        """What the device is told: its own part. The neighbours' Ethernet address is added where it is known."""
        return self.model_dump(include={"address", "ethertype", "icmp_protocol", *IPFF_READINGS})


def _place(address: str) -> int:
    return ipff_place(parse_ipff(address))


class Ipv4IXIT(Table):
    """Messages inside IPv4. The table is needed where `ics.networks` names `"ipv4"`."""

    address: IPv4Address = Field(description="the device's own IPv4 address")
    prefix_length: Annotated[int, Field(ge=1, le=30)] = Field(
        description="length of the prefix of the wire's network; all addresses are host addresses of it"
    )
    tester_first: IPv4Address = Field(description="the first of the tester's addresses")
    tester_last: Annotated[IPv4Address, Allowed(f"IPv4 address; {_AT_LEAST}")] = Field(
        description="the last of the tester's addresses"
    )
    neighbours: Annotated[int | None, Field(ge=2), Allowed("whole number, at least 2")] = Field(
        default=None,
        description="how many neighbours the device's ARP table holds, where they are few: "
        "no more cases run at once than half of them",
    )
    icmp_protocol: Number8 = Field(default=254, description="IP protocol number that carries ICMPv5 messages")
    moves_to: Annotated[
        list[IPv4Address], Allowed("list of IPv4 addresses of the network, none of them the tester's")
    ] = Field(default=[], description="addresses that the device may be told to move to; two serve every case")

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

    def has_room_for(self, address: str) -> bool:
        """Whether the device can have this address besides its own: on the same network, and not the tester's."""
        number, first, last = (
            int(ipaddress.IPv4Address(one)) for one in (address, self.tester_first, self.tester_last)
        )
        subnet = ipaddress.IPv4Network((self.address, self.prefix_length), strict=False)
        is_host = int(subnet.network_address) < number < int(subnet.broadcast_address)
        return is_host and not first <= number <= last and address != self.address

    def dut_config(self) -> dict[str, Any]:
        """What the device is told: its own part. Neighbours answer ARP."""
        return self.model_dump(include={"address", "prefix_length", "icmp_protocol"})


def _check_tester_range(dut: int, first: int, last: int) -> None:
    if last - first < 15:
        raise ValueError("tester_first to tester_last must hold at least 16 addresses")
    if first <= dut <= last:
        raise ValueError("the range tester_first to tester_last must not hold the device's own address")


class IpffLinks(PerLink[IpffIXIT]):
    """IPFF on each link. The layers know one EtherType, one protocol number of ICMPv5 and one reading of the drafts."""

    @model_validator(mode="after")
    def _check_links(self) -> "IpffLinks":
        for key in ("ethertype", "icmp_protocol", *IPFF_READINGS):
            _check_same(key, [getattr(table, key) for table in self.all])
        if self.inside and self.outside:
            ends = (
                self.inside.tester_first,
                self.inside.tester_last,
                self.outside.tester_first,
                self.outside.tester_last,
            )
            _check_apart(*map(_place, ends))
        return self


class Ipv4Links(PerLink[Ipv4IXIT]):
    """IPv4 on each link. The layers know one protocol number of ICMPv5."""

    @model_validator(mode="after")
    def _check_links(self) -> "Ipv4Links":
        _check_same("icmp_protocol", [table.icmp_protocol for table in self.all])
        if self.inside and self.outside:
            ends = (
                self.inside.tester_first,
                self.inside.tester_last,
                self.outside.tester_first,
                self.outside.tester_last,
            )
            _check_apart(*(int(ipaddress.IPv4Address(end)) for end in ends))
        return self


def _check_same(key: str, values: list[int | str]) -> None:
    if len(set(values)) > 1:
        raise ValueError(f"{key} must be the same on every link")


def _check_apart(first: int, last: int, other_first: int, other_last: int) -> None:
    if first <= other_last and other_first <= last:
        raise ValueError("tester_first to tester_last of inside and of outside must not overlap")
