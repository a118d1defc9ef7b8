# SPDX-License-Identifier: GPL-2.0-or-later
"""An interface of any MTU: full packets and segments are of its size, and no device is blamed for what does not fit."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from layers.capture import captured
from tests.testbed.lab import SERVER
from tests.testbed.runs import SHORT, UNBROKEN, Run, Scenarios, scenarios
from tests.wire.box import certify

ETHERNET, ENTRY = 14, 8
LEAST, SEGMENTS = "test_migrate_of_the_least_mtu", "test_full_segments_after_the_move"
FULL = (
    "test_full_packet_of_entries",
    "test_message_of_unknown_sockets_lists_all",
    "test_checksum_of_a_long_reply_is_right",
)
MTUS = {
    "1300": (1300, 1300),
    "1400 before a device of 1500": (1400, 1500),
    "9000": (9000, 9000),
    "9000 before a device of 1500": (9000, 1500),
}
"""Of the tester's interface and of the device's."""


def _over(folder: Path, mtus: tuple[int, int]) -> Run:
    words = " or ".join([*FULL, SEGMENTS, LEAST])
    mtu, box_mtu = mtus
    return certify(SHORT, SERVER, folder, "conformance/mops/server", "-k", words, mtu=mtu, box_mtu=box_mtu)[0]


RUNS = {name: lambda folder, mtus=mtus: _over(folder, mtus) for name, mtus in MTUS.items()}


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenarios]:
    yield from scenarios(RUNS, request, tmp_path_factory)


def longest(done: Run, *names: str) -> list[int]:
    """The length of the longest packet in the evidence of each case of these names."""
    files = [
        done.folder / case["evidence"] for case in done.results["cases"] if any(name in case["node"] for name in names)
    ]
    assert len(files) >= 2 * len(names)
    return [max(len(frame.data) for frame in captured(str(file))) - ETHERNET for file in files]


@pytest.mark.parametrize("wire", MTUS)
def test_full_packets_and_segments_are_of_the_wires_mtu(runs: Scenarios, wire: str) -> None:
    done, mtu = runs(wire), min(MTUS[wire])
    judged = {verdict for name, verdict in done.verdicts.items() if LEAST not in name}
    assert judged == {"PASS"}, done.output
    assert all(mtu - 2 * ENTRY - 40 < size <= mtu for size in longest(done, *FULL))
    assert all(mtu - 2 * ENTRY - 40 < size <= mtu for size in longest(done, SEGMENTS))


def test_what_the_wire_is_too_small_for_names_its_mtu(runs: Scenarios) -> None:
    done = runs("1300")
    assert done.code == 6, done.output
    assert {verdict for name, verdict in done.verdicts.items() if LEAST in name} == {"INCONCLUSIVE"}
    assert "a packet of 1316 bytes is more than the MTU of the tester's interface, 1300" in done.output
    assert runs("9000 before a device of 1500").code in UNBROKEN
