# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 4787, REQ-1 to REQ-4 and REQ-11: how UDP endpoints are mapped."""

import pytest

from conformance.legacy.dut.nat import Nat
from conformance.legacy.dut.words import CLASS
from conformance.legacy.tester.hosts import Endpoint, Hosts
from testbed import requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import require
from testbed.wire.capture import Frame

ROWS = ("other port", "other address", "both other")
ELSEWHERE = pytest.mark.parametrize("second", ROWS)
PORTS = pytest.mark.parametrize("port", [1, 1023, 1024, 40_001, 65_534, 65_535])


def _other(hosts: Hosts, first: Endpoint, which: str) -> Endpoint:
    """An outside endpoint that differs from the first one in this way."""
    if which == "other port":
        return first.at(first.port + 1)
    return hosts.outside(first.port if which == "other address" else 0)


@ELSEWHERE
@valid
@requirement("LEGACY-4787.REQ1-01", case=1)
def test_endpoint_is_mapped_alike_for_all_destinations(hosts: Hosts, dut: Nat, second: str) -> None:
    """An inside endpoint appears as the same outside endpoint wherever its datagrams go."""
    inner, first = hosts.inside(), hosts.outside()
    dut.maps_alike(inner, first, _other(hosts, first, second))


@ELSEWHERE
@valid
@requirement("LEGACY-4787.REQ1-01", case=2)
def test_mapping_stays_when_answers_have_come(hosts: Hosts, dut: Nat, second: str) -> None:
    """An inside endpoint that has been answered appears as the same at another destination."""
    inner, first = hosts.inside(), hosts.outside()
    dut.delivers_inward(first, dut.maps(inner, first), inner)
    dut.maps_alike(inner, first, _other(hosts, first, second))


@ELSEWHERE
@valid
@requirement("LEGACY-4787.REQ1-02", case=1)
def test_endpoint_with_a_taken_port_is_mapped_alike(hosts: Hosts, dut: Nat, second: str) -> None:
    """An inside endpoint whose port another host has too appears as the same wherever its datagrams go."""
    first = hosts.outside()
    earlier = hosts.inside()
    dut.maps(earlier, first)
    dut.maps_alike(hosts.inside(earlier.port), first, _other(hosts, first, second))


@valid
@requirement("LEGACY-4787.REQ1-03", case=1)
def test_class_is_told(hosts: Hosts, dut: Nat, case: Case) -> None:
    """Reported: mapping, port assignment and hairpinning, in the words of RFC 4787."""
    inner, outer = hosts.inside(), hosts.outside()
    mapped = dut.maps(inner, outer)
    alike = [dut.maps(inner, one) == mapped for one in (hosts.outside(), outer.at(outer.port + 1))]
    mapping = (
        "Endpoint-Independent" if all(alike) else "Address-Dependent" if alike[1] else "Address and Port-Dependent"
    )
    case.values[f"{CLASS}UDP mapping"] = f"{mapping} Mapping"
    kept = mapped[1] == inner.port
    case.values[f"{CLASS}UDP port assignment"] = "Port preservation" if kept else "no Port preservation"
    case.values[f"{CLASS}Port parity preservation"] = "Yes" if mapped[1] % 2 == inner.port % 2 else "No"
    other = hosts.inside()
    inner.send(dut.maps(other, outer))
    hairpins = dut.is_forwarded(other.send(mapped), inner.side)
    case.values[f"{CLASS}UDP Hairpinning"] = "supported" if hairpins else "not supported"


@valid
@requirement("LEGACY-4787.REQ3-01", case=1)
def test_two_hosts_never_share_a_mapping(hosts: Hosts, dut: Nat) -> None:
    """Three hosts that send from one port to one destination appear as three endpoints, and each gets its answers."""
    outer = hosts.outside()
    first = hosts.inside()
    inner = [first, hosts.inside(first.port), hosts.inside(first.port)]
    came = [dut.translates(one, outer) for one in inner]
    sources = [one.source for one in came]
    require(len({*sources}) == len(sources), "outside endpoints", "three", sources, *[one.frame for one in came])
    for one, mapped in zip(inner, sources, strict=True):
        dut.delivers_inward(outer, mapped, one)


@ELSEWHERE
@valid
@requirement("LEGACY-4787.REQ3-02", case=1)
def test_port_shared_by_two_hosts_is_told(hosts: Hosts, dut: Nat, case: Case, second: str) -> None:
    """Reported: whether two hosts that send from one port to two destinations appear as one endpoint."""
    first = hosts.outside()
    earlier = hosts.inside()
    sources = {dut.maps(earlier, first), dut.maps(hosts.inside(earlier.port), _other(hosts, first, second))}
    case.values["two hosts, one port, two destinations"] = "port overlapping" if len(sources) == 1 else "two ports"


@PORTS
@valid
@requirement("LEGACY-4787.REQ3-03", case=1)
def test_port_stays_in_its_range(hosts: Hosts, dut: Nat, case: Case, port: int) -> None:
    """A port below 1024 is mapped to one below 1024, any other to one from 1024 on."""
    came = dut.translates(hosts.inside(port), hosts.outside())
    case.values[f"port {port}"] = str(came.source[1])
    _require_range(port, came.source[1], came.frame)


@PORTS
@valid
@requirement("LEGACY-4787.REQ3-03", case=2)
def test_taken_port_stays_in_its_range(hosts: Hosts, dut: Nat, case: Case, port: int) -> None:
    """A port that another host has taken towards the same destination is mapped to one of the same range."""
    outer = hosts.outside()
    dut.maps(hosts.inside(port), outer)
    came = dut.translates(hosts.inside(port), outer)
    case.values[f"port {port}, taken"] = str(came.source[1])
    _require_range(port, came.source[1], came.frame)


def _require_range(port: int, mapped: int, frame: Frame) -> None:
    wanted = "0 to 1023" if port < 1024 else "1024 to 65535"
    require((port < 1024) == (mapped < 1024), f"outside port of {port}", wanted, mapped, frame)


@PORTS
@valid
@requirement("LEGACY-4787.REQ4-01", case=1)
def test_parity_is_told(hosts: Hosts, dut: Nat, case: Case, port: int) -> None:
    """Reported: the outside ports of first, second and third host that send from one port to one destination."""
    outer = hosts.outside()
    mapped = [dut.maps(hosts.inside(port), outer)[1] for _ in range(3)]
    kept = "kept" if all(one % 2 == port % 2 for one in mapped) else "not kept"
    case.values[f"choices for port {port}"] = f"{', '.join(map(str, mapped))}; parity {kept}"


@valid
@requirement("LEGACY-4787.REQ11-01", case=1)
def test_mapping_is_the_same_for_many(hosts: Hosts, dut: Nat) -> None:
    """Sixteen endpoints of four hosts are each mapped alike at four destinations, in whatever order they send."""
    outer = [hosts.outside() for _ in range(4)]
    inner = [one.at(one.port + step * 7) for one in (hosts.inside() for _ in range(4)) for step in range(4)]
    mapped = {one: dut.maps(one, outer[0]) for one in inner}
    for destination in outer[1:]:
        for one in reversed(inner):
            came = dut.translates(one, destination)
            require(came.source == mapped[one], f"source of {one}", mapped[one], came.source, came.frame)
