# SPDX-License-Identifier: GPL-2.0-or-later
"""What a hostile device makes of each line that it writes: line 0 is the ready line, replies follow."""

import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Rewrite = Callable[[int, bytes], Iterable[bytes]]
"""What is written in place of a line, its end included."""

CONTROLS = "\x1b[31m\x1b[2J\r\b\0\x9b1m\u202e\u2066\ufeff\n::error::forged\u2028"


def ready(*pieces: bytes) -> Rewrite:
    """Another ready line."""
    return lambda number, line: [line] if number else pieces


def reply(change: Callable[[dict[str, Any]], Any]) -> Rewrite:
    """Another reply."""
    return lambda number, line: [json.dumps(change(json.loads(line))).encode() + b"\n"] if number else [line]


def result(value: Any) -> Rewrite:
    """Another result."""
    return reply(lambda one: {"jsonrpc": "2.0", "id": one["id"], "result": value})


def error(value: Any) -> Rewrite:
    """An error in place of each result."""
    return reply(lambda one: {"jsonrpc": "2.0", "id": one["id"], "error": value})


def drip(pieces: Iterable[bytes], seconds: float) -> Iterator[bytes]:
    """One after the other, with a pause before each."""
    for piece in pieces:
        time.sleep(seconds)
        yield piece


def in_place_of_replies(pieces: Callable[[bytes], Iterable[bytes]]) -> Rewrite:
    """Something else than a line of JSON."""
    return lambda number, line: pieces(line) if number else [line]


WORDS: dict[str, Rewrite] = {
    "ready-line-no-json": ready(b"Welcome!\n"),
    "ready-line-a-list": ready(b"[true]\n"),
    "ready-line-empty": ready(b"\n"),
    "ready-line-not-ready": ready(b'{"ready": "soon"}\n'),
    "ready-line-without-end": ready(b'{"ready": true}'),
    "ready-line-of-a-megabyte": ready(b'{"ready": true, "name": "' + b"n" * 1_000_000 + b'"}\n'),
    "ready-line-nested": ready(b"[" * 60_000 + b"\n"),
    "ready-line-of-numbers": ready(b'{"ready": true, "name": 1e999, "version": [[]]}\n'),
    "ready-line-of-controls": ready(
        json.dumps({"ready": True, "name": CONTROLS, "version": CONTROLS}).encode() + b"\n"
    ),
    "ready-line-of-bytes": ready(b'{"ready": true, "version": "\xff\xfe\\ud800\x1b"}\n'),
    "ready-line-in-pieces": lambda number, line: [line] if number else drip((bytes([one]) for one in line), 0.01),
    "ready-line-twice": ready(b'{"ready": true}\n{"ready": true}\n'),
    "replies-drip": in_place_of_replies(lambda line: drip((bytes([one]) for one in line), 9)),
    "replies-without-end": in_place_of_replies(lambda line: [line.rstrip()]),
    "replies-of-nothing": in_place_of_replies(lambda line: []),
    "replies-twice": in_place_of_replies(lambda line: [line, line]),
    "replies-of-surrogates": error({"code": -32000, "message": "\ud800 \udfff"}),
    "replies-of-controls": error({"code": -32000, "message": CONTROLS}),
    "replies-nested": in_place_of_replies(lambda line: [b'{"result": ' + b'{"a": ' * 100_000 + b"\n"]),
    "replies-of-bytes": in_place_of_replies(lambda line: [b"\xff\xfe\x00\n"]),
    "errors-of-ten-megabytes": error({"code": -32000, "message": "x" * 10_000_000}),
    "errors-that-are-none": error("no"),
    "errors-of-wrong-types": error({"code": [], "message": {"a": 1}}),
    "results-that-are-numbers": result(7),
    "results-that-are-missing": reply(lambda one: {"id": one["id"]}),
    "results-of-wrong-types": result({"listener": "1", "port": -1, "connection": None, "data": 7, "connections": {}}),
    "results-that-are-huge": result({"listener": 10**300, "port": 7, "connection": 10**300, "data": "", "eof": 1}),
    "results-for-others": reply(lambda one: {**one, "id": one["id"] + 1}),
    "results-for-nobody": reply(lambda one: {**one, "id": {"a": []}}),
    "chatter-without-end": in_place_of_replies(lambda line: itertools.repeat(b'{"id": 0}\n' * 500)),
    "output-without-end": in_place_of_replies(lambda line: itertools.repeat(b"x" * 65536)),
}
