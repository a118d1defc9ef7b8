# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that nobody here wrote talk through the reference proxy, and through moves with the node's library."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import programs
from tests.lab.three import FIRST, SECOND, Three
from tests.msocks.proxied import CORRESPONDENT, LIBRARY, PORT, PROXY, Moving, proxy, street

USERS = {"alice": "secret"}
URL = f"http://{CORRESPONDENT}/file"
_PYSOCKS = f"""
import http.client, socks
connection = socks.socksocket()
connection.set_proxy(socks.SOCKS5, "{PROXY}", {PORT}, username="alice", password="secret")
connection.connect(("{CORRESPONDENT}", 80))
connection.sendall(b"GET /file HTTP/1.0\\r\\n\\r\\n")
got = b""
while block := connection.recv(65536):
    got += block
open("got", "wb").write(got)
"""
_PROXYCHAINS = f"""
strict_chain
quiet_mode
[ProxyList]
socks5 {PROXY} {PORT} alice secret
"""


def _needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


def _lacks_pysocks() -> bool:
    asked = ["/usr/bin/python3", "-c", "import socks"]
    return not Path(asked[0]).exists() or subprocess.run(asked, check=False, capture_output=True).returncode != 0


WAYS = pytest.mark.parametrize("splicing", [False, True], ids=["copying", "splicing"])


@pytest.fixture(scope="module", params=[False, True], ids=["copying", "splicing"])
def three(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Three]:
    """A proxy that knows a user and takes others too, and a web server."""
    folder = tmp_path_factory.mktemp("programs")
    (folder / "file").write_bytes(os.urandom(1_000_000))
    programs.release(folder, 1_000_000)
    (folder / "proxychains.conf").write_text(_PROXYCHAINS)
    with street(folder) as three:
        proxy(three, users=USERS, anonymous=True, splicing=request.param)
        three.start(SECOND, programs.http_server(), "server")
        programs.go(three, "Serving HTTP")
        yield three


CLIENTS = {
    "curl": ["curl", "-sS", "-o", "got", "--socks5-hostname", f"{PROXY}:{PORT}", URL],
    "curl-user": ["curl", "-sS", "-o", "got", "-x", f"socks5h://alice:secret@{PROXY}:{PORT}", URL],
    "nc": ["sh", "-c", f"printf 'GET /file HTTP/1.0\\r\\n\\r\\n' | nc -X 5 -x {PROXY}:{PORT} {CORRESPONDENT} 80 > got"],
    "proxychains4": ["proxychains4", "-f", "proxychains.conf", "curl", "-sS", "-o", "got", URL],
    "PySocks": ["/usr/bin/python3", "-c", _PYSOCKS],
}


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_is_served(client: str, three: Three) -> None:
    lacks = _lacks_pysocks() if client == "PySocks" else shutil.which(client.partition("-")[0]) is None
    if lacks:
        pytest.skip(f"{client} is not installed")
    (three.folder / "got").unlink(missing_ok=True)
    three.run(FIRST, CLIENTS[client])
    assert (three.folder / "got").read_bytes().endswith((three.folder / "file").read_bytes())


@_needs("curl")
def test_curl_is_told_why_not(three: Three) -> None:
    """A wrong password, and a port where nobody listens."""
    for proxy_url, target, words in (
        (f"socks5h://alice:wrong@{PROXY}:{PORT}", URL, "rejected"),
        (f"socks5h://{PROXY}:{PORT}", f"http://{CORRESPONDENT}:81/", "(5)"),
    ):
        done = three.start(FIRST, ["curl", "-sS", "-x", proxy_url, target], "curl-error")
        assert done.wait(30) == 97, "curl's number for an error of the proxy"
        assert words in (three.folder / "curl-error.log").read_text()


@WAYS
@_needs("curl")
def test_a_download_of_curl_is_byte_exact_through_ten_moves(splicing: bool, tmp_path: Path) -> None:
    content = programs.prepare_download(tmp_path)
    client = f"{' '.join(LIBRARY)} run -- {programs.http_client('curl', CORRESPONDENT)}"
    with street(tmp_path) as three:
        proxy(three, splicing=splicing)
        three.start(SECOND, programs.http_server(), "server")
        three.start(FIRST, programs.shell(client), "client")
        programs.download(three, content, Moving(three))


@WAYS
@programs.needs_openssh
def test_an_ssh_session_is_byte_exact_through_ten_moves(splicing: bool, tmp_path: Path) -> None:
    server = programs.ssh_server(tmp_path)
    command = f"-o ProxyCommand='{' '.join(LIBRARY)} to %h %p'"
    with street(tmp_path) as three:
        proxy(three, splicing=splicing)
        three.start(SECOND, server, "server")
        three.start(FIRST, programs.shell(programs.ssh_client(CORRESPONDENT, command)), "client")
        programs.ssh_session(three, Moving(three))
