# SPDX-License-Identifier: GPL-2.0-or-later
"""A box in its namespace that OpenSSH's server leads into: `python -m tests.examples.ssh_box SOCKET CONFIG COMMAND...`.

Each connection to the UNIX socket gets a server of its own (`sshd -i`), beside the device's command.
"""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Listen, start the device's command, and take connections as long as it runs."""
    path, configuration, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    Path(path).unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen()
    if os.fork() == 0:
        os.close(0), os.close(1)
        while True:
            connection, _ = listening.accept()
            server = [str(shutil.which("sshd")), "-i", "-e", "-f", configuration]
            subprocess.Popen(server, stdin=connection, stdout=connection)
            connection.close()
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
