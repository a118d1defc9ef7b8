# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that nobody here wrote live through ten changes of address of two SACIP hosts and notice nothing."""

import shutil
from collections.abc import Callable
from pathlib import Path

from tests.lab import programs
from tests.lab.pair import ADDRESSES, Pair

SERVER = ADDRESSES[0]
ROLES = ("sacip mobile node", "sacip mobile node")


def change(both: Pair) -> Callable[[int], None]:
    """Both ends by turns, each five times, the last time back to where it began."""

    def once(number: int) -> None:
        end = both.ends[number % 2]
        surroundings, old = end.address.rpartition(".")[0], end.address
        end.address = f"{surroundings}.{1 if number >= programs.MOVES - 2 else 10 + number}"
        end.call("add_address", address=end.address)
        end.call("delete_address", address=old)

    return once


def test_a_download_is_byte_exact(tmp_path: Path) -> None:
    content = programs.prepare_download(tmp_path)
    client = programs.http_client("curl" if shutil.which("curl") else "python", SERVER)
    with Pair(tmp_path, [programs.http_server()], [programs.shell(client)], roles=ROLES) as both:
        programs.download(both, content, change(both))
        told = [end.call("status")["sent_notifications"] for end in both.ends]
        assert min(told) >= programs.MOVES // 2


@programs.needs_openssh
def test_an_ssh_session_goes_on(tmp_path: Path) -> None:
    server = programs.ssh_server(tmp_path)
    with Pair(tmp_path, [server], [programs.shell(programs.ssh_client(SERVER))], roles=ROLES) as both:
        programs.ssh_session(both, change(both))


@programs.needs_iperf3
def test_iperf3_goes_on(tmp_path: Path) -> None:
    client = programs.shell(programs.iperf3_client(SERVER))
    with Pair(tmp_path, [["iperf3", "-s", "--forceflush"]], [client], roles=ROLES) as both:
        programs.stream(both, change(both))
