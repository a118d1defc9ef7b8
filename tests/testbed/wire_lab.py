# SPDX-License-Identifier: GPL-2.0-or-later
"""A lab with a wire: runs a command in a network namespace whose interface `lab0` leads to a device that runs already.

    python wire_lab.py CONFIGURATION MTU DEVICE-MTU DEVICE-COMMAND -- COMMAND

The device finds its wire and its configuration as docs/dut-contract.md says; `{mac}` in the command's files is not
needed: the device's Ethernet address is written to `mac` beside the configuration. Ends with the command's exit code;
as an ordinary user through a user namespace.
"""

import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

from testbed.device import linux
from testbed.device.namespaces import enter_namespaces, fill_neighbours
from testbed.device.wires import WireMaker

SIOCSIFMTU = 0x8922


def enter_device(namespace: int, mtu: int) -> None:
    """Be where the device is."""
    linux.setns(namespace)
    set_mtu("wire0", mtu)


def set_mtu(interface: str, mtu: int) -> None:
    """Give an interface of this namespace an MTU."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFMTU, struct.pack("16si20x", interface.encode(), mtu))


def main() -> None:
    configuration = Path(sys.argv[1])
    middle = sys.argv.index("--")
    mtu, device_mtu = map(int, sys.argv[2:4])
    device_command, command = sys.argv[4:middle], sys.argv[middle + 1 :]
    linux.die_with_parent(os.getppid())
    enter_namespaces()
    child = os.fork()  # the init of the PID namespace
    if child:
        _, status = os.waitpid(child, 0)
        sys.exit(os.waitstatus_to_exitcode(status))
    linux.die_with_parent()
    layout = WireMaker("lab").make(1, 1, [])
    set_mtu("lab0", mtu)
    content = json.loads(configuration.read_text())
    fill_neighbours(content, layout.far_macs(0))
    configuration.write_text(json.dumps(content))
    configuration.with_name("mac").write_text(layout.macs[0][0])
    device = subprocess.Popen(
        device_command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "DUT_CONFIG": str(configuration), "DUT_WIRES": "wire0"},
        preexec_fn=lambda: enter_device(layout.namespaces[0], device_mtu),
    )
    assert device.stdout
    assert json.loads(device.stdout.readline())["ready"]
    sys.exit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    main()
