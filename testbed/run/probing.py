# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether the tester's addresses on a real wire are free: each is asked for by ARP before it is used (RFC 5227)."""

import threading
from collections.abc import Iterator

from scapy.layers.l2 import ARP, Ether

from profiles import Profile
from testbed.case.setup import LinkSetup
from testbed.device.supervisor import LinkError
from testbed.interruptions import DeviceLost, Inconclusive
from testbed.wire.capture import Trace
from testbed.wire.clock import NANO, Clock, ClockStepped, RunOver
from testbed.wire.network import Network

AT_ONCE = 1024
"""Addresses that are asked for together; those of the first time have to do until more are known to be free."""

_ROUNDS = 2
_A_SECOND = 1000
_ANSWER_WITHIN_S = 0.5
_BROADCAST = "ff:ff:ff:ff:ff:ff"


def check_free(profile: Profile, link: LinkSetup, clock: Clock) -> None:
    """LinkError where somebody has one of the first of the tester's addresses, or somebody else the device's.

    The others of the range are asked for while cases run, a thousand probes a second, and used from then on; where
    somebody has one of them the range ends before.
    """
    for network in (one for one in link.networks.values() if one.has_arp):
        parts = _parts(network)
        asked = [network.dut, *network.moves_to, *next(parts)]
        for address, mac in sorted(_asked(link, asked, network, clock)):
            if address in network.moves_to:
                what = f"{address}, one of moves_to, is in use by {mac}"
                raise LinkError(f"{profile.path}: ixit.{network.name}: {what}; allowed is one that nobody has")
            if address != network.dut:
                what = f"{address}, one of tester_first to tester_last, is in use by {mac}"
                raise LinkError(f"{profile.path}: ixit.{network.name}: {what}; allowed is a range that nobody uses")
            if mac != link.dut_mac:
                what = f"{address} is at {mac}, not at {link.dut_mac}"
                raise LinkError(f"{profile.path}: link.dut_mac: {what}; allowed is the address of the device")
        threading.Thread(target=_go_on, args=(link, network, clock, parts), name="probing", daemon=True).start()


def _go_on(link: LinkSetup, network: Network, clock: Clock, parts: Iterator[list[str]]) -> None:
    try:
        for addresses in parts:
            if _asked(link, addresses, network, clock):
                return
            link.pools[network.name].extend(len(addresses))
    except (RunOver, DeviceLost, OSError):
        return  # the run is over


def _parts(network: Network) -> Iterator[list[str]]:
    """The tester's addresses, so many at once."""
    first, last = network.place(network.first), network.place(network.last)
    for begin in range(first, last + 1, AT_ONCE):
        yield [network.address(network.at(place)) for place in range(begin, min(last + 1, begin + AT_ONCE))]


def _asked(link: LinkSetup, addresses: list[str], network: Network, clock: Clock) -> set[tuple[str, str]]:
    """Addresses, and who answers for each; asked again from the first one where the wire is unplugged meanwhile."""
    while True:
        try:
            return _owners(link, addresses, network, clock)
        except (Inconclusive, ClockStepped):
            if link.interface.carrier:
                link.interface.carrier.wait()


def _owners(link: LinkSetup, addresses: list[str], network: Network, clock: Clock) -> set[tuple[str, str]]:
    trace = Trace(clock)
    for address in addresses:
        link.interface.observe(network.key(address), trace)
    try:
        began = clock.now_ns()
        for number, address in enumerate(addresses * _ROUNDS):
            clock.wait_until(began + number * NANO // _A_SECOND)
            link.interface.send(_probe(link.interface.mac, address), None)
        clock.wait_until(clock.now_ns() + round(_ANSWER_WITHIN_S * NANO))
    finally:
        for address in addresses:
            link.interface.remove_observer(network.key(address))
    answers = [Ether(frame.data).getlayer(ARP) for frame in trace.received()]
    return {(arp.psrc, arp.hwsrc) for arp in answers if arp is not None and arp.psrc in addresses}


def _probe(mac: str, address: str) -> bytes:
    """An ARP Probe: the sender's address is all zero, so that nobody learns anything (RFC 5227 1.1)."""
    return bytes(Ether(src=mac, dst=_BROADCAST) / ARP(op="who-has", hwsrc=mac, psrc="0.0.0.0", pdst=address))
