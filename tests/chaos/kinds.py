# SPDX-License-Identifier: GPL-2.0-or-later
"""What is done to a run: kills, a disk that is full or slow, hostile devices. Each attempt is drawn by a seed."""

import contextlib
import itertools
import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.chaos.judging import Judgement, interfaces, judged
from tests.devices.hostile.__main__ import KINDS as HOSTILE
from tests.testbed.going import Going
from tests.testbed.lab import ROOT
from tests.testbed.runs import SHORT, UNBROKEN, command

HOSTILE_PROFILE = ROOT / "tests/devices/hostile/hostile.toml"
SERVER = "conformance/mops/server"
CASES = (
    f"{SERVER}/test_4_1_session.py::test_application_keeps_its_socket",
    f"{SERVER}/test_4_1_session.py::test_data_flows_at_the_new_tuple",
    f"{SERVER}/test_3_socket_creation.py::test_udp_socket_is_not_mobile_by_default",
)

WITHIN_S = 120
_LONGEST_S, _SECOND_S = 1.0, 0.4
_BUSY_FILES = 3
_BUSY_BYTES = 1 << 20

BROKEN, INTERRUPTED, NOTHING, INCONCLUSIVE, UNREACHABLE, MACHINE = 1, 2, 5, 6, 8, 10
"""Exit codes of docs/exit-codes.md."""

Attempt = Callable[[Path, random.Random], tuple[str, Judgement]]
"""Makes one attempt in a folder: what was drawn, in words, and what came of it."""

VICTIMS: dict[str, Callable[[Going], list[int]]] = {
    "the run": lambda run: [run.process.pid],
    "a test process": Going.workers,
    "a supervisor or a probe": lambda run: run.processes("testbed.device.namespaces"),
    "a device or its fork server": lambda run: run.processes("--fork-server"),
    "any process": lambda run: run.processes(),
    "the terminal": lambda run: [-run.process.pid],
}
MOMENTS: dict[str, Callable[[Going], object]] = {
    "its start": lambda run: True,
    "its namespaces": lambda run: run.processes("testbed.device.namespaces"),
    "its devices": lambda run: run.processes("--fork-server"),
    "its first case": lambda run: run.reported() > 0,
    "its last cases": lambda run: run.reported() > 6,
}
"""What a kill waits for, whatever the machine's load is; the time after that is drawn."""

SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGKILL


def start(folder: Path, *options: str, profile: Path = SHORT, prefix: tuple[str, ...] = (), **variables: str) -> Going:
    """A run of the few cases."""
    return Going(folder, [*prefix, *command(CASES[0], profile, folder, *CASES[1:], *options)], **variables)


def drawn_processes(chance: random.Random) -> tuple[str, str]:
    return "-n", chance.choice(["0", "2"])


def kill(folder: Path, chance: random.Random) -> tuple[str, Judgement]:
    """One signal, or two, at any moment, to any process; a run that was over before the first is no attempt."""
    for number in itertools.count(1):
        (place := folder / str(number)).mkdir()
        done, options, judgement = _kill(place, chance)
        if done or judgement.faults:
            return f"{' '.join(options)}: {', then '.join(done) or 'over too soon'}", judgement
    raise AssertionError


def _kill(folder: Path, chance: random.Random) -> tuple[list[str], tuple[str, str], Judgement]:
    before, options, done = interfaces(), drawn_processes(chance), []
    run = start(folder, *options)
    moment = chance.choice([*MOMENTS])
    while run.process.poll() is None and not MOMENTS[moment](run):
        time.sleep(0.01)
    for longest in chance.choice([(_LONGEST_S,), (_LONGEST_S, _SECOND_S)]):
        after, number, victim = chance.uniform(0, longest), chance.choice(SIGNALS), chance.choice([*VICTIMS])
        time.sleep(after)
        found = (VICTIMS[victim](run) or run.processes()) if run.process.poll() is None else []
        if found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(chance.choice(found), number)
            done.append(f"{number.name} to {victim} {after:.2f} s after {moment}")
            moment = "that"
    allowed = frozenset({*UNBROKEN, INTERRUPTED, UNREACHABLE, MACHINE, *(-number for number in SIGNALS)})
    return done, options, judged(run, allowed, WITHIN_S, before)


def full_disk(folder: Path, chance: random.Random) -> tuple[str, Judgement]:
    """The report's folder is a file system of its own, of any size; what it holds is copied out at the end."""
    before, options = interfaces(), drawn_processes(chance)
    size = chance.randint(4, chance.choice([20, 200, 800, 3_000]))
    (report := folder / "report").mkdir()
    keep = '"$@"; code=$?; cp -r "$0" "$0.kept"; exit $code'
    mount = f'mount -t tmpfs -o size={size}k none "$0" && exec sh -c \'{keep}\' "$0" "$@"'
    prefix = ("unshare", "--map-root-user", "--mount", "--", "sh", "-c", mount, str(report))
    run = start(folder, *options, prefix=prefix)
    done = judged(run, frozenset({*UNBROKEN, MACHINE}), WITHIN_S, before, "report.kept")
    return f"{' '.join(options)}: {size} KiB for the report", done


def slow_disk(folder: Path, chance: random.Random) -> tuple[str, Judgement]:
    """Three writers on the report's file system that wait for the disk after each MiB, and a run whose process that
    writes is stopped by a signal, again and again, for as long as a slow disk would let it wait."""
    before, options, over = interfaces(), drawn_processes(chance), threading.Event()
    most = chance.uniform(0.05, 0.4)
    writers = [
        threading.Thread(target=_keep_the_disk_busy, args=(folder / f"busy{n}", over)) for n in range(_BUSY_FILES)
    ]
    for one in writers:
        one.start()
    run = start(folder, *options)
    stopper = threading.Thread(target=_stop_now_and_then, args=(run, most, over, random.Random(chance.random())))
    stopper.start()
    try:
        done = judged(run, frozenset({*UNBROKEN, INCONCLUSIVE}), WITHIN_S, before)
    finally:
        over.set()
        for one in (*writers, stopper):
            one.join()
    return f"{' '.join(options)}: stops of up to {most:.2f} s", done


def _keep_the_disk_busy(path: Path, over: threading.Event) -> None:
    with path.open("wb", buffering=0) as file:
        while not over.is_set():
            file.seek(0)
            file.write(bytes(_BUSY_BYTES))
            os.fsync(file.fileno())


def _stop_now_and_then(run: Going, most_s: float, over: threading.Event, chance: random.Random) -> None:
    with contextlib.suppress(ProcessLookupError):
        while not over.wait(chance.uniform(0, most_s)):
            run.process.send_signal(signal.SIGSTOP)
            over.wait(chance.uniform(0, most_s))
            run.process.send_signal(signal.SIGCONT)


def hostile(name: str) -> Attempt:
    """A device of this kind: broken or lost, but never the suite's own fault."""

    def attempt(folder: Path, chance: random.Random) -> tuple[str, Judgement]:
        before, options = interfaces(), drawn_processes(chance)
        run = start(folder, *options, f"--dut-arg={name}", profile=HOSTILE_PROFILE)
        allowed = frozenset({*UNBROKEN, BROKEN, INCONCLUSIVE, UNREACHABLE})
        return f"{' '.join(options)}: {name}", judged(run, allowed, WITHIN_S, before)

    return attempt


def drawn(seed: int, count: int) -> list[tuple[str, Attempt]]:
    """So many attempts: kills, disks, and every hostile device as long as there is room; `count` of 0 is all, once."""
    kinds: list[tuple[str, Attempt]] = [("kill", kill)] * 100
    kinds += [("disk full", full_disk)] * 10 + [("disk slow", slow_disk)] * 10
    kinds += [("hostile device", hostile(name)) for name in HOSTILE]
    chance = random.Random(seed)
    chance.shuffle(kinds)
    return kinds[:count] if count else kinds


def scratch_folders(temporary: Path) -> list[Path]:
    """What killed runs have left of their temporary files, made old enough for the next run to take it away."""
    found = sorted(temporary.glob("roamproof-run-*"))
    for folder in found:
        os.utime(folder, (0, 0))
    return found


def last_run(folder: Path, temporary: Path) -> list[str]:
    """Run once more, as it should be; what is left of the temporary files of all runs before."""
    scratch_folders(temporary)
    run = start(folder, "-n", "0")
    run.process.communicate(timeout=WITHIN_S)
    return [f"temporary folder {one}" for one in scratch_folders(temporary)]
