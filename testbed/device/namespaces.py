# SPDX-License-Identifier: GPL-2.0-or-later
"""The supervisor's process, which owns the run's namespaces and devices, so that nothing outlives the run.

Started by `testbed.device.supervisor` with the arguments KIND PARENT CONTROL PROBE...: "namespaces" or "processes",
the test process, the numbers of sockets (SOCK_SEQPACKET). For "namespaces" it enters a user namespace if it has
to, then a new network namespace (the tester's: no address, no route) and a new PID namespace whose init it becomes.
Every process of a device is a descendant of that init. When the test process ends, however it ends, the kernel kills
this process, with it the PID namespace, and with the last process the network namespaces and their interfaces. For
"processes" it stays where it is, and the kernel kills the process that the command started.

On CONTROL it answers JSON requests and tells `{"event": "exit", "instance": n, "code": c}` when a device has ended,
`{"event": "stopped" or "continued", "instance": n, "ns": wall clock}` when a signal has stopped it or let it go on; on
each PROBE a process of its own measures the lag of one processor (`testbed.device.lag`).
"""

import contextlib
import itertools
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from testbed.device import linux
from testbed.device.fork_server import ForkServer
from testbed.device.lag import measure
from testbed.device.process import DeviceProcess, run_command
from testbed.device.wires import Layout, WireMaker
from testbed.wire.sockets import open_capture, open_sender

NAMESPACES = "namespaces"
PROCESSES = "processes"

_MESSAGE = 1 << 16


@dataclass
class SupervisorProcess:
    """Starts and ends devices as it is told; instances are numbered in the order of their start."""

    control: socket.socket
    devices: dict[int, DeviceProcess] = field(default_factory=dict)
    maker: WireMaker = field(default_factory=WireMaker)
    fork_server: ForkServer | None = None
    poller: select.poll = field(default_factory=select.poll)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def run(self) -> None:
        """Serve requests until the tester hangs up."""
        self.poller.register(self.control, select.POLLIN)
        children = _tell_of_children()
        self.poller.register(children, select.POLLIN)
        while True:
            ready = {fd for fd, _ in self.poller.poll()}
            if children in ready:
                os.read(children, _MESSAGE)
                self._tell_stops()
            if self.fork_server and self.fork_server.log in ready and not self.fork_server.listen():
                self.poller.unregister(self.fork_server.log)
            for instance, device in list(self.devices.items()):
                if device.descriptor in ready:
                    self.poller.unregister(device.descriptor)
                    self._send({"event": "exit", "instance": instance, "code": device.wait()})
            if self.control.fileno() not in ready:
                continue
            message = self.control.recv(_MESSAGE)
            if not message:
                return
            request = json.loads(message)
            try:
                reply, fds = {"start": self._start, "stop": self._stop}[request["op"]](request)
            except Exception as error:
                words = getattr(error, "strerror", None) or error
                reply, fds = {"error": str(words), "errno": getattr(error, "errno", None)}, []
            self._send({"id": request["id"], **reply}, fds)
            for fd in fds:
                os.close(fd)

    def _tell_stops(self) -> None:
        """Tell of each device that a signal has stopped, or let go on."""
        now = time.time_ns()
        for instance, device in self.devices.items():
            for change in device.stops() if device.descriptor >= 0 else ():
                self._send({"event": change, "instance": instance, "ns": now})

    def _start(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
        """Make the wires of new devices and start them: hands out the tester's sockets and the standard streams."""
        launches = request["devices"]
        for launch in launches:
            if launch["fork_server"] and not self.fork_server:
                self.fork_server = ForkServer(launch["fork_server"])  # it gets ready while the wires are made
                self.poller.register(self.fork_server.log, select.POLLIN)
        layout, started = Layout([], [], []), []
        if request["wires"]:
            layout = self.maker.make(len(launches), request["wires"], request["taps"])
        try:
            for place, launch in enumerate(launches):
                started.append(self._run_device(launch, layout, place))
        except BaseException:
            for device in started:
                device.kill()
            raise
        finally:
            for namespace in layout.namespaces:
                os.close(namespace)
        pids = [device.outer_pid() for device in started]
        instances = [next(self.numbers) for _ in started]
        for instance, device in zip(instances, started, strict=True):
            self.devices[instance] = device
            self.poller.register(device.descriptor, select.POLLIN)
        fds = [end.detach() for _, name, _ in layout.interfaces for end in (open_capture(name), open_sender(name))]
        fds += [fd for device in started for fd in device.streams]
        interfaces = [
            {"wire": wire, "mac": mac, "devices": layout.near_macs(wire)} for wire, _, mac in layout.interfaces
        ]
        return {"instances": instances, "pids": pids, "interfaces": interfaces}, fds

    def _run_device(self, launch: dict[str, Any], layout: Layout, place: int) -> DeviceProcess:
        wires, namespace = 0, None
        if layout.namespaces:
            wires, namespace = len(layout.macs[place]), layout.namespaces[place]
            fill_neighbours(launch["configuration"], layout.far_macs(place))
        Path(launch["configuration_path"]).write_text(json.dumps(launch["configuration"]))
        environment = {
            **os.environ,
            "DUT_CONFIG": launch["configuration_path"],
            "DUT_WIRES": " ".join(f"wire{wire}" for wire in range(wires)),
            "PYTHONUNBUFFERED": "1",
        }
        if launch["fork_server"] and self.fork_server:
            return self.fork_server.run(launch["command"], environment, namespace)
        return run_command(launch["command"], environment, namespace)

    def _stop(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
        """End a device that had its time to leave after the end of its input, with all it has started."""
        instance = request["instance"]
        device = self.devices.pop(instance)
        if device.descriptor >= 0:
            self.poller.unregister(device.descriptor)
            self._send({"event": "exit", "instance": instance, "code": device.kill()})
        else:
            device.kill()
        return {}, []

    def _send(self, message: dict[str, Any], fds: list[int] | None = None) -> None:
        socket.send_fds(self.control, [json.dumps(message).encode()], fds or [])


def _tell_of_children() -> int:
    """A descriptor that is readable when a child has ended, was stopped or goes on.

    It stays open as long as the process is there: a child that ends while the interpreter does is told to nobody.
    """
    ours, theirs = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(theirs)
    return ours


def fill_neighbours(configuration: dict[str, Any], macs: Sequence[str]) -> None:
    """Write the Ethernet address of the IPFF neighbours on each wire into a device's configuration."""
    ipff = configuration["networks"].get("ipff")
    tables = [] if ipff is None else [ipff] if len(macs) == 1 else [ipff["inside"], ipff["outside"]]
    for table, mac in zip(tables, macs, strict=False):
        table["neighbour_mac"] = mac


def enter_namespaces() -> None:
    """Move to a new network namespace, and the next child to a new PID namespace; through a user one if need be."""
    try:
        linux.unshare(linux.CLONE_NEWNET | linux.CLONE_NEWPID)
    except PermissionError:
        linux.become_root_in_user_namespace()
        linux.unshare(linux.CLONE_NEWNET | linux.CLONE_NEWPID)


_SWITCHES = {
    "user.max_user_namespaces": ("0", "above 0"),
    "user.max_net_namespaces": ("0", "above 0"),
    "user.max_pid_namespaces": ("0", "above 0"),
    "kernel.unprivileged_userns_clone": ("0", "to 1"),
    "kernel.apparmor_restrict_unprivileged_userns": ("1", "to 0"),
}
"""Settings of the kernel by which an ordinary user cannot make namespaces: the value, and what to set it to."""


def _remedy() -> str:
    """What to do where namespaces cannot be made; names the settings that forbid it."""
    found = [
        f"set {name} {wanted}"
        for name, (off, wanted) in _SWITCHES.items()
        if (path := Path("/proc/sys", name.replace(".", "/"))).exists() and path.read_text().strip() == off
    ]
    return " and ".join(found or ["allow user namespaces"]) + " (sysctl), or run as root"


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
            control.send(json.dumps({"id": 0, "limit": f"{error.strerror}; {_remedy()}"}).encode())
            return
        _become_init(sockets)
    _start_probes(sockets[0], sockets[1:])
    control = socket.socket(fileno=sockets[0])
    control.send(json.dumps({"id": 0}).encode())
    try:
        SupervisorProcess(control).run()
    except OSError:
        return  # the tester has gone in the middle of a message
