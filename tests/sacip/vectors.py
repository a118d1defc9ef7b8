# SPDX-License-Identifier: GPL-2.0-or-later
"""The SACIP notification with its fields and its bytes, as captured in the slides."""

from hypothesis import strategies as st

from layers.sacip import CAPTURED, SACIP, ByteOrderField
from tests.layers.vector import Vector, Vectors

VECTORS = Vectors(
    vectors=[
        Vector(
            SACIP,
            {"new_address": "192.168.1.2"},
            "14 00 413e 0201a8c0",
            {"type": 20, "code": 0, "checksum": 0x413E, "byte_order": CAPTURED},
        )
    ],
    refused=[
        (lambda: SACIP(new_address="192.168.1.256"), "field new_address: .* part 256 outside 0..255"),
        (lambda: SACIP(byte_order="little"), "field byte_order: 'little' is neither"),
    ],
    filters={SACIP: "sacip"},
    lines=[("sacip", "SACIP new address 198.18.1.6")],
    values={ByteOrderField: st.just(CAPTURED)},
)
