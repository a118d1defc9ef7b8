# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that nobody here wrote, on a server and a mobile node, live through ten moves and notice nothing."""

import json
import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from reference.addresses import to_kernel_text
from tests.reference.pair import ADDRESSES, IPFF_ADDRESSES, Pair

MOVES = 10
SERVERS = {"ipv4": ADDRESSES[0], "ipff": to_kernel_text(IPFF_ADDRESSES[0])}
HTTP_SERVER = [sys.executable, "-u", "-m", "http.server", "--bind", "::", "--directory", "{folder}/public", "80"]
PYTHON_CLIENT = """
import http.client, sys, time
connection = http.client.HTTPConnection(sys.argv[1], 80, timeout=20)
connection.request("GET", "/file")
response = connection.getresponse()
with open(sys.argv[2], "wb") as file:
    while block := response.read(50_000):
        file.write(block)
        time.sleep(0.02)
"""


def shell(command: str) -> list[str]:
    """Wait for the file `go`, run a command, and say in the file `done` how it ended."""
    wait = "while [ ! -e {folder}/go ]; do sleep 0.02; done"
    return ["sh", "-c", f"{wait}; {command}; echo $? > {{folder}}/done.new; mv {{folder}}/done.new {{folder}}/done"]


def go(both: Pair, words: str) -> None:
    """Have the client begin as soon as the server has said these words."""
    deadline = time.monotonic() + 5
    while words not in both.ends[0].log():
        assert time.monotonic() < deadline, "the server does not start"
        time.sleep(0.02)
    (both.folder / "go").touch()


def pair(folder: Path, server: list[str], client: str) -> Pair:
    return Pair(folder, [server], [shell(client)], roles=("server", "mobile node"), retry_interval_s=0.3)


def ten_moves(both: Pair, carriage: str, interval: float) -> None:
    """The node moves, the last time back to where it began."""
    network = "525.8.78.3" if carriage == "ipff" else "198.19.0"
    home = 9 if carriage == "ipff" else 1
    for number in range(MOVES):
        time.sleep(interval)
        both.ends[1].move(f"{network}.{home if number == MOVES - 1 else 10 + number}")
    status = both.ends[1].call("status")
    assert status["sockets_dead"] == 0
    assert status["moves"] == MOVES
    assert status["sockets_moved"] >= MOVES - 1


def started(path: Path) -> None:
    deadline = time.monotonic() + 5
    while not path.exists() or not path.stat().st_size:
        assert time.monotonic() < deadline, "the transfer does not begin"
        time.sleep(0.02)


@pytest.mark.parametrize(("program", "carriage"), [("curl", "ipff"), ("python", "ipv4")])
def test_a_download_is_byte_exact(program: str, carriage: str, tmp_path: Path) -> None:
    if program == "curl" and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    (tmp_path / "public").mkdir()
    content = os.urandom(6_000_000)
    (tmp_path / "public/file").write_bytes(content)
    (tmp_path / "client.py").write_text(PYTHON_CLIENT)
    server = SERVERS[carriage]
    host = f"[{server}]" if ":" in server else server
    client = f"{sys.executable} {{folder}}/client.py {server} {{folder}}/got"
    if program == "curl":
        client = f"curl -g -s --limit-rate 3M -o {{folder}}/got 'http://{host}/file'"
    with pair(tmp_path, HTTP_SERVER, client) as both:
        go(both, "Serving HTTP")
        started(tmp_path / "got")
        ten_moves(both, carriage, 0.12)
        assert not (tmp_path / "done").exists(), "all moves were made under way"
        assert both.wait_for("done", 20) == "0"
        assert (tmp_path / "got").read_bytes() == content


@pytest.mark.skipif(shutil.which("iperf3") is None, reason="iperf3 is not installed")
def test_iperf3_goes_on(tmp_path: Path) -> None:
    carriage = "ipv4"
    client = f"iperf3 -J -t 3 --bidir -c {SERVERS[carriage]} > {{folder}}/report"
    with pair(tmp_path, ["iperf3", "-s", "--forceflush"], client) as both:
        go(both, "Server listening")
        time.sleep(0.3)
        ten_moves(both, carriage, 0.15)
        assert both.wait_for("done", 10) == "0"
    report = json.loads((tmp_path / "report").read_text())
    assert "error" not in report
    both_ways = report["end"]["sum_received"]["bytes"], report["end"]["sum_received_bidir_reverse"]["bytes"]
    assert min(both_ways) > 100_000
