# SPDX-License-Identifier: GPL-2.0-or-later
"""The curve of the secure variant: the implementations of tester and reference, against SEC 2 and each other."""

import pytest

from conformance.migrate.tester.keys import NO_POINT, Keys, is_point
from reference.migrate import curve
from reference.migrate.option import key_of, request, token

GENERATOR = "03188da80eb03090f67cbf20eb43a18800f4ff0afd82ff1012"
"""The compressed base point as SEC 2 version 1.0 prints it, section 2.5.2."""

TWICE = "03dafebf5828783f2ad35534631588a3f629a70fb16982a888"
"""Two times the base point, of the point multiplication vectors that NIST published for P-192 (k = 2)."""


def test_public_keys_are_multiples_of_the_base_point() -> None:
    assert curve.public_key(1).hex() == GENERATOR
    assert curve.public_key(2).hex() == TWICE
    assert curve.public_key(curve.ORDER - 1).hex() == "02" + GENERATOR[2:]


def test_both_implementations_share_a_secret() -> None:
    for _ in range(8):
        ours, private = Keys(), curve.private_key()
        theirs = curve.public_key(private)
        assert is_point(theirs)
        point = curve.point_of(ours.public)
        assert point is not None
        assert ours.secret(theirs) == key_of(curve.shared_secret(private, point))


def test_keys_are_different() -> None:
    assert len({Keys().public for _ in range(8)} | {curve.public_key(curve.private_key()) for _ in range(8)}) == 16


@pytest.mark.parametrize(
    "key", [NO_POINT, b"", bytes(25), b"\x04" + bytes(24), b"\x02" + b"\xff" * 24, bytes.fromhex(GENERATOR)[:24]]
)
def test_what_is_no_point(key: bytes) -> None:
    assert curve.point_of(key) is None
    assert not is_point(key)
    with pytest.raises(ValueError):
        Keys().secret(key)


def test_the_reference_hashes_as_the_draft_says() -> None:
    """By sha1sum, as in `test_layer.py`."""
    assert key_of() == bytes(25)
    assert token(1, 2, key_of()).hex() == "9eb5834d93479e6a"
    assert request(1, 2, key_of(), 3, 4).hex() == "d35a2e56e3d13621"
