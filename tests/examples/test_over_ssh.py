# SPDX-License-Identifier: GPL-2.0-or-later
"""The stand-alone agent behind a real OpenSSH server, in the device's own namespace."""

import shlex
import sys
from pathlib import Path

from tests.examples.lab import EXAMPLES, changed, check, found_wrong
from tests.lab.programs import needs_openssh, ssh_server
from tests.testbed.lab import ROOT
from tests.testbed.runs import UNBROKEN, run

REACH = """
import socket, sys
with socket.socket(socket.AF_UNIX) as there, socket.socket(fileno=1) as ssh:
    there.connect(sys.argv[1])
    socket.send_fds(ssh, [b"0"], [there.fileno()])
"""
OPTIONS = ("BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "ProxyUseFdpass=yes")


def profile_over_ssh(folder: Path) -> Path:
    """The profile of the stand-alone agent, started by ssh in a box whose own program answers no request."""
    ssh_server(folder)
    config = folder / "sshd_config"
    config.write_text(config.read_text().replace("{folder}", str(folder)))
    (folder / "reach.py").write_text(REACH)
    reach = f"ProxyCommand={shlex.join([sys.executable, str(folder / 'reach.py'), str(folder / 'socket')])}"
    options = [word for option in (*OPTIONS, reach) for word in ("-o", option)]
    agent = ["ssh", "-F", "none", "-i", str(folder / "key"), *options, "root@box"]
    agent += ["python3", str(EXAMPLES / "agent/agent.py")]
    box = [sys.executable, "-m", "tests.examples.ssh_box", str(folder / "socket"), str(config), "python3"]
    words = ", ".join(f'"{word}"' for word in agent)
    changes = [
        ('"python3", "examples', ", ".join(f'"{word}"' for word in box) + f', "{ROOT}/examples'),
        ('agent = "stdio"', f"agent = [{words}]"),
    ]
    return changed(EXAMPLES / "agent/agent.toml", folder, changes)


@needs_openssh
def test_verbs_travel_over_ssh(tmp_path: Path) -> None:
    profile = profile_over_ssh(tmp_path)
    lines = check(profile)
    assert not found_wrong(lines)
    assert {"receive", "send", "connect", "reset"} <= {line.what for line in lines if line.result == "ok"}
    done = run("conformance/legacy/host/test_9293_more_options.py", profile, tmp_path)
    assert done.code in UNBROKEN, done.output[-2000:]
