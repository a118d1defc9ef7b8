# SPDX-License-Identifier: GPL-2.0-or-later
"""The command that a profile names as `dut.agent`: joins its own streams to the box's upper tester behind a socket."""

import os
import socket
import sys
import threading

_CHUNK = 1 << 16


def main() -> None:
    """Copy both ways until the tester hangs up."""
    box = socket.socket(socket.AF_UNIX)
    box.connect(sys.argv[1])

    def back() -> None:
        while data := box.recv(_CHUNK):
            os.write(1, data)
        os._exit(0)

    threading.Thread(target=back, daemon=True).start()
    while data := os.read(0, _CHUNK):
        box.sendall(data)


if __name__ == "__main__":
    main()
