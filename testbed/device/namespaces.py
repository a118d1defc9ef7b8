# SPDX-License-Identifier: GPL-2.0-or-later
"""The supervisor's process, which owns the run's namespaces and devices, so that nothing outlives the run.

Started by `testbed.device.supervisor` with the arguments KIND PARENT CONTROL PROBE...: "namespaces" or "processes",
the test process, the numbers of sockets (SOCK_SEQPACKET). For "namespaces" it enters a user namespace if it has
to, then a new network namespace (the tester's: no address, no route) and a new PID namespace whose init it becomes.
Every process of a device is a descendant of that init. When the test process ends, however it ends, the kernel kills
this process, with it the PID namespace, and with the last process the network namespaces and their interfaces. For
"processes" it stays where it is, and the kernel kills the process that the command started.

On CONTROL it answers JSON requests and tells `{"event": "exit", "instance": n, "code": c}` when a device has ended; on
each PROBE a process of its own measures the lag of one processor (`testbed.device.lag`).
"""

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from testbed.device import linux
from testbed.device.lag import measure
from testbed.device.wires import Layout, WireMaker
from testbed.wire.sockets import open_capture, open_sender

NAMESPACES = "namespaces"
PROCESSES = "processes"

_MESSAGE = 1 << 16
_WATCH_MS = 10


@dataclass
class SupervisorProcess:
    """Starts and ends devices as it is told; instances are numbered in the order of their start."""

    control: socket.socket
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    ended: set[int] = field(default_factory=set)
    maker: WireMaker = field(default_factory=WireMaker)

    def run(self) -> None:
        """Serve requests until the tester hangs up."""
        poller = select.poll()
        poller.register(self.control, select.POLLIN)
        while True:
            ready = poller.poll(_WATCH_MS)
            self._tell_ends()
            if not ready:
                continue
            message = self.control.recv(_MESSAGE)
            if not message:
                return
            request = json.loads(message)
            try:
                reply, fds = {"start": self._start, "stop": self._stop}[request["op"]](request)
            except Exception as error:
                reply, fds = {"error": str(getattr(error, "strerror", None) or error)}, []
            self._send({"id": request["id"], **reply}, fds)
            for fd in fds:
                os.close(fd)

    def _start(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
        """Make the wires of new devices and start them: hands out the tester's sockets and the standard streams."""
        launches = request["devices"]
        if not request["wires"]:
            processes = [_run_device(launches[0], 0, None)]
            layout = Layout([], [], [])
        else:
            layout = self.maker.make(len(launches), request["wires"], request["taps"])
            processes = []
            try:
                for place, launch in enumerate(launches):
                    processes.append(self._run_in(layout, place, launch))
            except BaseException:
                for process in processes:
                    process.kill()
                raise
            finally:
                for namespace in layout.namespaces:
                    os.close(namespace)
        first = len(self.processes)
        self.processes += processes
        fds = [end.detach() for _, name, _ in layout.interfaces for end in (open_capture(name), open_sender(name))]
        for process in processes:
            for stream in (process.stdin, process.stdout, process.stderr):
                assert stream
                fds.append(os.dup(stream.fileno()))
                stream.close()
        interfaces = [
            {"wire": wire, "mac": mac, "devices": layout.near_macs(wire)} for wire, _, mac in layout.interfaces
        ]
        return {"instances": list(range(first, len(self.processes))), "interfaces": interfaces}, fds

    def _run_in(self, layout: Layout, place: int, launch: dict[str, Any]) -> subprocess.Popen[bytes]:
        fill_neighbours(launch["configuration"], layout.far_macs(place))
        return _run_device(launch, len(layout.macs[place]), layout.namespaces[place])

    def _stop(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
        """End a device that had its time to leave after the end of its input, with all it has started."""
        process = self.processes[request["instance"]]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return {}, []

    def _tell_ends(self) -> None:
        for number, process in enumerate(self.processes):
            if number not in self.ended and process.poll() is not None:
                self.ended.add(number)
                self._send({"event": "exit", "instance": number, "code": process.returncode})

    def _send(self, message: dict[str, Any], fds: list[int] | None = None) -> None:
        socket.send_fds(self.control, [json.dumps(message).encode()], fds or [])


def fill_neighbours(configuration: dict[str, Any], macs: Sequence[str]) -> None:
    """Write the Ethernet address of the IPFF neighbours on each wire into a device's configuration."""
    ipff = configuration["networks"].get("ipff")
    tables = [] if ipff is None else [ipff] if len(macs) == 1 else [ipff["inside"], ipff["outside"]]
    for table, mac in zip(tables, macs, strict=False):
        table["neighbour_mac"] = mac


def _run_device(launch: dict[str, Any], wires: int, namespace: int | None) -> subprocess.Popen[bytes]:
    Path(launch["configuration_path"]).write_text(json.dumps(launch["configuration"]))
    owner = os.getpid()

    def settle() -> None:
        if namespace is not None:
            linux.setns(namespace)
        linux.die_with_parent(owner)

    # A session of its own: Ctrl-C at the terminal is for the tester, which then asks the device to leave.
    return subprocess.Popen(
        launch["command"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={
            **os.environ,
            "DUT_CONFIG": launch["configuration_path"],
            "DUT_WIRES": " ".join(f"wire{wire}" for wire in range(wires)),
            "PYTHONUNBUFFERED": "1",
        },
        preexec_fn=settle,
        start_new_session=True,
    )


def enter_namespaces() -> None:
    """Move to a new network namespace, and the next child to a new PID namespace; through a user one if need be."""
    try:
        linux.unshare(linux.CLONE_NEWNET | linux.CLONE_NEWPID)
    except PermissionError:
        linux.become_root_in_user_namespace()
        linux.unshare(linux.CLONE_NEWNET | linux.CLONE_NEWPID)


def _become_init(sockets: list[int]) -> None:
    """Return in a child that is the init of the new PID namespace; the parent waits for it and ends as it ends."""
    child = os.fork()
    if child:
        for fd in sockets:
            os.close(fd)
        _, status = os.waitpid(child, 0)
        sys.exit(os.waitstatus_to_exitcode(status))
    linux.die_with_parent()
    # Interfaces made later are born without IPv6 chatter.
    linux.disable_ipv6("default")


def _start_probes(control: int, probes: list[int]) -> None:
    owner = os.getpid()
    for probe, processor in zip(probes, sorted(os.sched_getaffinity(0)), strict=False):
        if os.fork() == 0:
            linux.die_with_parent(owner)
            for fd in {control, *probes} - {probe}:
                os.close(fd)
            with contextlib.suppress(OSError):
                measure(socket.socket(fileno=probe), processor)
            os._exit(0)
    for probe in probes:
        os.close(probe)


def main() -> None:
    """Build the namespaces, become the init of the new PID namespace and serve."""
    kind, parent, *sockets = sys.argv[1], *map(int, sys.argv[2:])
    linux.die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if kind == NAMESPACES:
        try:
            enter_namespaces()
        except OSError as error:
            control = socket.socket(fileno=sockets[0])
            control.send(json.dumps({"id": 0, "error": f"cannot make namespaces: {error.strerror}"}).encode())
            return
        _become_init(sockets)
    _start_probes(sockets[0], sockets[1:])
    control = socket.socket(fileno=sockets[0])
    control.send(json.dumps({"id": 0}).encode())
    try:
        SupervisorProcess(control).run()
    except OSError:
        return  # the tester has gone in the middle of a message
