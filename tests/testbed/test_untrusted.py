# SPDX-License-Identifier: GPL-2.0-or-later
"""What a device writes is hostile input: it is read, or refused with one line, and nothing else happens."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles import load
from reports.text import visible
from testbed.device.untrusted import Lines, read_json
from testbed.device.verb_results import checked_result
from testbed.peers.segment import Segment
from testbed.wire.capture import Frame
from testbed.wire.network import Network, networks
from testbed.wire.notation import decoded_fields, describe
from testbed.wire.printable import printable
from testbed.wire.quick import quick_words
from testbed.wire.receiving import Reassembly, why_dropped
from tests.testbed.runs import SHORT

PROFILE = load(SHORT)
NETWORKS = [*networks(PROFILE, ["ipff", "ipv4"], "link").values()]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
    max_leaves=8,
)
VERBS = st.sampled_from(["listen", "connect", "receive", "sockets", "send", "move"])


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_bytes_are_json_or_refused(line: bytes) -> None:
    with contextlib.suppress(ValueError):
        json.dumps(read_json(line), ensure_ascii=False).encode()


@settings(deadline=None)
@given(JSON)
def test_texts_can_be_stored(value: Any) -> None:
    json.dumps(read_json(json.dumps(value).encode()), ensure_ascii=False).encode()


@pytest.mark.parametrize("line", [b"[" * 100_000, b'{"a":' * 100_000, b'"\xff\xfe"', b'"\\ud800"', b"", b"NaN"])
def test_lines_that_were_met(line: bytes) -> None:
    with contextlib.suppress(ValueError):
        json.dumps(read_json(line), ensure_ascii=False).encode()


@settings(deadline=None)
@given(VERBS, JSON)
def test_results_are_as_agreed_or_refused(verb: str, result: Any) -> None:
    with contextlib.suppress(ValueError):
        checked = checked_result(verb, result)
        if verb == "receive":
            bytes.fromhex(checked["data"])
        if verb == "sockets":
            assert all(type(one["connection"]) is int for one in checked["connections"])


@pytest.mark.parametrize(
    ("verb", "result", "line"),
    [
        ("listen", {"listener": "3", "port": 7}, "listener: Input should be a valid integer, not '3'"),
        ("receive", {"data": "xy", "eof": False}, "data: String should match pattern"),
        ("receive", {"eof": False}, "data: Field required"),
        ("sockets", {"connections": [{"connection": None}]}, "connections.0.connection: Input should be"),
        ("move", [], "the result must be a JSON object, not []"),
    ],
)
def test_what_is_wrong_is_said(verb: str, result: Any, line: str) -> None:
    with pytest.raises(ValueError, match="the result") as caught:
        checked_result(verb, result)
    assert line in str(caught.value)


@settings(deadline=None)
@given(st.sampled_from(NETWORKS), st.binary(max_size=120))
def test_any_bytes_of_a_frame_can_be_looked_at(network: Network, payload: bytes) -> None:
    """As a TCP segment, and in words, with a right network header in front and without."""
    for data in (payload.ljust(14, b"\0"), bytes(12) + b"\x08\x00" + payload, bytes(12) + b"\x88\xb5" + payload):
        frame = Frame(1, 1, False, data, True, "link")
        segment = Segment.read(frame, network)
        if segment:
            assert segment.scale >= 0
            assert segment.mss >= 0
            str(segment)
        words = describe(network, frame), decoded_fields(network, frame)
        assert all(text.isprintable() for text in [*words[0], *(text for row in words[1] for text in row)])
        quick_words(network, data)


@settings(deadline=None)
@given(st.text(st.characters()))
def test_what_is_printable_is_what_pages_show(text: str) -> None:
    """The two functions, on either side of the results, spell out the same; newlines are of no device."""
    assert printable(text).isprintable() or "\t" in text
    assert visible(printable(text)) == printable(text)
    assert all(printable(one) != one for one in text if visible(one) != one)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=5), st.integers(1, 20))
def test_lines_are_those_of_all_parts(parts: list[bytes], longest: int) -> None:
    lines = Lines(longest)
    found = [line for part in parts for line in lines.take(part)] + [lines.end()]
    whole = b"".join(parts).split(b"\n")
    assert [line.content for line in found] == [one[:longest] for one in whole]
    assert [line.cut for line in found] == [len(one) - len(one[:longest]) for one in whole]


@settings(deadline=None)
@given(st.lists(st.binary(min_size=14, max_size=200), max_size=30))
def test_any_fragments_can_be_taken_in(frames: list[bytes]) -> None:
    reassembly = Reassembly()
    for data in frames:
        frame = (data[:12] + b"\x08\x00\x45" + data[15:]).ljust(34, b"\0")
        why_dropped(frame, 0, data[:6])
        whole = reassembly.add(frame)
        assert whole is None or len(whole) <= 14 + 0xFFFF
