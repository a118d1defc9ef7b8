# SPDX-License-Identifier: GPL-2.0-or-later
"""The `interface` link: a device on a real wire. Only the profile's interface and addresses are ever touched."""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

from profiles import InterfaceLink as InterfaceLinkTable
from profiles import Profile
from testbed.configuration import configuration
from testbed.dut import DUT, DeviceLog, Wiring
from testbed.namespace_link import LinkError, await_ready
from testbed.port import Port
from testbed.sockets import open_capture, open_sender
from testbed.upper_tester import open_agent

_PATIENCE_S = 5


class InterfaceLink:
    """One port on an existing interface, and the device's command if the profile has one."""

    def __init__(self, profile: Profile, table: InterfaceLinkTable, wiring: Wiring) -> None:
        self._profile = profile
        self._table = table
        self._wiring = wiring
        self._process: subprocess.Popen[bytes] | None = None
        self._agent: subprocess.Popen[bytes] | None = None
        self._port: Port | None = None

    def start(self, role: str) -> DUT:
        """Open the port; start the device's command, if any, and wait for its ready line."""
        name = self._table.interface
        try:
            mac = Path(f"/sys/class/net/{name}/address").read_text().strip()
            capture, sender = open_capture(name), open_sender(name)
        except OSError as error:
            raise LinkError(f"{self._profile.path}: link.interface: {name}: {error.strerror}") from None
        self._port = Port(capture, sender, mac, self._wiring.clock, self._wiring.ipff_ethertype)
        dut = DUT([self._port], [self._table.dut_mac], None, None)
        stdio: tuple[IO[bytes], IO[bytes]] | None = None
        if self._profile.dut.command:
            stdio = self._start_command(dut, role, mac)
        dut.agent = open_agent(self._profile.dut.agent, stdio, self._wiring.clock)
        return dut

    def close(self) -> None:
        """Stop the command and close the port."""
        if self._process and self._process.stdin:
            self._process.stdin.close()
            try:
                self._process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._port:
            self._port.close()

    def _start_command(self, dut: DUT, role: str, mac: str) -> tuple[IO[bytes], IO[bytes]]:
        command = [part.replace("{python}", sys.executable) for part in self._profile.dut.command]
        with tempfile.NamedTemporaryFile("w", prefix="roamproof-", suffix=".json", delete=False) as file:
            json.dump(configuration(self._profile, role, mac), file)
        environment = {**os.environ, "DUT_CONFIG": file.name, "DUT_WIRES": "", "PYTHONUNBUFFERED": "1"}
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
            )
        except OSError as error:
            raise LinkError(f"start {shlex.join(command)}: {error.strerror}") from None
        assert self._process.stdin and self._process.stdout and self._process.stderr
        dut.log = DeviceLog(self._process.stderr)
        await_ready(dut, self._process.stdout, command, self._profile.dut.ready_timeout_s)
        return self._process.stdin, self._process.stdout
