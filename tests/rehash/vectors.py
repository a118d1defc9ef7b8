# SPDX-License-Identifier: GPL-2.0-or-later
"""The TCP Rehash option with its fields and its bytes, written out from draft-mongazon-tcpm-tcp-rehash-00."""

from layers.rehash import RehashOption
from tests.layers.vector import Vector, Vectors

VECTORS = Vectors(
    vectors=[
        Vector(
            RehashOption,
            {"control": 0x0010, "nonce": 0x0BADCAFE, "old": "192.0.2.1", "new": "198.51.100.7"},
            "fd 10 0010 0badcafe c0000201 c6336407",
            {"kind": 253, "length": 16},
        )
    ],
    refused=[(lambda: RehashOption(new="host.example"), "field new: 'host.example' is not 4 numbers")],
    filters={RehashOption: "rehash"},
    lines=[("rehash-addr", "<REHASH-ADDR 198.18.0.9 > 198.18.1.6 nonce 0xbadcafe>")],
)
