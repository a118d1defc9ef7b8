# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of an Example host's answers."""

from reference.example.greetings import ANSWER, Greetings

from reference.system.alterations import deviation


@deviation("example-hello-unanswered", "1", "A Hello is answered.", "no Hello is answered")
class _HelloUnanswered(Greetings):
    def is_answered(self, kind: int) -> bool:
        return kind != 1 and super().is_answered(kind)


@deviation("example-number-plus-one", "1", "The Answer carries the Number.", "the Answer carries the next Number")
class _NumberPlusOne(Greetings):
    def greeting(self, number: int) -> bytes:
        return super().greeting((number + 1) & 0xFFFF)


@deviation("example-answer-answered", "1", "An Answer is never answered.", "an Answer is answered too")
class _AnswerAnswered(Greetings):
    def is_answered(self, kind: int) -> bool:
        return kind == ANSWER or super().is_answered(kind)


@deviation("example-reserved-set", "1", "Reserved is zero.", "Reserved is 1")
class _ReservedSet(Greetings):
    def greeting(self, number: int) -> bytes:
        answer = super().greeting(number)
        return answer[:1] + b"\x01" + answer[2:]


@deviation("example-farewell-unanswered", "2", "A Farewell is answered.", "no Farewell is answered")
class _FarewellUnanswered(Greetings):
    def is_answered(self, kind: int) -> bool:
        return kind != 2 and super().is_answered(kind)
