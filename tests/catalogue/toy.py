# SPDX-License-Identifier: GPL-2.0-or-later
"""A small made-up protocol: its specification, its requirements and a case."""

from pathlib import Path

SPECIFICATION = """\
# <u>Toy</u> protocol

Contents
1. Talking

# 1. Talking

A talker MUST say **hello** <first> & wait. It SHOULD be
polite when it sets POLITE\\_FLAG.
History: nobody should have been rude.
A talker may shout.

# 2. History

Long ago.
"""

CATALOGUE = """\
protocol = "TOY"
specification = "draft-toy-00"
roles = ["mobile node", "server"]

[[section]]
id = "front"
title = "Contents"
begins = "# Toy protocol"

[[section]]
id = "1"
title = "Talking"
begins = "# 1. Talking"

[[section]]
id = "2"
title = "History & <more>"
begins = "# 2. History"

[[requirement]]
id = "TOY-1-01"
section = "1"
roles = ["server", "mobile node"]
strength = "M"
quote = "A talker MUST say hello <first> & wait."
statement = "Says <hello>."
ics = ["toy.words"]
ixit = ["toy.word"]

[[requirement]]
id = "TOY-1-02"
section = "1"
roles = ["server"]
strength = "S"
quote = '''
It SHOULD be polite
when it sets POLITE_FLAG.'''
statement = "Is polite."
reading = "Polite is what the tester finds polite."

[[requirement]]
id = "TOY-1-03"
section = "1"
roles = ["server"]
strength = "I"
quote = "A talker may shout."
statement = "Reported: whether it shouts."
no_case = "the tester is deaf"

[[unnormative]]
section = "front"
reason = "contents"

[[unnormative]]
section = "2"
reason = "history & <more>"

[[unnormative]]
section = "1"
quote = "History: nobody should have been rude."
reason = "the past"
"""

CASES = '''\
import pytest
from testbed.run.marks import requirement, valid


@requirement("TOY-1-01")
@valid
def test_hello():
    """Says hello."""


def helper():
    """requirement("TOY-1-02") in a text is none."""
'''


def write_catalogue(folder: Path) -> Path:
    """A folder of protocols with this one."""
    (folder / "catalogue/toy").mkdir(parents=True)
    (folder / "catalogue/toy/specification.txt").write_text(SPECIFICATION)
    (folder / "catalogue/toy/requirements.toml").write_text(CATALOGUE)
    return folder / "catalogue"


def write_cases(folder: Path, source: str = CASES) -> Path:
    """A folder of protocols with this module of cases."""
    (folder / "conformance/toy").mkdir(parents=True, exist_ok=True)
    (folder / "conformance/toy/test_1.py").write_text(source)
    return folder / "conformance"
