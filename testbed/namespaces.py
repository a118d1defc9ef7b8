# SPDX-License-Identifier: GPL-2.0-or-later
"""The holder: a process that owns the run's namespaces, so that nothing outlives the run.

Started by `testbed.namespace_link` as `python -m testbed.namespaces FD`. It enters a user namespace if it has to, then a
new network namespace (the tester's: no address, no route) and a new PID namespace whose init it becomes. Every process
of the device is a descendant of that init. When the test process ends, however it ends, the kernel kills the holder,
with it the PID namespace, and with the last process the network namespaces and their interfaces.

It answers JSON requests on the socket FD (SOCK_SEQPACKET) and reports two events on its own:
`{"event": "exit", "instance": n, "code": c}` and `{"event": "lag", "ns": t, "lag_ns": l}`: at the wall-clock time t this
process ran l later than it had asked for, which is what the device suffered too.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from testbed import linux
from testbed.sockets import open_capture, open_sender

PROBE_INTERVAL_NS = 10_000_000
LAG_WORTH_TELLING_NS = 20_000_000


@dataclass
class _Instance:
    process: subprocess.Popen[bytes]
    number: int


@dataclass
class Holder:
    control: socket.socket
    instances: list[_Instance] = field(default_factory=list)
    links: int = 0

    def start(self, request: dict[str, Any]) -> None:
        """Make the wires of a new DUT, start it, and hand out the tester's sockets and the DUT's standard streams."""
        wires = [f"wire{index}" for index in range(request["wires"])]
        ports = [f"port{self.links + index}" for index in range(request["wires"])]
        self.links += len(ports)
        namespace, macs = _make_wires(ports, wires)
        configuration = request["configuration"]
        if ipff := configuration["carriages"].get("ipff"):
            ipff["neighbour_mac"] = macs["ports"][0]
        Path(request["configuration_path"]).write_text(json.dumps(configuration))
        environment = {**os.environ, **request["environment"], "DUT_WIRES": " ".join(wires)}
        try:
            process = subprocess.Popen(
                request["command"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                preexec_fn=lambda: linux.setns(namespace),
            )
        except OSError as error:
            self._send({"error": f"{request['command'][0]}: {error.strerror}"})
            return
        finally:
            os.close(namespace)
        number = len(self.instances)
        self.instances.append(_Instance(process, number))
        assert process.stdin and process.stdout and process.stderr
        handed = [end for port in ports for end in (open_capture(port), open_sender(port))]
        streams = [process.stdin, process.stdout, process.stderr]
        fds = [end.fileno() for end in handed] + [stream.fileno() for stream in streams]
        self._send({"instance": number, "macs": macs}, fds)
        for end in handed:
            end.close()
        for stream in streams:
            stream.close()

    def stop(self, request: dict[str, Any]) -> None:
        """End one DUT that had its time to leave after the end of its input: SIGKILL if it is still there."""
        process = self.instances[request["instance"]].process
        if process.poll() is None:
            process.kill()
            process.wait()
        self._send({"stopped": request["instance"]})

    def run(self) -> None:
        """Serve requests until the tester hangs up; in between measure how late this process gets the processor."""
        poller = select.poll()
        poller.register(self.control, select.POLLIN)
        reported: set[int] = set()
        due = time.monotonic_ns() + PROBE_INTERVAL_NS
        while True:
            ready = poller.poll(max(0, due - time.monotonic_ns()) / 1e6)
            now = time.monotonic_ns()
            if now - due > LAG_WORTH_TELLING_NS:
                self._send({"event": "lag", "ns": time.time_ns(), "lag_ns": now - due})
            for instance in self.instances:
                if instance.number not in reported and instance.process.poll() is not None:
                    reported.add(instance.number)
                    self._send({"event": "exit", "instance": instance.number, "code": instance.process.returncode})
            if ready:
                message = self.control.recv(1 << 16)
                if not message:
                    return
                request = json.loads(message)
                {"start": self.start, "stop": self.stop}[request["op"]](request)
            due = time.monotonic_ns() + PROBE_INTERVAL_NS

    def _send(self, message: dict[str, Any], fds: list[int] | None = None) -> None:
        socket.send_fds(self.control, [json.dumps(message).encode()], fds or [])


def _make_wires(ports: list[str], wires: list[str]) -> tuple[int, dict[str, list[str]]]:
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


def main() -> None:
    """Build the namespaces, become the init of the new PID namespace and serve."""
    parent = int(os.environ.get("ROAMPROOF_PARENT", "0"))
    linux.die_with_parent()
    if parent and os.getppid() != parent:
        return
    control = socket.socket(fileno=int(sys.argv[1]))
    try:
        try:
            linux.unshare(linux.CLONE_NEWNET | linux.CLONE_NEWPID)
        except PermissionError:
            linux.become_root_in_user_namespace()
            linux.unshare(linux.CLONE_NEWNET | linux.CLONE_NEWPID)
    except OSError as error:
        control.send(json.dumps({"error": f"cannot make namespaces: {error.strerror}"}).encode())
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = os.fork()
    if child:
        control.close()
        _, status = os.waitpid(child, 0)
        sys.exit(os.waitstatus_to_exitcode(status))
    linux.die_with_parent()
    # Interfaces made later are born without IPv6 chatter.
    linux.disable_ipv6("default")
    control.send(json.dumps({"ready": True, "holder": Path("/proc/self").resolve().name}).encode())
    Holder(control).run()


if __name__ == "__main__":
    main()
