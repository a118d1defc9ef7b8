# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a cable is plugged in: an interface of a real wire that goes down comes up again."""

import fcntl
import socket
import struct
import threading
import time

PATIENCE_S = 60.0
"""How long an interface may be down before the device counts as lost."""

_SIOCGIFFLAGS = 0x8913
_IFF_UP, _IFF_RUNNING = 0x1, 0x40
_LOOK_AGAIN_S = 0.05


class Carrier:
    """The state of one network interface: `outages` counts how often it was found down."""

    def __init__(self, interface: str) -> None:
        self.interface = interface
        self.outages = 0
        self._control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._up = threading.Event()
        self._up.set()

    def is_up(self) -> bool:
        """Whether nobody has found the interface down since it was up the last time, and it is up now."""
        return self._up.is_set() and self._has_carrier()

    def lost(self) -> None:
        """The interface was found down; it counts as that until its reader sees it up again."""
        self.outages += 1
        self._up.clear()

    def _has_carrier(self) -> bool:
        """Whether the interface is set up and has a carrier (netdevice(7)); True where it is gone altogether."""
        try:
            answer = fcntl.ioctl(self._control, _SIOCGIFFLAGS, struct.pack("16s24x", self.interface.encode()))
        except OSError:
            return True  # whoever reads from it is told
        flags = int(struct.unpack_from("=H", answer, 16)[0])
        return flags & (_IFF_UP | _IFF_RUNNING) == _IFF_UP | _IFF_RUNNING

    def outlast(self, closed: threading.Event) -> bool:
        """Wait until the interface is up again; False if that takes too long, or is no longer of interest."""
        if self._up.is_set():
            self.lost()
        end = time.monotonic() + PATIENCE_S
        try:
            while not closed.wait(_LOOK_AGAIN_S) and time.monotonic() < end:
                if self._has_carrier():
                    return True
            return False
        finally:
            self._up.set()

    def wait(self) -> None:
        """Return when the interface is not down, or its reader has given up."""
        self._up.wait()

    def close(self) -> None:
        """Close what it asks by."""
        self._control.close()
