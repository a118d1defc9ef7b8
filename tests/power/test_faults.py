# SPDX-License-Identifier: GPL-2.0-or-later
"""The model of faults: no cell is empty, each reason says what the deviations bear out, and the page is current."""

import dataclasses

import pytest

from tests.power.certified import Entry
from tests.power.faults import PAGE
from tests.power.faults_model import Model
from tests.power.faults_page import page


@pytest.fixture(scope="module")
def model() -> Model:
    return Model.read()


def test_no_cell_is_empty_and_no_reason_is_wrong(model: Model) -> None:
    assert list(model.troubles()) == []


def test_page_is_current(model: Model) -> None:
    assert PAGE.read_text() == page(model), "python -m tests.power.faults --write"


def test_empty_cells_and_wrong_reasons_are_named(model: Model) -> None:
    bare = Model(model.groups, [], model.requirements)
    empty = list(bare.troubles())
    assert len(empty) == len(model.cells)
    elsewhere = next(one for one in model.reasons if one.why == "elsewhere")
    wrong = dataclasses.replace(elsewhere, groups=("nobody",), requirements=(), seen_by=("MOPS-8-01",))
    named = [one for one in Model(model.groups, [wrong], model.requirements).troubles() if one not in empty]
    assert [one.partition(":")[0].split(" of kind")[0] for one in named] == [
        "fills no cell",
        "unknown why, kind or group",
        *["no deviation"] * len(elsewhere.kinds),
    ]


@pytest.mark.parametrize("content", [{}, {"kind": "unheard-of"}, {"kind": []}])
def test_deviation_without_a_kind_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="allowed is one of plain, second-use"):
        _ = Entry("mops", "made-up", content, 0).kinds
