# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 2, Farewells."""

from conformance.example.dut.host import ExampleHost
from conformance.example.tester.greeter import Greeter
from layers.example import FAREWELL

from testbed import requirement, valid


@valid
@requirement("EXAMPLE-2-01", case=1)
def test_farewell_is_answered(greeter: Greeter, dut: ExampleHost) -> None:
    """A Farewell is answered with an Answer."""
    dut.answers(greeter.greet(FAREWELL))
