# SPDX-License-Identifier: GPL-2.0-or-later
"""Run as a script: gives `eth0` one address after the other, `python readdress.py FIRST`, each line of standard input
the next one. Says `done` after each."""

import socket
import sys

from reference.system.rtnetlink import Rtnetlink


def main() -> int:
    now = socket.inet_aton(sys.argv[1])
    for line in sys.stdin:
        new = socket.inet_aton(line.strip())
        with Rtnetlink() as netlink:
            netlink.add_address("eth0", new)
            netlink.delete_address("eth0", now)
        now = new
        sys.stdout.write("done\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
