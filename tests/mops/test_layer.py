# SPDX-License-Identifier: GPL-2.0-or-later
"""The MOPS messages beyond their bytes: violations, checksum, entry tables, replies; the option MOBILE_CAPABLE."""

from pathlib import Path

import pytest
from scapy.fields import RawVal
from scapy.layers.inet import IP, TCP
from scapy.packet import Packet, Raw

from layers import samples
from layers.ipff import IPFF
from layers.mops import (
    FAILED,
    MIGRATE_ATOMIC,
    SUCCESS,
    MobileCapableOption,
    MOPSAnycastAck,
    MOPSMigrate,
    MOPSNATAck,
)
from layers.tcp_options import get_option, option_area, put_option, walk_options
from tests.lab.ipff import DRAFT, internet_checksum, number
from tests.layers import wireshark
from tests.layers.strict import strict_dissection as strict_dissection

pytestmark = pytest.mark.usefixtures("strict_dissection")

ENTRIES = [(1027, 2098, 1), (1028, 2099, 2), (1029, 2100, 3)]
REQUEST = MOPSMigrate(previous_source="525.8.78.3.9", migrated_source="775.2.23.6.6", entries=ENTRIES)


def reply(**fields: object) -> MOPSMigrate:
    answer = REQUEST.copy()
    for name, value in fields.items():
        setattr(answer, name, value)
    return answer


def test_value_set_later_is_refused_too() -> None:
    packet = MOPSMigrate()
    with pytest.raises(ValueError, match=r"field reserved: 65536 is outside 0\.\.65535"):
        packet.reserved = 65536
    packet.fields["reserved"] = 65536
    with pytest.raises(ValueError, match=r"field reserved: 65536 is outside 0\.\.65535"):
        bytes(packet)


def test_violations_are_one_argument_away() -> None:
    assert bytes(MOPSMigrate(version=RawVal(b"\1\2"), checksum=0))[4:6] == b"\1\2"
    assert bytes(MOPSMigrate(checksum=0xBEEF))[2:4] == b"\xbe\xef"
    assert bytes(MOPSMigrate(count=3, entries=[(1, 2, 3)]))[16:18] == (3 << 2).to_bytes(2)
    assert bytes(MOPSMigrate(entries=RawVal(b"12345678" * 2 + b"123")))[16:18] == (2 << 2).to_bytes(2)


def test_names_stand_for_numbers() -> None:
    assert bytes(MOPSMigrate(code="failed", protocol="udp"))[5:10] == bytes([FAILED, 0, 0, 17 >> 6, 17 << 2 & 0xFF])


@pytest.mark.parametrize("message", [REQUEST, MOPSAnycastAck(), MOPSNATAck(entries=[(1, 2)]), REQUEST / b"odd"])
@pytest.mark.parametrize("carrier", [IPFF(dst="8.8.8.8.8"), IP(dst="198.18.0.1")])
def test_checksum_covers_the_whole_message_and_in_ipff_a_pseudo_header(carrier: Packet, message: Packet) -> None:
    packet = type(carrier)(bytes(carrier / message))
    data = bytes(packet.payload)
    beside = DRAFT.pseudo_header(0, number("8.8.8.8.8"), 1, len(data)) if isinstance(carrier, IPFF) else b""
    assert internet_checksum(beside + data) == 0
    assert packet.payload.checksum_ok()
    packet.payload.reserved ^= 1
    assert not packet.payload.checksum_ok()


def test_count_larger_than_the_table_takes_the_whole_entries_that_are_there() -> None:
    packet = MOPSMigrate(bytes(MOPSMigrate(count=9, entries=ENTRIES)) + b"half")
    assert (packet.count, packet.entries, packet[Raw].load) == (9, ENTRIES, b"half")


def test_count_smaller_than_the_table_leaves_the_rest_as_payload() -> None:
    packet = MOPSMigrate(bytes(MOPSMigrate(count=1, entries=ENTRIES)))
    assert packet.entries == ENTRIES[:1]
    assert len(packet[Raw].load) == 16


def test_as_many_entries_as_one_ipff_packet_carries() -> None:
    most = (0xFFFF - 24) // 8
    packet = IPFF(bytes(IPFF() / MOPSMigrate(entries=[(n & 0xFFFF, 1, n) for n in range(most)])))
    assert packet[MOPSMigrate].count == most == len(packet[MOPSMigrate].entries)
    assert packet[MOPSMigrate].entries[-1] == ((most - 1) & 0xFFFF, 1, most - 1)


def test_entries_edited_after_dissection_are_rebuilt() -> None:
    packet = MOPSMigrate(bytes(REQUEST))
    packet.entries[1] = (9, 9, 9)
    del packet.checksum
    assert MOPSMigrate(bytes(packet)).entries == [ENTRIES[0], (9, 9, 9), ENTRIES[2]]
    twin = packet.copy()
    twin.entries.clear()
    assert len(packet.entries) == 3


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (reply(code=SUCCESS), True),
        (reply(code=FAILED), True),
        (reply(code=FAILED, entries=ENTRIES[1:]), True),
        (reply(code=FAILED, entries=[ENTRIES[0], ENTRIES[2]]), True),
        (reply(code=FAILED, entries=[ENTRIES[2], ENTRIES[0]]), False),
        (reply(code=FAILED, entries=[(1, 2, 3)]), False),
        (reply(code=SUCCESS, entries=ENTRIES[1:]), False),
        (reply(code=SUCCESS, migrated_source="775.2.23.6.7"), False),
        (reply(code=SUCCESS, protocol=17), False),
        (reply(code=MIGRATE_ATOMIC), False),
        (reply(code=4), False),
    ],
)
def test_only_a_reply_to_the_request_answers_it(answer: MOPSMigrate, expected: bool) -> None:
    assert bool(answer.answers(REQUEST)) is expected
    if expected:
        assert answer.hashret() == REQUEST.hashret()


def test_a_reply_is_answered_by_nothing() -> None:
    assert not reply(code=SUCCESS).answers(reply(code=SUCCESS))


def test_reply_answers_through_the_carrier() -> None:
    there, back = IPFF(src="1.1.1.1.1", dst="8.8.8.8.8"), IPFF(src="8.8.8.8.8", dst="1.1.1.1.1")
    assert (back / reply(code=SUCCESS)).answers(there / REQUEST)
    assert not (there / reply(code=SUCCESS)).answers(there / REQUEST)
    there4, back4 = IP(src="198.18.0.9", dst="198.18.0.1"), IP(src="198.18.0.1", dst="198.18.0.9")
    assert (back4 / reply(code=FAILED)).answers(there4 / REQUEST)


def test_ipv4_carries_it_under_254_and_never_as_icmpv4() -> None:
    packet = IP(bytes(IP(dst="198.18.0.1") / MOPSMigrate()))
    assert packet.proto == 254
    assert isinstance(packet.payload, MOPSMigrate)


def test_experiments_with_another_exid_are_not_mobile_capable() -> None:
    packet = put_option(put_option(TCP(), MobileCapableOption(exid=0xF989)), MobileCapableOption())
    assert [raw.raw.hex() for raw in walk_options(option_area(packet))] == ["fe04f989", "fe044d4f"]
    assert get_option(packet, MobileCapableOption).exid == 0x4D4F
    assert get_option(packet, MobileCapableOption, exid=0xF989).exid == 0xF989
    assert get_option(packet, MobileCapableOption, kind=253) is None


def test_mobile_capable_of_a_kind_of_its_own_goes_without_exid() -> None:
    packet = IP(bytes(IP(dst="198.18.0.1") / put_option(TCP(), MobileCapableOption(kind=77, length=2))))
    assert option_area(packet).hex() == "4d020000"
    assert get_option(packet, MobileCapableOption, kind=77, length=2)
    assert get_option(packet, MobileCapableOption, kind=77) is None


@wireshark.needed
def test_wireshark_finds_mobile_capable_of_a_kind_of_its_own(tmp_path: Path) -> None:
    frames = {"own-kind": samples.frames()["mobile-capable-own-kind"]}
    decoded = wireshark.decode(frames, tmp_path / "own.pcap", "mops.option_kind:77")
    assert wireshark.shown(decoded["own-kind"], "mobile_capable.kind") == ["77"]
