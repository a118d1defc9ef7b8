# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that nobody here wrote, on a server and a mobile node, live through ten moves and notice nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reference.system.addresses import to_kernel_text
from tests.lab import programs
from tests.lab.pair import ADDRESSES, IPFF_ADDRESSES, Pair

SERVERS = {"ipv4": ADDRESSES[0], "ipff": to_kernel_text(IPFF_ADDRESSES[0])}


def pair(folder: Path, server: list[str], client: str) -> Pair:
    """A node that moves on before an answer asks by the same tuple again: repeats must outlast the rate limit."""
    timers = {"retry_interval_s": 0.3, "rate_limit_s": 0.5}
    return Pair(folder, [server], [programs.shell(client)], roles=("mops server", "mops mobile node"), **timers)


def move(both: Pair, network: str) -> Callable[[int], None]:
    """The node moves, the last time back to where it began."""
    surroundings, home = {"ipff": ("525.8.78.3", 9), "ipv4": ("198.19.0", 1)}[network]

    def once(number: int) -> None:
        both.ends[1].move(f"{surroundings}.{home if number == programs.MOVES - 1 else 10 + number}")

    return once


def all_moved(both: Pair) -> None:
    status = both.ends[1].call("status")
    assert status["sockets_dead"] == 0
    assert status["moves"] == programs.MOVES
    assert status["sockets_moved"] >= programs.MOVES


@pytest.mark.parametrize(
    ("program", "network"), [pytest.param("curl", "ipff", marks=programs.needs_curl), ("python", "ipv4")]
)
def test_a_download_is_byte_exact(program: str, network: str, tmp_path: Path) -> None:
    content = programs.prepare_download(tmp_path)
    client = programs.http_client(program, SERVERS[network])
    with pair(tmp_path, programs.http_server("::"), client) as both:
        programs.download(both, content, move(both, network))
        all_moved(both)


@programs.needs_openssh
@pytest.mark.parametrize("network", ["ipff", "ipv4"])
def test_an_ssh_session_goes_on(network: str, tmp_path: Path) -> None:
    server = programs.ssh_server(tmp_path)
    with pair(tmp_path, server, programs.ssh_client(SERVERS[network])) as both:
        programs.ssh_session(both, move(both, network))
        all_moved(both)


@programs.needs_iperf3
def test_iperf3_goes_on(tmp_path: Path) -> None:
    with pair(tmp_path, ["iperf3", "-s", "--forceflush"], programs.iperf3_client(SERVERS["ipv4"])) as both:
        programs.stream(both, move(both, "ipv4"))
        all_moved(both)
