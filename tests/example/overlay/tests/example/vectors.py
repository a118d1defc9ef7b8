# SPDX-License-Identifier: GPL-2.0-or-later
"""The greeting with its fields and its bytes, written out from the specification."""

from layers.example import ANSWER, Greeting

from tests.layers.vector import Vector, Vectors

VECTORS = Vectors(
    vectors=[Vector(Greeting, {"kind": ANSWER, "number": 7}, "03 00 0007", {"reserved": 0})],
    refused=[(lambda: Greeting(number=65536), "field number: 65536 is outside 0..65535")],
    filters={Greeting: "greeting"},
    lines=[("hello", "Hello 7")],
)
