# SPDX-License-Identifier: GPL-2.0-or-later
"""Keys of the secure variant: elliptic-curve Diffie-Hellman on secp192r1, points compressed to 25 bytes."""

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP192R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from layers.migrate import padded

NO_POINT = b"\x02" + bytes(23) + b"\x01"
"""25 bytes with the shape of a compressed point: no point of the curve has this x coordinate."""


def _point(key_data: bytes) -> EllipticCurvePublicKey:
    return EllipticCurvePublicKey.from_encoded_point(SECP192R1(), key_data)


def is_point(key_data: bytes) -> bool:
    """Whether Key Data is a compressed point of the curve."""
    try:
        _point(key_data)
    except ValueError:
        return False
    return True


class Keys:
    """A key pair of the tester."""

    def __init__(self) -> None:
        self._private: EllipticCurvePrivateKey = generate_private_key(SECP192R1())

    @property
    def public(self) -> bytes:
        """Key Data."""
        return self._private.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)

    def secret(self, key_data: bytes) -> bytes:
        """The key K that is shared with the owner of a public key; ValueError where that is no point of the curve."""
        return padded(self._private.exchange(ECDH(), _point(key_data)))
