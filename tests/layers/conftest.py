# SPDX-License-Identifier: GPL-2.0-or-later
import pytest

from tests.layers.strict import strict_dissection as strict_dissection


@pytest.fixture(autouse=True, scope="module")
def _strict(strict_dissection: None) -> None:
    """Everywhere in this folder."""
