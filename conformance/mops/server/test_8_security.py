# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 8: what an attacker off the path, and one on it, can do to a server."""

from functools import partial

from conformance.mops.dut.server import Server
from conformance.mops.migrate import ENTRY, sealed, send_message
from conformance.mops.tester.mobile_node import Connection, MobileNode
from layers.mops import SUCCESS
from testbed import exclusive, invalid, requirement, waits
from testbed.case.case import Case
from testbed.wire import chance
from testbed.wire.clock import NANO

FLOODED = exclusive("a flood harms what other cases do on the same device")

GUESSES_EACH = 20


def flood(node: MobileNode, dut: Server, case: Case, victim: Connection) -> None:
    """Send guesses of ports and numbers at the profile's rate, alternately at the victim's address and anywhere.

    They are twice as many as the device's largest table has places, come from an attacker that is off the path, and ask
    for the connections to be its own.
    """
    dut.can_migrate()
    mops = case.setup.profile.ixit.mops
    attacker = case.station()
    network = case.network
    anywhere = network.address(network.at(chance.randbelow(network.places)))
    heads = [
        bytes(node.request(previous_source=address, migrated_source=attacker.address, count=GUESSES_EACH, entries=[]))
        for address in (victim.local.station.address, anywhere)
    ]
    number = 2 * mops.largest_table // GUESSES_EACH + 1
    began = case.clock.now_ns()
    for place in range(number):
        message = sealed(heads[place % 2] + chance.token_bytes(GUESSES_EACH * ENTRY.size))
        case.send_paced(mops.guess_rate_per_s, partial(send_message, attacker, message))
    seconds = (case.clock.now_ns() - began) / NANO
    case.values["guesses"] = f"{number * GUESSES_EACH} in {number} messages, {number / seconds:.0f} messages/s"


@FLOODED
@waits(2)
@invalid
@requirement("MOPS-4.1-93", case=2)
def test_guesses_from_off_the_path_remap_nothing(node: MobileNode, dut: Server, case: Case) -> None:
    """Random tuples and sequence numbers remap nothing, and an honest Migrate is answered afterwards."""
    victim = node.connect()
    node.move()
    honest = node.connect()
    begin = case.mark()
    flood(node, dut, case, victim)
    dut.collect_replies(begin)
    dut.serves(victim)
    node.move()
    node.rebind(dut.answers_in_the_end(node, node.request(honest), SUCCESS), honest)
    dut.serves(honest)


@FLOODED
@invalid
@requirement("MOPS-8-02", case=2)
def test_flood_harms_no_connection(node: MobileNode, dut: Server, case: Case) -> None:
    """A flood of Migrates harms neither an established connection nor a new one."""
    victim = node.connect()
    begin = case.mark()
    flood(node, dut, case, victim)
    dut.collect_replies(begin)
    dut.accepts_new_connection(node.new_peer())
    dut.serves(victim)


@FLOODED
@invalid
@requirement("MOPS-8-03", case=1)
def test_state_under_a_flood(node: MobileNode, dut: Server, case: Case) -> None:
    """Reported: what the device reports of its state before and after a flood."""
    agent = case.setup.dut.upper_tester()
    victim = node.connect()
    begin = case.mark()
    case.values["before"] = str(agent.call("status"))
    flood(node, dut, case, victim)
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
