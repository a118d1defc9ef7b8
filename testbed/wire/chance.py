# SPDX-License-Identifier: GPL-2.0-or-later
"""Random values of a case, in the manner of the standard library's `secrets`, that `--seed` brings back.

Each case runs in a thread of its own and draws from a generator of its own, which the seed of the run and the id of the
case decide. Outside of a case values are the system's.
"""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SYSTEM = random.SystemRandom()
_of_thread = threading.local()


@contextmanager
def drawn_from(seed: str) -> Iterator[None]:
    """What this thread draws inside comes from a generator with this seed."""
    _of_thread.generator = random.Random(seed)
    try:
        yield
    finally:
        del _of_thread.generator


def randbits(bits: int) -> int:
    """A number of so many bits."""
    return _generator().getrandbits(bits)


def randbelow(end: int) -> int:
    """A number from 0 up to, not including, `end`."""
    return _generator().randrange(end)


def token_bytes(count: int) -> bytes:
    """So many bytes."""
    return _generator().randbytes(count)


def _generator() -> random.Random:
    generator: random.Random = getattr(_of_thread, "generator", _SYSTEM)
    return generator
