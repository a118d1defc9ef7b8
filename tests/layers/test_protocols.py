# SPDX-License-Identifier: GPL-2.0-or-later
"""Protocols are found, not listed: what is general names none, and each package holds what the others hold."""

import re
from pathlib import Path

import pytest

import layers
from layers import binding, samples
from layers.binding import Binding

FOLDER = Path(layers.__file__).parent
GENERAL = [*FOLDER.glob("*.py"), *FOLDER.glob("*.lua"), FOLDER.parent / "bench/layers.py"]


@pytest.mark.parametrize("path", GENERAL, ids=lambda path: path.name)
def test_nothing_general_names_a_protocol(path: Path) -> None:
    assert re.findall(rf"(?i)\b(?:{'|'.join(layers.PROTOCOLS)})\b", path.read_text()) == []


@pytest.mark.parametrize("protocol", layers.PROTOCOLS)
@pytest.mark.parametrize("name", ["packets.py", "samples.py", "dissector.lua"])
def test_every_protocol_has_its_parts(protocol: str, name: str) -> None:
    assert (FOLDER / protocol / name).is_file()


def test_two_samples_cannot_have_the_same_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "PROTOCOLS", (layers.PROTOCOLS[0],) * 2)
    with pytest.raises(ValueError, match="is the name of another frame"):
        samples.frames()


def test_two_numbers_cannot_have_the_same_option() -> None:
    first = binding.declared()[0]
    with pytest.raises(ValueError, match=f"{first.option} is declared twice"):
        binding.declare(Binding(first.option, "another", 1, first.bind))
