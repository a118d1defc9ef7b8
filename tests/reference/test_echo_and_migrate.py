# SPDX-License-Identifier: GPL-2.0-or-later
"""The shortest way through everything: connect, echo, migrate, echo at the new tuple."""

import pytest

from tests.reference.lab import Lab
from tests.reference.wire import CARRIAGES, command, migrate


@pytest.mark.parametrize("carriage", CARRIAGES)
def test_a_connection_survives_a_migration(carriage: str) -> None:
    with Lab() as lab:
        peer = lab.peer(carriage).connect()
        assert peer.echo(b"before")
        previous, peer_address = peer.address, lab.address(carriage)
        answer = command(lab.wire, carriage, peer_address, migrate(previous, peer_address, [(1027, 2098, peer.nxt)]))
        assert answer is not None
        assert (answer.code, answer.count, answer.entries) == (2, 1, [(1027, 2098, peer.nxt)])
        peer.address, peer.port = peer_address, 2098
        assert peer.echo(b"after")
        assert lab.stop() == 0
