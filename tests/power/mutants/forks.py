# SPDX-License-Identifier: GPL-2.0-or-later
"""Work in forks of this process: nothing that is warm is sent anywhere, a fork has it."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import active_children, get_context
from typing import Any, TypeVar

from testbed.device import linux

T = TypeVar("T")
R = TypeVar("R")

_work: list[Callable[[int], Any]] = []
"""What the forks inherit: the work on the thing of a number."""


def each(work: Callable[[T], R], things: Sequence[T], jobs: int) -> Iterator[tuple[T, R]]:
    """Do the work on every thing, so many at once; thing and result in the order in which they are done."""
    _work[:] = [lambda number: work(things[number])]
    with ProcessPoolExecutor(jobs, get_context("fork"), linux.die_with_parent, (os.getpid(),)) as pool:
        numbers = {pool.submit(_one, number): number for number in range(len(things))}
        try:
            for done in as_completed(numbers):
                yield things[numbers[done]], done.result()
        except BaseException:
            # Nobody waits for what is under way: a fork takes along all that it has started.
            for process in active_children():
                process.kill()
            pool.shutdown(cancel_futures=True)
            raise


def _one(number: int) -> Any:
    return _work[0](number)
