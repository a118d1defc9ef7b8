# SPDX-License-Identifier: GPL-2.0-or-later
"""Migrate Option Processing: Migrate SYNs with more than an option, numbers at their edge, handshakes left open."""

import pytest

from conformance.migrate.dut.mobile_node import DutNode
from conformance.migrate.tester.host import MigrateHost
from testbed import inopportune, invalid, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import Broken

MORE = b"on the SYN"


@pytest.mark.parametrize("what", ["data", "FIN"])
@invalid
@requirement("MIGRATE-processing-08", case=1)
def test_more_on_a_migrate_syn_is_taken_once_or_not_at_all(
    node: MigrateHost, dut: DutNode, case: Case, what: str
) -> None:
    """Data on a Migrate SYN comes back once, when it is sent again after it; a FIN ends nothing but its own side."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    sent = node.send_migrate(connection, data=MORE) if what == "data" else node.send_migrate(connection, flags="SF")
    answer = node.find_syn_ack(sent)
    case.values["answered by"] = str(answer or "no SYN-ACK")
    if answer is not None:
        node.complete(connection, sent, answer)
    with dut.control():
        if answer is not None and what == "FIN" and answer.ack == connection.local.snd_nxt + 1:
            dut.acknowledges_fin(connection.local)
        else:
            dut.serves(connection, data=MORE)


@pytest.mark.parametrize(
    ("numbers", "asked"), [((), 0), ((), 64), ((), 127), ((1,), 65)], ids=["0", "64", "127", "+64"]
)
@valid
@requirement("MIGRATE-processing-09", case=1)
def test_reported_numbers_at_their_edge(
    node: MigrateHost, dut: DutNode, case: Case, numbers: tuple[int, ...], asked: int
) -> None:
    """Whether numbers are served that are neither larger nor smaller than the last one, or than none."""
    connection = node.connect()
    for number in numbers:
        node.move()
        sent = node.send_migrate(connection, reqno=number)
        node.complete(connection, sent, node.await_syn_ack(sent), number)
    node.move()
    sent = node.send_migrate(connection, reqno=asked)
    case.values[f"ReqNo {asked}"] = "served" if node.find_syn_ack(sent) else "not served"


@inopportune
@requirement("MIGRATE-processing-10", case=1)
def test_reported_unfinished_handshake(node: MigrateHost, dut: DutNode, case: Case) -> None:
    """Where data is taken after a SYN-ACK that nobody acknowledges: at the old tuple, at the new one, or nowhere."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    sent = node.send_migrate(connection)
    node.await_syn_ack(sent)
    case.values["at the old tuple"] = _served(dut, connection)
    connection.rebind(sent.end)
    case.values["at the new tuple"] = _served(dut, connection)


@valid
@requirement("MIGRATE-option-03", case=1)
def test_reported_preload(node: MigrateHost, dut: DutNode, case: Case) -> None:
    """Whether a Migrate SYN with the Preload flag, its Request made with it, is served."""
    connection = node.connect()
    node.exchange(connection)
    node.move()
    sent = node.send_migrate(connection, preload=1)
    answer = node.find_syn_ack(sent)
    case.values["Migrate SYN with Preload"] = "served" if answer else "not served"
    if answer is not None:
        node.complete(connection, sent, answer)
        case.values["data after it"] = _served(dut, connection)


def _served(dut: DutNode, connection: object) -> str:
    try:
        dut.serves(connection)  # type: ignore[arg-type]
    except Broken:
        return "not served"
    return "served"
