# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts for people's eyes: marks where two differ, names for anchors, bytes."""

from __future__ import annotations

import re

from reports.model import Difference
from reports.text import compared, hexdump, slug


def test_fields_that_differ_are_marked_in_both_texts() -> None:
    left, right = compared(
        "M(code=3, count=13)", "M(code=2, count=13)", [Difference(field="code", expected="3", seen="2")]
    )
    assert left == "M(<mark>code=3</mark>, count=13)"
    assert right == "M(<mark>code=2</mark>, count=13)"


def test_words_that_differ_are_marked_where_no_field_is_named() -> None:
    assert compared("reply within 2 s", "reply within 3 s", []) == (
        "reply within <mark>2</mark> s",
        "reply within <mark>3</mark> s",
    )


def test_texts_without_anything_in_common_are_not_marked() -> None:
    assert compared("silence for 0.5 s", "MOPSMigrate(code=2)", []) == ("silence for 0.5 s", "MOPSMigrate(code=2)")


def test_marks_do_not_open_a_way_for_markup() -> None:
    left, _ = compared("a=<b>", "a=<i>", [Difference(field="a", expected="<b>", seen="<i>")])
    assert left == "<mark>a=&lt;b&gt;</mark>"


def test_slugs_are_short_and_never_shared() -> None:
    names = ["a/t.py::x[1]", "b/t.py::x[1]", "a/t.py::x(1)", "a/t.py::" + "x" * 500, "a/t.py::\ud800"]
    assert len({slug(name) for name in names}) == len(names)
    assert all(re.fullmatch(r"[\w.-]{1,100}", slug(name)) for name in names)


def test_hexdump() -> None:
    assert hexdump("") == ""
    assert hexdump(bytes(range(17)).hex()).splitlines()[1] == "0010  10"
