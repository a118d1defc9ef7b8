# SPDX-License-Identifier: GPL-2.0-or-later
"""A flood keeps the profile's rate in every second though the tester stalls, and whoever else floods the device."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from conformance.mops.migrate import ENTRY, HEADER
from conformance.mops.server.test_8_security import GUESSES_EACH
from layers.capture import captured
from layers.mops import MIGRATE
from testbed.wire.clock import NANO
from tests.testbed.lab import SERVER
from tests.testbed.runs import SHORT, UNBROKEN, Run, made_up
from tests.wire.box import certify

ETHERNET, IP = 14, 20
RATE, TABLE, CASES = 50, 300, 2
MESSAGES = 2 * TABLE // GUESSES_EACH + 1
STALL_NS = NANO // 5
FLOODS = """
    import subprocess
    from conformance.mops.dut.server import Server
    from conformance.mops.server.test_8_security import flood
    from conformance.mops.tester.mobile_node import MobileNode

    STALL = "sleep 0.4; kill -STOP {{pid}}; sleep 0.7; kill -CONT {{pid}}"

    @pytest.mark.parametrize("number", range({cases}))
    @valid
    @requirement(MUST, case=1)
    def test_flood(case, number):
        node, dut = MobileNode(case), Server(case)
        victim = node.connect()
        begin = case.mark()
        with subprocess.Popen(["sh", "-c", STALL.format(pid=os.getpid())]):
            flood(node, dut, case, victim)
        dut.collect_replies(begin)
"""


def guesses(done: Run, case: dict[str, str]) -> Iterator[int]:
    """Kernel stamps of the guesses of a case, in the evidence."""
    for frame in captured(str(done.folder / case["evidence"])):
        message = frame.data[ETHERNET + IP :]
        is_guess = len(message) == HEADER + GUESSES_EACH * ENTRY.size and message[5] == MIGRATE
        if is_guess and frame.ns:
            yield frame.ns


def test_flood_keeps_its_rate_in_every_second(tmp_path: Path) -> None:
    cases = made_up(tmp_path, FLOODS.format(cases=CASES))
    limits = ("[ixit.mops]", f"[ixit.mops]\nguess_rate_per_s = {RATE}\nlargest_table = {TABLE}")
    [done] = certify(SHORT, SERVER, tmp_path, cases, changes=[limits])
    assert done.code in UNBROKEN, done.output
    floods = [list(guesses(done, case)) for case in done.results["cases"]]
    assert [len(flood) for flood in floods] == [MESSAGES] * 2 * CASES
    assert all(max(after - before for before, after in pairwise(flood)) > STALL_NS for flood in floods)
    stamps = [stamp for flood in floods for stamp in flood]
    most = max(sum(0 <= other - begin < NANO for other in stamps) for begin in stamps)
    assert most <= RATE
