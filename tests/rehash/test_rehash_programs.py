# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that nobody here wrote live through ten moves of two Rehash hosts and notice nothing."""

import shutil
from pathlib import Path

import pytest

from tests.lab import programs
from tests.lab.by_turns import move, none_failed
from tests.lab.pair import ADDRESSES, Pair

SERVER = ADDRESSES[0]


def test_a_download_is_byte_exact(tmp_path: Path) -> None:
    content = programs.prepare_download(tmp_path)
    client = programs.http_client("curl" if shutil.which("curl") else "python", SERVER)
    with Pair(tmp_path, [programs.http_server()], [programs.shell(client)]) as both:
        programs.download(both, content, move(both))
        none_failed(both)


@programs.needs_openssh
def test_an_ssh_session_goes_on(tmp_path: Path) -> None:
    server = programs.ssh_server(tmp_path)
    with Pair(tmp_path, [server], [programs.shell(programs.ssh_client(SERVER))]) as both:
        programs.ssh_session(both, move(both))
        none_failed(both)


@programs.needs_iperf3
def test_iperf3_goes_on(tmp_path: Path) -> None:
    client = programs.shell(programs.iperf3_client(SERVER))
    with Pair(tmp_path, [["iperf3", "-s", "--forceflush"]], [client]) as both:
        programs.stream(both, move(both))
        none_failed(both)


@pytest.mark.parametrize("legacy", [0, 1], ids=["server", "client"])
def test_an_ordinary_kernel_at_the_other_end(legacy: int, tmp_path: Path) -> None:
    content = programs.prepare_download(tmp_path)
    programs.release(tmp_path, len(content))
    client = programs.shell(programs.http_client("python", SERVER))
    with Pair(tmp_path, [programs.http_server()], [client], legacy) as both:
        programs.go(both, "Serving HTTP")
        assert both.wait_for("done", programs.PATIENCE_S) == "0"
    assert (tmp_path / "got").read_bytes() == content
