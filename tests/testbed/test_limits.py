# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine that gives too little: one line that says what, why and what to do, and exit code 10."""

import errno
import json
import os
import subprocess
from pathlib import Path

import pytest

from testbed.interruptions import MachineError, cannot_write, machine_error
from tests.testbed.lab import ROOT, puppet_profile
from tests.testbed.runs import UNBROKEN, Run, command, environment, made_up

CASES = """
    @pytest.mark.parametrize("number", range(40))
    @valid
    @requirement(MUST, case=1)
    def test_talks(case, number):
        peer = connect(case, new_peer(case, case.station()))
        exchange(case, peer, bytes(range(256)) * 16)
"""
OWN_ROOT = ["unshare", "--map-root-user", "--mount", "--"]
"""As root of namespaces of its own: file systems can be mounted, for this run alone."""

NO_NAMESPACES = "echo 0 > /proc/sys/user/max_user_namespaces; exec setpriv --bounding-set=-all --inh-caps=-all "
MACHINE = 10


def limited(folder: Path, *prefix: str, processes: int = 0, **variables: str) -> Run:
    """A run that is started by `prefix`."""
    words = command(made_up(folder, CASES), puppet_profile(folder), folder, "-k", "ipv4", "-n", str(processes))
    done = subprocess.run(
        [*prefix, *words], cwd=ROOT, env={**environment(), **variables}, capture_output=True, text=True, check=False
    )
    return Run(done.returncode, done.stdout + done.stderr, folder / "report")


def mounting(options: str, target: Path) -> list[str]:
    """A prefix that mounts a file system in memory at `target`."""
    mount = f'mount -t tmpfs -o {options} none "$1" && shift && exec "$@"'
    return [*OWN_ROOT, "sh", "-c", mount, "sh", str(target)]


def assert_told(run: Run, *words: str) -> None:
    """In one line, and once; what there is of a report is a journal that can be read."""
    assert run.code == MACHINE, run.output
    flat = " ".join(run.output.split())
    for word in words:
        assert word in flat, run.output
    assert "Traceback" not in run.output, run.output
    assert "INTERNALERROR" not in run.output, run.output


@pytest.mark.parametrize("processes", [0, 2])
def test_full_report_folder(tmp_path: Path, processes: int) -> None:
    (tmp_path / "report").mkdir()
    # The file system ends with the run: what it holds is copied out first.
    keep = '"$@"; code=$?; cp -r "$0" "$0.kept"; exit $code'
    mount = f'mount -t tmpfs -o size=200k none "$0" && exec sh -c \'{keep}\' "$0" "$@"'
    run = limited(tmp_path, *OWN_ROOT, "sh", "-c", mount, str(tmp_path / "report"), processes=processes)
    assert_told(run, "The tester's machine ended the run", "No space left on device", "make room there")
    kept = tmp_path / "report.kept"
    assert not {"results.json", "certificate.html", "junit.xml"} & {path.name for path in kept.iterdir()}
    lines = (kept / "results.jsonl").read_bytes().split(b"\n")
    assert lines[-1] == b""
    assert all(json.loads(line) for line in lines[:-1])


def test_report_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "report").mkdir()
    run = limited(tmp_path, *mounting("ro", tmp_path / "report"))
    assert_told(run, "Read-only file system", "choose a folder that can be written to")


@pytest.mark.parametrize("processes", [0, 2])
def test_too_few_open_files(tmp_path: Path, processes: int) -> None:
    run = limited(tmp_path, "prlimit", "--nofile=44:44", processes=processes)
    assert_told(run, "open files: the limit is 44, 256 are needed; raise the limit of open files (ulimit -n)")


def test_full_folder_for_temporary_files(tmp_path: Path) -> None:
    (temporary := tmp_path / "temporary").mkdir()
    fill = 'mount -t tmpfs -o size=64k none "$0" && head -c 1M /dev/zero > "$0/full" 2> /dev/null; exec "$@"'
    run = limited(tmp_path, *OWN_ROOT, "sh", "-c", fill, str(temporary), TMPDIR=str(temporary))
    assert run.code in UNBROKEN, run.output  # Python takes another one


def test_no_user_namespaces(tmp_path: Path) -> None:
    switched_off = f'{NO_NAMESPACES} --no-new-privs "$@"'
    run = limited(tmp_path, "unshare", "-U", "-r", "bash", "-c", switched_off, "bash")
    assert_told(run, "make namespaces", "set user.max_user_namespaces above 0 (sysctl), or run as root")
    assert run.output.count("max_user_namespaces") == 1, run.output


def test_limits_are_told_from_faults() -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/mnt/x")
    assert str(machine_error("set-up", full)).startswith("set-up: /mnt/x: No space left on device; make room there")
    assert "ulimit -u" in str(machine_error("case", RuntimeError("can't start new thread")))
    assert "ulimit -u" in str(machine_error("case", OSError(errno.EAGAIN, "Resource temporarily unavailable")))
    assert machine_error("case", RuntimeError("another")) is None
    assert machine_error("case", OSError(errno.ENOENT, "No such file or directory")) is None
    nowhere = FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")
    assert "make room" in str(machine_error("set-up", nowhere))
    assert machine_error("case", known := MachineError("known")) is known
    assert "the report: Permission denied; choose" in str(cannot_write(OSError(errno.EACCES, "Permission denied")))
