# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 8: what an attacker off the path, and one on it, can do to a server."""

import secrets

from conformance.mops.dut.server import Server
from conformance.mops.migrate import sealed
from conformance.mops.tester.mobile_node import Connection, MobileNode
from layers.mops import SUCCESS
from testbed import invalid, requirement
from testbed.case.case import Case
from testbed.wire.clock import NANO

MESSAGES = 100
GUESSES_EACH = 20


def flood(node: MobileNode, case: Case, victim: Connection) -> None:
    """Send guesses of ports and numbers at the profile's rate, alternately at the victim's address and anywhere.

    They come from an attacker that is off the path and asks for the connections to be its own.
    """
    attacker, network = case.station(), case.network
    interval = NANO // case.setup.profile.ixit.mops.guess_rate_per_s
    anywhere = network.address(network.at(secrets.randbelow(network.places)))
    addresses = (victim.local.station.address, anywhere)
    messages = [
        node.request(
            previous_source=addresses[number % 2],
            migrated_source=attacker.address,
            entries=[
                (1024 + secrets.randbelow(64000), 1024 + secrets.randbelow(64000), secrets.randbits(32))
                for _ in range(GUESSES_EACH)
            ],
        )
        for number in range(MESSAGES)
    ]
    ends = attacker.number, network.number(network.dut)
    octets = [sealed(bytes(message)).between(network, *ends) for message in messages]
    began = case.clock.now_ns()
    for number, message in enumerate(octets):
        case.wait_until(began + number * interval)
        attacker.send(network.icmp_protocol, message)
    seconds = (case.clock.now_ns() - began) / NANO
    case.values["guesses"] = f"{MESSAGES * GUESSES_EACH} in {MESSAGES} messages, {MESSAGES / seconds:.0f} messages/s"


@invalid
@requirement("MOPS-4.1-93", case=1)
def test_guesses_from_off_the_path_remap_nothing(node: MobileNode, dut: Server, case: Case) -> None:
    """Random tuples and sequence numbers remap nothing, and an honest Migrate is answered afterwards."""
    victim = node.connect()
    node.move()
    honest = node.connect()
    begin = case.mark()
    flood(node, case, victim)
    dut.collect_replies(begin)
    dut.serves(victim)
    node.move()
    dut.answers(node.send_migrate(honest), SUCCESS)


@invalid
@requirement("MOPS-8-02", case=1)
def test_flood_harms_no_connection(node: MobileNode, dut: Server, case: Case) -> None:
    """A flood of Migrates harms neither an established connection nor a new one."""
    victim = node.connect()
    begin = case.mark()
    flood(node, case, victim)
    dut.serves(victim, data=b"during the flood")
    dut.collect_replies(begin)
    dut.accepts_new_connection(node.new_peer())
    dut.serves(victim, data=b"after the flood")


@invalid
@requirement("MOPS-8-03", case=1)
def test_state_under_a_flood(node: MobileNode, dut: Server, case: Case) -> None:
    """Reported: what the device reports of its state before and after a flood."""
    agent = case.setup.dut.upper_tester()
    victim = node.connect()
    begin = case.mark()
    case.values["before"] = str(agent.call("status"))
    flood(node, case, victim)
    dut.collect_replies(begin)
    case.values["after"] = str(agent.call("status"))


@invalid
@requirement("MOPS-8-04", case=1)
def test_attacker_on_the_path(node: MobileNode, dut: Server, case: Case) -> None:
    """Reported: whether an attacker that knows the sequence number takes the connection over."""
    connection = node.connect()
    attacker = case.station()
    message = node.request(connection, migrated_source=attacker.address)
    answer = dut.collect_replies(node.send(message, sender=attacker).mark)
    case.values["answer"] = answer
    case.values["taken over"] = "yes" if answer == "success" else "no"
