# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 1, Greetings."""

from conformance.example.dut.host import ExampleHost
from conformance.example.tester.greeter import Greeter
from layers.example import ANSWER

from testbed import inopportune, requirement, valid
from testbed.case.verdict import require


@valid
@requirement("EXAMPLE-1-01", case=1)
def test_hello_is_answered(greeter: Greeter, dut: ExampleHost) -> None:
    """A Hello is answered with an Answer."""
    dut.answers(greeter.greet())


@valid
@requirement("EXAMPLE-1-02", case=1)
def test_answer_carries_the_number(greeter: Greeter, dut: ExampleHost) -> None:
    """The Number of the Answer is that of the Hello."""
    greeting = greeter.greet()
    frame, answer = dut.answer_to(greeting)
    require(answer.number == greeting.number, "Number", greeting.number, answer.number, frame)


@inopportune
@requirement("EXAMPLE-1-03", case=1)
def test_answer_is_not_answered(greeter: Greeter, dut: ExampleHost) -> None:
    """An Answer that nobody asked for elicits nothing."""
    dut.stays_silent(greeter.greet(ANSWER))


@valid
@requirement("EXAMPLE-1-04", case=1)
def test_reserved_is_zero(greeter: Greeter, dut: ExampleHost) -> None:
    """Reserved is zero in the Answer."""
    frame, answer = dut.answer_to(greeter.greet())
    require(answer.reserved == 0, "Reserved", 0, answer.reserved, frame)
