# SPDX-License-Identifier: GPL-2.0-or-later
"""The holder: a process that owns the run's namespaces and devices, so that nothing outlives the run.

Started by `testbed.device.supervisor` with the arguments KIND PARENT CONTROL PROBE...: "namespaces" or "processes",
the test process, the numbers of sockets (SOCK_SEQPACKET). For "namespaces" it enters a user namespace if it has
to, then a new network namespace (the tester's: no address, no route) and a new PID namespace whose init it becomes.
Every process of a device is a descendant of that init. When the test process ends, however it ends, the kernel kills
the holder, with it the PID namespace, and with the last process the network namespaces and their interfaces. For
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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from testbed.device import linux
from testbed.device.lag import measure
from testbed.wire.sockets import open_capture, open_sender

NAMESPACES = "namespaces"
PROCESSES = "processes"

_MESSAGE = 1 << 16
_WATCH_MS = 10


@dataclass
class Holder:
    """Starts and ends devices as it is told; instances are numbered in the order of their start."""

    control: socket.socket
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    ended: set[int] = field(default_factory=set)
    ports: int = 0

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
        """Make the wires of a new device and start it: hands out the tester's sockets and the standard streams."""
        wires = [f"wire{index}" for index in range(request["wires"])]
        ports = [f"port{self.ports + index}" for index in range(request["wires"])]
        self.ports += len(ports)
        namespace, macs = make_wires(ports, wires) if wires else (None, {"ports": [], "wires": []})
        try:
            process = _run_device(request, wires, macs, namespace)
        finally:
            if namespace is not None:
                os.close(namespace)
        self.processes.append(process)
        sockets = [end.detach() for port in ports for end in (open_capture(port), open_sender(port))]
        streams = [os.dup(stream.fileno()) for stream in (process.stdin, process.stdout, process.stderr) if stream]
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()
        return {"instance": len(self.processes) - 1, "macs": macs}, sockets + streams

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


def _run_device(
    request: dict[str, Any], wires: list[str], macs: dict[str, list[str]], namespace: int | None
) -> subprocess.Popen[bytes]:
    configuration = request["configuration"]
    ipff = configuration["networks"].get("ipff")
    if ipff and macs["ports"]:
        ipff["neighbour_mac"] = macs["ports"][0]
    Path(request["configuration_path"]).write_text(json.dumps(configuration))
    owner = os.getpid()

    def settle() -> None:
        if namespace is not None:
            linux.setns(namespace)
        linux.die_with_parent(owner)

    # A session of its own: Ctrl-C at the terminal is for the tester, which then asks the device to leave.
    return subprocess.Popen(
        request["command"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **request["environment"], "DUT_WIRES": " ".join(wires)},
        preexec_fn=settle,
        start_new_session=True,
    )


def make_wires(ports: list[str], wires: list[str]) -> tuple[int, dict[str, list[str]]]:
    """Make a network namespace joined to ours by one veth pair for each port and wire.

    Returns a descriptor of the namespace and the Ethernet addresses of both sides.
    """
    from pyroute2 import IPRoute  # 0.2 s to import: only here, never in the tester

    with open("/proc/self/ns/net") as ours:
        linux.unshare(linux.CLONE_NEWNET)
        theirs = os.open("/proc/self/ns/net", os.O_RDONLY)
        linux.setns(ours.fileno())
        with IPRoute() as route:
            for port, wire in zip(ports, wires, strict=True):
                route.link("add", ifname=port, kind="veth", peer={"ifname": wire, "net_ns_fd": theirs})
            macs = {"ports": [_raise(route, port) for port in ports]}
        linux.setns(theirs)
        try:
            with IPRoute() as route:
                _raise(route, "lo")
                macs["wires"] = [_raise(route, wire) for wire in wires]
        finally:
            linux.setns(ours.fileno())
    return theirs, macs


def _raise(route: Any, interface: str) -> str:
    """Set `interface` up without offloads and without IPv6; its Ethernet address."""
    if interface != "lo":
        linux.disable_ipv6(interface)
        linux.switch_offloads_off(interface)
    index = route.link_lookup(ifname=interface)[0]
    route.link("set", index=index, state="up")
    return str(route.get_links(index)[0].get("address"))


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
        Holder(control).run()
    except OSError:
        return  # the tester has gone in the middle of a message
