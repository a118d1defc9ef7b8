# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that nobody here wrote live through ten moves and notice nothing."""

import json
import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from tests.reference.pair import Pair

MOVES = 10
HTTP_SERVER = [sys.executable, "-u", "-m", "http.server", "--bind", "0.0.0.0", "--directory", "{folder}/public", "80"]
PYTHON_CLIENT = """
import http.client, sys, time
connection = http.client.HTTPConnection("198.18.0.1", 80, timeout=20)
connection.request("GET", "/file")
response = connection.getresponse()
with open(sys.argv[1], "wb") as file:
    while block := response.read(50_000):
        file.write(block)
        time.sleep(0.02)
"""


def shell(command: str) -> list[str]:
    """Wait for the file `go`, run a command, and say in the file `done` how it ended."""
    wait = "while [ ! -e {folder}/go ]; do sleep 0.02; done"
    return ["sh", "-c", f"{wait}; {command}; echo $? > {{folder}}/end; mv {{folder}}/end {{folder}}/done"]


def go(pair: Pair, words: str) -> None:
    """Have the client begin as soon as the server has said these words."""
    deadline = time.monotonic() + 20
    while words not in pair.ends[0].log():
        assert time.monotonic() < deadline, "the server does not start"
        time.sleep(0.02)
    (pair.folder / "go").touch()


def ten_moves(pair: Pair, interval: float) -> None:
    """Both ends by turns, each five times, the last time back to where it began."""
    for number in range(MOVES):
        time.sleep(interval)
        end = pair.ends[number % 2]
        network = end.address.rpartition(".")[0]
        end.move(f"{network}.{1 if number >= MOVES - 2 else 10 + number}")
    for end in pair.ends:
        assert end.call("status")["failed"] == 0


CURL = "curl -s --limit-rate 2M -o {folder}/got http://198.18.0.1/file"


def test_a_download_is_byte_exact(tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    content = os.urandom(7_000_000)
    (tmp_path / "public/file").write_bytes(content)
    (tmp_path / "client.py").write_text(PYTHON_CLIENT)
    client = CURL if shutil.which("curl") else f"{sys.executable} {{folder}}/client.py {{folder}}/got"
    with Pair(tmp_path, [HTTP_SERVER], [shell(client)]) as pair:
        go(pair, "Serving HTTP")
        started(tmp_path / "got")
        ten_moves(pair, 0.08)
        assert not (tmp_path / "done").exists(), f"ended before the last move: {pair.wait_for('done', 0)}"
        assert pair.wait_for("done", 30) == "0"
        assert (tmp_path / "got").read_bytes() == content


def started(path: Path) -> None:
    deadline = time.monotonic() + 20
    while not path.exists() or not path.stat().st_size:
        assert time.monotonic() < deadline, "the transfer does not begin"
        time.sleep(0.02)


@pytest.mark.skipif(shutil.which("iperf3") is None, reason="iperf3 is not installed")
def test_iperf3_goes_on(tmp_path: Path) -> None:
    client = "iperf3 -J -t 3 --bidir -c 198.18.0.1 > {folder}/report"
    with Pair(tmp_path, [["iperf3", "-s", "--forceflush"]], [shell(client)]) as pair:
        go(pair, "Server listening")
        time.sleep(0.3)
        ten_moves(pair, 0.15)
        assert pair.wait_for("done", 30) == "0"
    report = json.loads((tmp_path / "report").read_text())
    assert "error" not in report
    assert min(one["bytes"] for one in (report["end"]["sum_received"], report["end"]["sum_received_bidir_reverse"]))


@pytest.mark.parametrize("legacy", [0, 1], ids=["server", "client"])
def test_an_ordinary_kernel_at_the_other_end(legacy: int, tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    content = os.urandom(3_000_000)
    (tmp_path / "public/file").write_bytes(content)
    (tmp_path / "client.py").write_text(PYTHON_CLIENT.replace("time.sleep(0.02)", "pass"))
    client = f"{sys.executable} {{folder}}/client.py {{folder}}/got"
    with Pair(tmp_path, [HTTP_SERVER], [shell(client)], legacy) as pair:
        go(pair, "Serving HTTP")
        assert pair.wait_for("done", 30) == "0"
    assert (tmp_path / "got").read_bytes() == content
