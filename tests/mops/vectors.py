# SPDX-License-Identifier: GPL-2.0-or-later
"""The MOPS messages with their fields and their bytes, written out from draft-eromenko-ipff-mops-00."""

from layers.mops import MobileCapableOption, MOPSAnycastAck, MOPSMigrate, MOPSNATAck
from tests.layers.vector import Vector, Vectors

VECTORS = Vectors(
    vectors=[
        Vector(
            MOPSMigrate,
            {
                "code": 1,
                "protocol": 6,
                "previous_source": "525.8.78.3.9",
                "migrated_source": "775.2.23.6.6",
                "entries": [(1027, 2098, 0x12345678), (1028, 2099, 0x9ABCDEF0)],
            },
            "0064 454e 01 01 0000 001a0d0204e00c09 000b070081701806 0403 0832 12345678 0404 0833 9abcdef0",
            {"type": 100, "checksum": 0x454E, "version": 1, "reserved": 0, "count": 2},
        ),
        Vector(
            MOPSAnycastAck,
            {
                "protocol": 6,
                "anycast_destination": "8.8.8.8.8",
                "unicast_destination": "8.8.8.8.9",
                "source_port": 1027,
                "destination_port": 80,
            },
            "0065 a91a 01 00 0000 0018080200802008 0000080200802009 0403 0050",
            {"type": 101, "checksum": 0xA91A, "version": 1, "code": 0, "reserved": 0, "reserved2": 0},
        ),
        Vector(
            MOPSNATAck,
            {
                "nat_level": 2,
                "protocol": 6,
                "original_source": "10.0.0.0.1",
                "translated_source": "525.8.78.2.2",
                "entries": [(5050, 6050)],
            },
            "0066 ad3a 01 00 02 00 00180a0000000001 00060d0204e00802 13ba 17a2",
            {"type": 102, "checksum": 0xAD3A, "version": 1, "code": 0, "reserved": 0, "count": 1},
        ),
        Vector(
            MobileCapableOption,
            {},
            "fe 04 4d4f",
            {"kind": 254, "length": 4, "exid": 0x4D4F},
            shaping=("length",),
        ),
    ],
    refused=[
        (lambda: MOPSMigrate(code=256), "field code: 256 is outside 0..255"),
        (lambda: MOPSMigrate(count=1.5), "field count: 'float' object"),
        (lambda: MOPSMigrate(previous_source="8.8.8"), "field previous_source: '8.8.8' has 3 parts, not 5"),
        (lambda: MOPSMigrate(entries=[(1, 2)]), r"field entries: entry 0 is \(1, 2\), not \(previous_port, migrated"),
        (
            lambda: MOPSMigrate(entries=[(1, 2, 3), (1, 65536, 3)]),
            "migrated_port of entry 1 is 65536, outside 0..65535",
        ),
        (lambda: MOPSMigrate(entries=[(1, 2, "x")]), "identifier of entry 0 is 'x', outside 0..4294967295"),
        (lambda: bytes(MOPSNATAck(entries=[(1, 2)] * 16384)), "field count: 16384 is outside 0..16383"),
    ],
    filters={
        MOPSMigrate: "mops.migrate",
        MOPSAnycastAck: "mops.anycast",
        MOPSNATAck: "mops.nat",
        MobileCapableOption: "mobile_capable",
    },
    lines=[
        ("migrate", "MOPS Migrate migrate tcp 525.8.78.3.9 > 775.2.23.6.6 ports 1027 > 2098"),
        ("migrate-atomic", "and 5 more"),
        ("anycast", "8.8.8.8.8 is 8.8.8.8.9"),
        ("nat-level-2", "NAT acknowledgement level 2 tcp 10.2.0.0.1 > 10.0.0.0.1"),
        ("mobile-capable", "<MOBILE_CAPABLE>"),
    ],
)
