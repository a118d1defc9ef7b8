# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 8: what an attacker off the path, and one on it, can do to a server."""

import secrets

from conformance.mops.dut.server import Server
from conformance.mops.tester.mobile_node import MobileNode, Session
from layers.mops import SUCCESS
from testbed import invalid, requirement
from testbed.case.case import Case
from testbed.wire.clock import NANO

MESSAGES = 100
GUESSES_EACH = 20


def floods(node: MobileNode, case: Case, victim: Session) -> None:
    """Send guesses as fast as the profile allows: of ports and numbers, by turns at the victim's address and anywhere.

    They come from one who is off the path and asks for the connections to be his.
    """
    attacker = case.station()
    interval = NANO // case.setup.profile.ixit.mops.guess_rate_per_s
    anywhere = 1 << (50 if case.network.name == "ipff" else 32)
    addresses = (victim.peer.station.address, case.network.address(secrets.randbelow(anywhere)))
    messages = [
        bytes(
            node.migrate(
                previous_source=addresses[number % 2],
                migrated_source=attacker.address,
                entries=[
                    (1024 + secrets.randbelow(64000), 1024 + secrets.randbelow(64000), secrets.randbits(32))
                    for _ in range(GUESSES_EACH)
                ],
            )
        )
        for number in range(MESSAGES)
    ]
    began = case.clock.now_ns()
    for number, message in enumerate(messages):
        case.wait_until(began + number * interval)
        attacker.send(case.network.icmp_protocol, message)
    seconds = (case.clock.now_ns() - began) / NANO
    case.values["guesses"] = f"{MESSAGES * GUESSES_EACH} in {MESSAGES} messages, {MESSAGES / seconds:.0f} messages/s"


@invalid
@requirement("MOPS-4.1-93", case=1)
def test_guesses_from_off_the_path_remap_nothing(node: MobileNode, server: Server, case: Case) -> None:
    """Random tuples and sequence numbers remap nothing, and an honest Migrate is answered afterwards."""
    victim = node.connects()
    node.moves()
    honest = node.connects()
    begin = case.mark()
    floods(node, case, victim)
    server.hears_everything_out(begin)
    server.serves(victim)
    node.moves()
    server.answers(node.sends(node.migrate(honest)), SUCCESS)


@invalid
@requirement("MOPS-8-02", case=1)
def test_flood_harms_no_connection(node: MobileNode, server: Server, case: Case) -> None:
    """A flood of Migrates harms neither an established connection nor a new one."""
    victim = node.connects()
    begin = case.mark()
    floods(node, case, victim)
    server.serves(victim, b"during the flood")
    server.hears_everything_out(begin)
    server.welcomes(node, node.new_port())
    server.serves(victim, b"after the flood")


@invalid
@requirement("MOPS-8-03", case=1)
def test_state_under_a_flood(node: MobileNode, server: Server, case: Case) -> None:
    """Reported: what the device says of its state before and after a flood."""
    agent = case.setup.dut.upper_tester()
    victim = node.connects()
    begin = case.mark()
    case.values["before"] = str(agent.call("status"))
    floods(node, case, victim)
    server.hears_everything_out(begin)
    case.values["after"] = str(agent.call("status"))


@invalid
@requirement("MOPS-8-04", case=1)
def test_attacker_on_the_path(node: MobileNode, server: Server, case: Case) -> None:
    """Reported: whether somebody who knows the sequence number takes the connection over."""
    session = node.connects()
    attacker = case.station()
    message = node.migrate(session, migrated_source=attacker.address)
    said = server.hears_out(node.sends(message, sender=attacker))
    case.values["answer"] = said
    case.values["taken over"] = "yes" if said == "success" else "no"
