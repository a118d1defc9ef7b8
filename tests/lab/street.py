# SPDX-License-Identifier: GPL-2.0-or-later
"""Several references, each in a namespace of its own, and every wire in the hand of the test, which joins them.

What comes out of a wire goes into the one that it is joined to, and is kept with the kernel's stamp. A wire that is
joined to a cloud leads to whoever has the destination of the packet (IPFF alone). Works as an ordinary user.
"""

import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from reference.system.linux import last_arrival
from tests.lab.host import ROOT, UpperTester
from tests.lab.ipff import DRAFT, Received
from tests.lab.wire import ETHERTYPE

SCRIPT = Path(__file__).with_name("street_process.py")
_MOST = 65536


class End(NamedTuple):
    """One end of a wire: the device, and which of its wires."""

    device: str
    wire: int = 0


class Crossed(NamedTuple):
    """A packet of IPFF that has come out of a device."""

    time: float
    end: End
    packet: Received


class Device(UpperTester):
    """A reference, by its standard streams."""

    def __init__(self, name: str, folder: Path, macs: list[tuple[str, str]], told: dict[str, Any]) -> None:
        super().__init__()
        self.name, self.macs, self._folder = name, macs, folder
        there, to = os.pipe()
        back, here = os.pipe()
        self.far = there, here
        self.streams = os.fdopen(to, "wb"), os.fdopen(back, "rb", buffering=0)
        path = folder / f"{name}.json"
        path.write_text(json.dumps(told))
        self.specification = {
            "wires": macs,
            "stdin": there,
            "stdout": here,
            "environment": {"DUT_CONFIG": str(path)},
        }

    def has_ended(self) -> bool:
        return False

    def log(self) -> str:
        return (self._folder / "log").read_text()


class Street:
    """The devices, and what joins their wires."""

    def __init__(self, folder: Path, devices: list[Device]) -> None:
        self.devices = {device.name: device for device in devices}
        self.crossed: list[Crossed] = []
        self._log = open(folder / "log", "wb")  # noqa: SIM115
        ours, theirs = socket.socketpair()
        passed = [one for device in devices for one in device.far]
        words = [str(SCRIPT), str(theirs.fileno()), json.dumps([device.specification for device in devices])]
        self._process = subprocess.Popen(
            [sys.executable, *words], stderr=self._log, pass_fds=[theirs.fileno(), *passed], cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        theirs.close()
        for descriptor in passed:
            os.close(descriptor)
        ends = [End(device.name, wire) for device in devices for wire in range(len(device.macs))]
        with ours:
            _, descriptors, *_ = socket.recv_fds(ours, 16, len(ends))
        if len(descriptors) != len(ends):
            raise AssertionError(f"no wires: {(folder / 'log').read_text()}")
        self._raws = {end: socket.socket(fileno=one) for end, one in zip(ends, descriptors, strict=True)}
        self._joined: dict[End, Callable[[bytes], End | None]] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._carry, daemon=True)

    def __enter__(self) -> "Street":
        for raw in self._raws.values():
            last_arrival(raw)  # from here on the kernel stamps what arrives
        self._thread.start()
        for device in self.devices.values():
            device.line(20.0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note("log of the devices:\n" + next(iter(self.devices.values())).log())
        self._is_over.set()
        self._thread.join()
        for device in self.devices.values():
            for stream in device.streams:
                stream.close()
        self._process.kill()
        self._process.wait()
        for raw in self._raws.values():
            raw.close()
        self._log.close()

    def join(self, one: End, other: End) -> None:
        """A cable between two ends; one that was in either of them is pulled out."""
        for end in (one, other):
            self.part(end)
        self._joined[one], self._joined[other] = (lambda _: other), (lambda _: one)

    def part(self, end: End) -> None:
        """Pull the cable out, at both of its ends."""
        leads = self._joined.pop(end, None)
        other = leads(b"") if leads is not None else None
        if other is not None:
            self._joined.pop(other, None)

    def cloud(self, ends: dict[int, End]) -> None:
        """Ends that reach each other by their addresses."""
        for end in ends.values():
            self._joined[end] = lambda packet: ends.get(DRAFT.read(packet).destination)

    def _carry(self) -> None:
        ends = {raw.fileno(): end for end, raw in self._raws.items()}
        while not self._is_over.is_set():
            for descriptor in select.select(list(ends), [], [], 0.05)[0]:
                self._carry_from(ends[descriptor])

    def _carry_from(self, end: End) -> None:
        raw = self._raws[end]
        while True:
            try:
                frame = raw.recv(_MOST)
            except BlockingIOError:
                return
            if int.from_bytes(frame[12:14], "big") != ETHERTYPE["ipff"]:
                continue
            self.crossed.append(Crossed(last_arrival(raw) or 0.0, end, DRAFT.read(frame[14:])))
            leads = self._joined.get(end)
            other = leads(frame[14:]) if leads is not None else None
            if other is not None:
                near, far = self.devices[other.device].macs[other.wire]
                header = bytes.fromhex((far + near).replace(":", "")) + frame[12:14]
                self._raws[other].send(header + frame[14:])
