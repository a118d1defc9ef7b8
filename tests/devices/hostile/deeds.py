# SPDX-License-Identifier: GPL-2.0-or-later
"""What a hostile device does beside its work: to its log, to its streams, to itself and to the machine."""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable

from pyroute2 import IPRoute

Deed = Callable[[], object]

WIRE = "wire0"
_MOST_WRITTEN = 2 << 30
_MOST_PROCESSES = 6


def log(pieces: Iterable[bytes], pause_s: float = 0) -> Deed:
    """Write to the log, 2 GiB at the most."""

    def write() -> None:
        written = 0
        for piece in pieces:
            time.sleep(pause_s)
            written += os.write(2, piece)
            if written > _MOST_WRITTEN:
                return

    return write


def after(seconds: float, deed: Deed) -> Deed:
    """The same a little later."""

    def later() -> None:
        time.sleep(seconds)
        deed()

    return later


def die(number: signal.Signals) -> Deed:
    return lambda: os.kill(os.getpid(), number)


def leave(code: int) -> Deed:
    return lambda: os._exit(code)


def stop_and_go_on() -> None:
    """Be stopped by another process for a quarter of a second, again and again."""
    program = "import os, sys, time\nwhile True: [(os.killpg(int(sys.argv[1]), n), time.sleep(.25)) for n in (19, 18)]"
    subprocess.Popen([sys.executable, "-c", program, str(os.getpgrp())], start_new_session=True)


def spin() -> None:
    while True:
        pass


def processes(*does: Callable[[], object], lead: bool = True) -> Deed:
    """Processes that stay: some in a session of their own, none of them minds a signal that asks it to end."""

    def fork() -> None:
        for do in does:
            if os.fork() == 0:
                if lead:
                    os.setsid()
                for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                    signal.signal(number, signal.SIG_IGN)
                do()

    return fork


def link(**changes: object) -> Deed:
    """Change the wire."""

    def change() -> None:
        with IPRoute() as routes:
            routes.link("set", index=routes.link_lookup(ifname=WIRE)[0], **changes)

    return change


def remove_the_wire() -> None:
    with IPRoute() as routes:
        routes.link("del", index=routes.link_lookup(ifname=WIRE)[0])


BEFORE: dict[str, Deed] = {
    "ends-at-once": leave(3),
    "ends-at-once-as-if-well": leave(0),
    "killed-at-once": die(signal.SIGSEGV),
    "never-ready": lambda: time.sleep(600),
    "closes-its-output": lambda: (os.close(1), time.sleep(600)),
    "forks-and-ends": lambda: (processes(spin, signal.pause)(), os._exit(3)),
}
"""Done in place of becoming ready."""

BESIDE: dict[str, Deed] = {
    "log-flood": log(itertools.repeat(b"a line that somebody left in\n" * 2000)),
    "log-without-lines": log(itertools.repeat(b"x" * 65536)),
    "log-lines-of-ten-megabytes": log(itertools.cycle([b"y" * 10_000_000, b"\n"])),
    "log-of-controls": log(itertools.repeat(b"198.19.0.1 \x1b[31m\x1b]0;title\x07\r\xe2\x80\xae\xff\x00\n"), 0.01),
    "log-of-noise": log((os.urandom(4096) for _ in itertools.count()), 0.001),
    "log-closed": lambda: os.close(2),
    "input-closed": lambda: os.close(0),
    "ends-later": after(0.2, leave(3)),
    "ends-later-as-if-well": after(0.2, leave(0)),
    "killed-later": after(0.2, die(signal.SIGKILL)),
    "aborts-later": after(0.2, die(signal.SIGABRT)),
    "stops-for-good": after(0.2, die(signal.SIGSTOP)),
    "stops-and-goes-on": after(0.1, stop_and_go_on),
    "processes-that-stay": processes(*[signal.pause] * _MOST_PROCESSES),
    "processes-that-hold-the-streams": processes(*[signal.pause] * 3, lead=False),
    "processes-that-spin": processes(spin, spin),
    "link-down": after(0.2, link(state="down")),
    "link-down-and-up": after(0.2, lambda: (link(state="down")(), time.sleep(0.3), link(state="up")())),
    "link-removed": after(0.2, remove_the_wire),
    "mtu-of-100": after(0.1, link(mtu=100)),
    "another-ethernet-address": after(
        0.7, lambda: (link(state="down")(), link(address="02:00:00:00:00:67", state="up")())
    ),
}
"""Done in a thread of its own once the reference is ready."""
