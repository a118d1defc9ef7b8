# SPDX-License-Identifier: GPL-2.0-or-later
"""The log of a device that writes without end, without lines, or to the terminal: bounded, printable, and said."""

import subprocess
import sys
import time

import pytest

from testbed.device.log import DeviceLog

FLOOD = "import os, time; end = time.monotonic() + {seconds}\nwhile time.monotonic() < end: os.write(2, {what})"


class Written:
    """The log of a Python program that has ended; `seconds` is how long it ran."""

    def __init__(self, program: str) -> None:
        began = time.monotonic()
        process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE)
        assert process.stderr
        self.log = DeviceLog(process.stderr)
        process.wait()
        self.seconds = time.monotonic() - began
        self.text = f"{self.log.tail()}\n{self.log.between(0, time.time_ns())}"


@pytest.fixture(scope="module", params=["b'x' * 65536", r"b'\n' * 65536", r"b'a usual line\n' * 4096"])
def flood(request: pytest.FixtureRequest) -> Written:
    """A second of it, and a last word."""
    program = FLOOD.format(seconds=1, what=request.param)
    return Written(f"{program}\ntime.sleep(1.2); print('\\nthe end', file=__import__('sys').stderr)")


def test_a_flood_is_bounded_and_said(flood: Written) -> None:
    assert "bytes of the log are left out here: more came than anybody reads" in flood.text
    assert len(flood.text) < 18 << 20


def test_after_a_flood_the_log_is_kept_again(flood: Written) -> None:
    assert flood.log.tail().splitlines()[-1] == "the end"


def test_a_flood_does_not_hold_the_device_up() -> None:
    program = "import os\nfor _ in range(500): os.write(2, bytes(65536))"
    written = Written(program)
    assert written.seconds < 20
    assert "left out here" in written.text


def test_a_line_without_an_end_is_cut() -> None:
    written = Written("import os; os.write(2, b'begins ' + b'y' * 1_000_000)")
    (line,) = written.log.between(0, time.time_ns()).splitlines()
    assert line.startswith("begins yyy")
    assert line.endswith(" (and 998007 bytes more of this line)")
    assert len(line) < 2_100


def test_nothing_of_it_reaches_a_terminal_as_it_is() -> None:
    written = Written(
        r"import os; os.write(2, b'\x1b[2J\rgone \xe2\x80\xae back\xff \xed\xa0\x80 \xc2\x9b1m\t\xc3\xbc\n')"
    )
    assert written.log.tail() == r"\x1b[2J\rgone \u202e back\xff \xed\xa0\x80 \x9b1m" + "\tü"
