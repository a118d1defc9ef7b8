# SPDX-License-Identifier: GPL-2.0-or-later
"""Fields that refuse what they cannot carry.

Scapy's own BitField cuts a number that is too large without a word. Here a value out of range is a ValueError that
names the field and what it allows, in the constructor and again when the packet is built. Bytes that break the rules
on purpose go in as ``scapy.fields.RawVal``, which no field inspects::

    MOPSMigrate(version=RawVal(b"\\x01\\x02"))

RawVal stands for whole bytes, so it replaces a 14 + 50 bit word as a pair: ``protocol=RawVal(b""), src=RawVal(word)``.
"""

import contextlib
import operator
import struct
from collections.abc import Iterable
from itertools import chain
from typing import Any

from scapy.fields import BitField, Field, RawVal, StrFixedLenField
from scapy.layers.inet import IP
from scapy.volatile import VolatileValue

ADDRESS_PARTS = 5
PART_BITS = 10
PART_TOP = (1 << PART_BITS) - 1
ADDRESS_BITS = ADDRESS_PARTS * PART_BITS

Entry = tuple[int, ...]


class UIntField(BitField):  # type: ignore[misc]
    """An unsigned number of ``size`` bits; ``names`` gives the values that have one."""

    __slots__ = ["names", "top"]

    def __init__(self, name: str, default: Any, size: int, names: dict[int, str] | None = None) -> None:
        self.top = (1 << size) - 1
        self.names = names or {}
        super().__init__(name, default, size)

    def any2i(self, pkt: Any, x: Any) -> Any:
        if isinstance(x, list):
            return [self.checked(one) for one in x]
        return self.checked(x)

    def i2m(self, pkt: Any, x: Any) -> int:
        return self.checked(x) or 0

    def i2repr(self, pkt: Any, x: Any) -> str:
        shown = self.i2h(pkt, x)
        return str(self.names.get(shown, shown) if isinstance(shown, int) else shown)

    def checked(self, x: Any) -> Any:
        if x is None or isinstance(x, RawVal | VolatileValue):
            return x
        try:
            number = self.parse(x)
        except (TypeError, ValueError) as error:
            raise ValueError(f"field {self.name}: {error}") from None
        if not 0 <= number <= self.top:
            raise ValueError(f"field {self.name}: {number} is outside 0..{self.top}")
        return number

    def parse(self, x: Any) -> int:
        for number, name in self.names.items():
            if x == name:
                return number
        if isinstance(x, str | bytes):
            raise ValueError(f"{x!r} is none of {sorted(self.names.values())} and no number in 0..{self.top}")
        return operator.index(x)


class HexField(UIntField):
    """A number that is shown in hexadecimal."""

    def i2repr(self, pkt: Any, x: Any) -> str:
        return hex(x) if isinstance(x, int) else repr(x)


class CountField(UIntField):
    """The number of entries of a table, computed when left None."""

    __slots__ = ["table"]

    def __init__(self, name: str, size: int, table: str) -> None:
        self.table = table
        super().__init__(name, None, size)

    def i2m(self, pkt: Any, x: Any) -> int:
        if x is None:
            x = pkt.get_field(self.table).i2count(pkt, pkt.getfieldval(self.table))
        return super().i2m(pkt, x)


class DottedField(UIntField):
    """A number written with dots; subclasses say how it is read and shown."""

    def i2h(self, pkt: Any, x: Any) -> Any:
        if isinstance(x, list):
            return [self.i2h(pkt, one) for one in x]
        return self.show(x) if isinstance(x, int) else x

    def show(self, number: int) -> str:
        raise NotImplementedError


class IPFFAddressField(DottedField):
    """A 50-bit address: "525.8.78.3.9", (525, 8, 78, 3, 9), the number, or "198.18.0.1" for 0.198.18.0.1."""

    def __init__(self, name: str, default: Any = 0) -> None:
        super().__init__(name, default, ADDRESS_BITS)

    def parse(self, x: Any) -> int:
        return address_to_int(x)

    def show(self, number: int) -> str:
        return address_to_str(number)

    def i2repr(self, pkt: Any, x: Any) -> str:
        """As people read it: over IPv4 an address of IPv4 is written in four numbers, as everywhere else."""
        if isinstance(x, int) and _is_over_ipv4(pkt):
            with contextlib.suppress(ValueError):
                return embedded_ipv4(x)
        return super().i2repr(pkt, x)


def _is_over_ipv4(pkt: Any) -> bool:
    while pkt is not None and pkt.underlayer is not None:
        pkt = pkt.underlayer
        if isinstance(pkt, IP):
            return True
    return False


class IPv4AddressField(DottedField):
    """A 32-bit address. Unlike Scapy's IPField it never asks the resolver about a name."""

    def __init__(self, name: str, default: Any = 0) -> None:
        super().__init__(name, default, 32)

    def parse(self, x: Any) -> int:
        if not isinstance(x, str):
            return operator.index(x)
        return int.from_bytes(bytes(_parts(x, 4, 255)))

    def show(self, number: int) -> str:
        return ".".join(map(str, number.to_bytes(4)))


class TableField(Field):  # type: ignore[misc]
    """Rows of numbers as a list of tuples, counted by the field named ``count``.

    One field for the whole table, not a packet for each row, which would cost a hundred times as much.
    Dissection takes the whole rows that are there, at most ``count``; what is left over becomes the payload.
    """

    __slots__ = ["columns", "count", "row"]
    islist = 1

    def __init__(self, name: str, columns: dict[str, str], count: str) -> None:
        self.columns = columns
        self.count = count
        self.row = struct.Struct("!" + "".join(columns.values()))
        super().__init__(name, [])

    def any2i(self, pkt: Any, x: Any) -> Any:
        if x is None or isinstance(x, RawVal | VolatileValue):
            return x
        rows = [tuple(row) for row in x]
        self._pack(rows)
        return rows

    def i2count(self, pkt: Any, x: Any) -> int:
        return len(x) // self.row.size if isinstance(x, RawVal) else len(x or ())

    def i2len(self, pkt: Any, x: Any) -> int:
        return len(x) if isinstance(x, RawVal) else len(x or ()) * self.row.size

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        return s + self._pack(val or ())

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, list[Entry]]:
        length = min(pkt.getfieldval(self.count), len(s) // self.row.size) * self.row.size
        return s[length:], list(self.row.iter_unpack(s[:length]))

    def do_copy(self, x: Any) -> Any:
        return x[:] if isinstance(x, list) else x

    def _pack(self, rows: Iterable[Entry]) -> bytes:
        rows = list(rows)
        try:
            return struct.pack("!" + self.row.format[1:] * len(rows), *chain.from_iterable(rows))
        except struct.error:
            raise ValueError(f"field {self.name}: {self._fault(rows)}") from None

    def _fault(self, rows: list[Entry]) -> str:
        columns = ", ".join(self.columns)
        for index, row in enumerate(rows):
            if len(row) != len(self.columns):
                return f"entry {index} is {row!r}, not ({columns})"
            for value, (name, code) in zip(row, self.columns.items(), strict=True):
                top = (1 << 8 * struct.calcsize("!" + code)) - 1
                if not isinstance(value, int) or not 0 <= value <= top:
                    return f"{name} of entry {index} is {value!r}, outside 0..{top}"
        return f"entries are not rows of ({columns})"


class FixedBytesField(StrFixedLenField):  # type: ignore[misc]
    """Exactly ``length`` bytes, where Scapy's field would pad or cut."""

    __slots__ = ["length"]

    def __init__(self, name: str, length: int) -> None:
        self.length = length
        super().__init__(name, bytes(length), length=length)

    def any2i(self, pkt: Any, x: Any) -> Any:
        return x if isinstance(x, list | RawVal | VolatileValue) else self._checked(x)

    def i2m(self, pkt: Any, x: Any) -> bytes:
        return self._checked(x)

    def i2repr(self, pkt: Any, x: Any) -> str:
        return x.hex() if isinstance(x, bytes) else repr(x)

    def _checked(self, x: Any) -> bytes:
        if not isinstance(x, bytes | bytearray):
            raise ValueError(f"field {self.name}: {x!r} is not bytes")
        if len(x) != self.length:
            raise ValueError(f"field {self.name}: {len(x)} bytes, where exactly {self.length} are allowed")
        return bytes(x)


def address_to_int(address: Any) -> int:
    """The 50-bit number of "525.8.78.3.9", of a tuple of five parts, or of an IPv4 address (as 0.a.b.c.d)."""
    if isinstance(address, tuple):
        parts = _in_range(address, ADDRESS_PARTS, PART_TOP, address)
    elif isinstance(address, str):
        dotted_quad = address.count(".") == ADDRESS_PARTS - 2
        parts = [0, *_parts(address, 4, 255)] if dotted_quad else _parts(address, ADDRESS_PARTS, PART_TOP)
    else:
        number = operator.index(address)
        if not 0 <= number < 1 << ADDRESS_BITS:
            raise ValueError(f"{number} is outside 0..{(1 << ADDRESS_BITS) - 1}")
        return number
    total = 0
    for part in parts:
        total = total << PART_BITS | part
    return total


def address_to_str(address: Any) -> str:
    """The dotted form, five parts, of anything that ``address_to_int`` takes."""
    number = address_to_int(address)
    return ".".join(str(number >> shift & PART_TOP) for shift in range(ADDRESS_BITS - PART_BITS, -1, -PART_BITS))


def embedded_ipv4(address: Any) -> str:
    """The IPv4 address a.b.c.d that 0.a.b.c.d stands for."""
    first, *rest = address_to_str(address).split(".")
    if first != "0" or any(int(part) > 255 for part in rest):
        raise ValueError(f"{address_to_str(address)} stands for no IPv4 address")
    return ".".join(rest)


def _parts(dotted: str, number: int, top: int) -> list[int]:
    words = dotted.split(".")
    if not all(word.isascii() and word.isdigit() for word in words):
        raise ValueError(f"{dotted!r} is not {number} numbers with dots between them")
    return _in_range([int(word) for word in words], number, top, dotted)


def _in_range(parts: Any, number: int, top: int, shown: Any) -> list[int]:
    if len(parts) != number:
        raise ValueError(f"{shown!r} has {len(parts)} parts, not {number}")
    for part in map(operator.index, parts):
        if not 0 <= part <= top:
            raise ValueError(f"{shown!r} has a part {part} outside 0..{top}")
    return list(parts)
