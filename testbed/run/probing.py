# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether the tester's addresses on a real wire are free: each is asked for by ARP before it is used (RFC 5227)."""

from scapy.layers.l2 import ARP, Ether

from profiles import Profile
from testbed.case.setup import LinkSetup
from testbed.device.supervisor import LinkError
from testbed.interruptions import Inconclusive
from testbed.wire.capture import Trace
from testbed.wire.clock import NANO, Clock
from testbed.wire.network import Network

MOST_PROBED = 1024
"""Addresses of a range that are asked for, and used: the first ones."""

_ROUNDS = 2
_A_SECOND = 1000
_ANSWER_WITHIN_S = 0.5
_BROADCAST = "ff:ff:ff:ff:ff:ff"


def check_free(profile: Profile, link: LinkSetup, clock: Clock) -> None:
    """LinkError where somebody has one of the tester's addresses, or somebody else the device's, on this link.

    The device has a second for each thousand of the probes, of which there are two for each address.
    """
    for network in (one for one in link.networks.values() if one.has_arp):
        for address, mac in sorted(_asked(link, network, clock).items()):
            if address != network.dut:
                what = f"{address}, one of tester_first to tester_last, is in use by {mac}"
                raise LinkError(f"{profile.path}: ixit.{network.name}: {what}; allowed is a range that nobody uses")
            if mac != link.dut_mac:
                what = f"{address} is at {mac}, not at {link.dut_mac}"
                raise LinkError(f"{profile.path}: link.dut_mac: {what}; allowed is the address of the device")


def _asked(link: LinkSetup, network: Network, clock: Clock) -> dict[str, str]:
    """Who answers for which address; asked again from the first one where the wire is unplugged meanwhile."""
    while True:
        try:
            return _owners(link, network, clock)
        except Inconclusive:
            if link.interface.carrier:
                link.interface.carrier.wait()


def _owners(link: LinkSetup, network: Network, clock: Clock) -> dict[str, str]:
    """Who answers for which address."""
    first, last = network.place(network.first), network.place(network.last)
    places = range(first, min(last, first + MOST_PROBED - 1) + 1)
    addresses = [network.dut, *(network.address(network.at(place)) for place in places)]
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
            link.interface.remove(network.key(address))
    answers = [Ether(frame.data).getlayer(ARP) for frame in trace.received()]
    return {arp.psrc: arp.hwsrc for arp in answers if arp is not None and arp.psrc in addresses}


def _probe(mac: str, address: str) -> bytes:
    """An ARP Probe: the sender's address is all zero, so that nobody learns anything (RFC 5227 1.1)."""
    return bytes(Ether(src=mac, dst=_BROADCAST) / ARP(op="who-has", hwsrc=mac, psrc="0.0.0.0", pdst=address))
