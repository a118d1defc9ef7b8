# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 1: forwarding."""

import secrets

import pytest
from conformance.router.dut.router import Router
from conformance.router.tester.path import Path

from testbed import requirement, valid
from testbed.case.verdict import require

BOTH_WAYS = pytest.mark.parametrize("towards", ["outside", "inside"])


@BOTH_WAYS
@valid
@requirement("ROUTER-1-01", case=1)
def test_packets_pass_unchanged(path: Path, dut: Router) -> None:
    """The router forwards packets of every size with everything but hop limit and header checksum as it was."""
    for size in (1, 100, 1400):
        dut.forwards_unchanged(path, path.send(payload=secrets.token_bytes(size)))


@BOTH_WAYS
@valid
@requirement("ROUTER-1-02", case=1)
def test_hop_limit_is_one_less(path: Path, dut: Router) -> None:
    """The hop limit of a packet that comes out is one less than it was."""
    for ttl in (64, 255, 2):
        request = path.send(ttl=ttl)
        came = dut.forwards(path, request)
        require(came.ttl == ttl - 1, "hop limit", ttl - 1, came.ttl, request.sent.frame)


@BOTH_WAYS
@valid
@requirement("ROUTER-1-03", case=1)
def test_last_hop_is_not_forwarded(path: Path, dut: Router) -> None:
    """The router discards a packet whose hop limit would become zero."""
    dut.discards(path, path.send(ttl=1))


@BOTH_WAYS
@valid
@requirement("ROUTER-1-04", case=1)
def test_last_hop_is_told_to_the_sender(path: Path, dut: Router) -> None:
    """The router answers a packet whose hop limit would become zero with Time Exceeded, from that side."""
    dut.answers_time_exceeded(path, path.send(ttl=1))
