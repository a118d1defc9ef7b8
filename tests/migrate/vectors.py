# SPDX-License-Identifier: GPL-2.0-or-later
"""The TCP Migrate options with their fields and their bytes, written out from draft-snoeren-tcp-migrate-00."""

from hypothesis import strategies as st
from scapy.layers.inet import TCP

from layers.migrate import KeyPartField, MigrateOption, MigratePermittedOption, put_permitted
from tests.layers.vector import Vector, Vectors

VECTORS = Vectors(
    vectors=[
        Vector(
            MigratePermittedOption,
            {},
            "0f 03 00",
            {"kind": 15, "length": 3, "curve": 0, "key": b""},
            shaping=("length",),
        ),
        Vector(
            MigratePermittedOption,
            {"curve": 1, "key": bytes(range(1, 18))},
            "0f 14 01 0102030405060708090a0b0c0d0e0f1011",
            {"kind": 15, "length": 20},
            shaping=("length",),
        ),
        Vector(
            MigrateOption,
            {"reqno": 7, "token": bytes(range(8)), "request": bytes(range(8, 16))},
            "10 13 07 0001020304050607 08090a0b0c0d0e0f",
            {"kind": 16, "length": 19, "preload": 0},
        ),
        Vector(
            MigrateOption,
            {"preload": 1, "reqno": 127, "token": bytes(8), "request": bytes(8)},
            "10 13 ff 0000000000000000 0000000000000000",
            {"kind": 16, "length": 19},
        ),
    ],
    refused=[
        (lambda: MigrateOption(token=b"short"), "field token: 5 bytes, where exactly 8 are allowed"),
        (lambda: MigrateOption(reqno=128), "field reqno: 128 is outside 0..127"),
        (lambda: MigrateOption(token="12345678"), "field token: '12345678' is not bytes"),
        (lambda: MigratePermittedOption(key=bytes(16)), "field key: .* is neither empty nor 17 bytes"),
        (lambda: put_permitted(TCP(), public_key=bytes(24)), "public_key: 24 bytes, where 0 or 25 are allowed"),
    ],
    filters={MigratePermittedOption: "permitted", MigrateOption: "migrate"},
    lines=[
        ("migrate-permitted-key", "<Migrate-Permitted curve 1>"),
        ("migrate-syn", "<Migrate 1 token "),
    ],
    values={KeyPartField: st.sampled_from([b"", bytes(range(17))])},
)
