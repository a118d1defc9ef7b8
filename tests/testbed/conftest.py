# SPDX-License-Identifier: GPL-2.0-or-later
"""A puppet on a wire for the tests of this folder."""

from collections.abc import Iterator

import pytest

from testbed.case.case import Case
from tests.testbed.lab import Lab, lab_in


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One puppet for the tests of a module."""
    lab = lab_in(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.close()


@pytest.fixture
def case(lab: Lab) -> Iterator[Case]:
    """A case at the module's puppet."""
    case = lab.case()
    yield case
    case.leave()
