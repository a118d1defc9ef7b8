# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs that nobody here wrote, at the two ends of a `Stage`, while hosts move: paced by what has arrived.

Data is under way when a host moves, and the next move waits until what was sent after this one has arrived too.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest


class Stage(Protocol):
    """Where a client and a server are."""

    folder: Path

    def server_log(self) -> str:
        """What the server has said so far."""

    def wait_for(self, name: str, timeout: float) -> str:
        """The content of a file that a program is to write."""


MOVES = 10
PIECE = 400_000
PATIENCE_S = 30

# Python's own server of files, which sends as much of one as the size of the file `released` allows.
_SERVER = """
import http.server, os, sys, time
class Pieces(http.server.SimpleHTTPRequestHandler):
    def copyfile(self, source, connection):
        size, sent = os.fstat(source.fileno()).st_size, 0
        while sent < size:
            allowed = os.stat("released").st_size - sent
            connection.write(source.read(allowed))
            sent += allowed
            time.sleep(0 if allowed else 0.005)
os.chdir(sys.argv[1])
http.server.test(Pieces, http.server.ThreadingHTTPServer, port=80, bind=sys.argv[2])
"""
_CLIENT = """
import http.client, sys
connection = http.client.HTTPConnection(sys.argv[1], 80, timeout=20)
connection.request("GET", "/file")
response = connection.getresponse()
with open(sys.argv[2], "wb", buffering=0) as file:
    while block := response.read(50_000):
        file.write(block)
"""
_SSHD = """
HostKey {folder}/key
AuthorizedKeysFile {folder}/key.pub
PermitRootLogin yes
StrictModes no
UsePAM no
PidFile none
"""


def _ssh_is_missing() -> str:
    """What OpenSSH's server needs and this machine has not, or nothing."""
    if shutil.which("sshd") is None:
        return "OpenSSH's server is not installed"
    if os.geteuid() != 0:
        return "OpenSSH's server separates privileges and wants to be root"
    if not Path("/run/sshd").exists():
        return "/run/sshd is missing, which OpenSSH's server wants"
    locked = any(line.startswith("root:!") for line in Path("/etc/shadow").read_text().splitlines())
    return "root is locked out of OpenSSH's server" if locked else ""


needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
needs_iperf3 = pytest.mark.skipif(shutil.which("iperf3") is None, reason="iperf3 is not installed")
needs_openssh = pytest.mark.skipif(bool(_ssh_is_missing()), reason=_ssh_is_missing())


def http_server(bind: str = "0.0.0.0") -> list[str]:
    """A web server for the file that `download` asks for."""
    return [sys.executable, "-u", "-c", _SERVER, "{folder}", bind]


def http_client(program: str, server: str) -> str:
    """The shell command of a client, "curl" or "python"."""
    if program == "curl":
        host = f"[{server}]" if ":" in server else server
        return f"curl -g -s -N -o {{folder}}/got 'http://{host}/file'"
    return f"{sys.executable} {{folder}}/client.py {server} {{folder}}/got"


def prepare_download(folder: Path, pieces: int = MOVES + 2) -> bytes:
    """Lay out what server and client need in `folder`; the content to be downloaded."""
    content = os.urandom(pieces * PIECE)
    (folder / "file").write_bytes(content)
    (folder / "client.py").write_text(_CLIENT)
    release(folder, PIECE)
    return content


def release(folder: Path, length: int) -> None:
    """Let the server send this many bytes of the file, from its beginning."""
    with open(folder / "released", "ab") as file:
        file.truncate(length)


def download(both: Stage, content: bytes, move: Callable[[int], None]) -> None:
    """Download byte for byte, with ten calls of `move` under way."""
    go(both, "Serving HTTP")
    arrived(both.folder / "got", PIECE)
    for number in range(MOVES):
        release(both.folder, (number + 1) * PIECE + PIECE // 2)
        move(number)
        release(both.folder, (number + 2) * PIECE)
        arrived(both.folder / "got", (number + 2) * PIECE)
    assert not (both.folder / "done").exists(), "all moves were made under way"
    release(both.folder, len(content))
    assert both.wait_for("done", PATIENCE_S) == "0"
    assert (both.folder / "got").read_bytes() == content


def ssh_server(folder: Path) -> list[str]:
    """OpenSSH's server, whose only user has the key that is made here."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")], check=True)
    (folder / "sshd_config").write_text(_SSHD.replace("{folder}", str(folder)))
    os.mkfifo(folder / "to")
    return [str(shutil.which("sshd")), "-D", "-e", "-f", "{folder}/sshd_config"]


def ssh_client(server: str, more: str = "") -> str:
    """The shell command of an OpenSSH client, with more options, whose far end gives back what it is given."""
    options = (
        f"{more} -F none -i {{folder}}/key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
    )
    return f"ssh {options} root@{server} cat < {{folder}}/to > {{folder}}/from"


def ssh_session(both: Stage, move: Callable[[int], None]) -> None:
    """Have everything that is typed into a session come back, with ten calls of `move` under way."""
    go(both, "Server listening")
    lines = [os.urandom(30_000) for _ in range(2 * MOVES + 1)]
    with open(both.folder / "to", "wb", buffering=0) as terminal:
        terminal.write(lines[0])
        arrived(both.folder / "from", len(lines[0]))
        for number in range(MOVES):
            terminal.write(lines[2 * number + 1])
            move(number)
            terminal.write(lines[2 * number + 2])
            arrived(both.folder / "from", (2 * number + 3) * len(lines[0]))
    assert both.wait_for("done", PATIENCE_S) == "0"
    assert (both.folder / "from").read_bytes() == b"".join(lines)


def iperf3_client(server: str) -> str:
    """The shell command of an iperf3 client that sends and receives for three seconds."""
    return f"iperf3 -J -t 3 --bidir -c {server} > {{folder}}/report"


def stream(both: Stage, move: Callable[[int], None]) -> None:
    """Have an iperf3 stream go on in both directions while `move` is called ten times."""
    go(both, "Server listening")
    for number in range(MOVES):
        time.sleep(0.15)
        move(number)
    assert both.wait_for("done", PATIENCE_S) == "0"
    report = json.loads((both.folder / "report").read_text())
    assert "error" not in report
    ways = report["end"]["sum_received"], report["end"]["sum_received_bidir_reverse"]
    assert min(way["bytes"] for way in ways) > 100_000


def shell(command: str) -> list[str]:
    """Wait for the file `go`, run a command, and say in the file `done` how it ended."""
    wait = "while [ ! -e {folder}/go ]; do sleep 0.02; done"
    return ["sh", "-c", f"{wait}; {command}; echo $? > {{folder}}/end; mv {{folder}}/end {{folder}}/done"]


def go(both: Stage, words: str) -> None:
    """Have the client begin as soon as the server has said these words."""
    _wait(lambda: words in both.server_log(), "the server does not start")
    (both.folder / "go").touch()


def arrived(path: Path, length: int) -> None:
    """Wait until a program has written this many bytes to a file."""
    _wait(lambda: path.exists() and path.stat().st_size >= length, f"{path.name} stays below {length} bytes")


def _wait(condition: Callable[[], bool], complaint: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.01)
