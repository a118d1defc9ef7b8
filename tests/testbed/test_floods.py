# SPDX-License-Identifier: GPL-2.0-or-later
"""A device that sends more than anybody can read: the case ends, and says why."""

import contextlib
import time

import pytest
from scapy.layers.inet import IP
from scapy.layers.l2 import Ether

from testbed.case.case import Case
from testbed.case.verdict import Verdict
from testbed.interruptions import Inconclusive
from testbed.wire import capture
from testbed.wire.clock import Deadline
from tests.testbed.lab import Lab

FLOOD_S = 6.0


def flood(lab: Lab, case: Case) -> None:
    """Let the device send small packets to the case for some seconds."""
    packet = IP(src=case.network.dut, dst=case.station().address, proto=253) / bytes(24)
    frame = bytes(Ether(src=case.dut_mac, dst=case.interface.mac) / packet).hex()
    lab.tells("flood", frame=frame, seconds=FLOOD_S)


def test_waiting_ends_in_the_middle_of_a_flood(lab: Lab, case: Case) -> None:
    flood(lab, case)
    began = time.monotonic()
    with contextlib.suppress(Inconclusive):
        case.look(lambda: None, Deadline(time.time_ns(), 0.3))
    assert time.monotonic() - began < FLOOD_S - 1


def test_no_more_is_kept_than_there_is_room_for(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "MOST_FRAMES", 500)

    def body(case: Case) -> None:
        flood(lab, case)
        case.look(lambda: None, Deadline(time.time_ns(), 2))

    outcome = lab.runs(body)
    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert "more than 500 frames in this case" in outcome.finding.reason
    assert outcome.case
    assert len(outcome.case.trace.frames) <= 510
