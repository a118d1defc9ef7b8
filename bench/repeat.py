# SPDX-License-Identifier: GPL-2.0-or-later
"""Plugin for pytest: every case so many times, each with an id of its own. How a run grows with its cases."""

import pytest

_ONCE = "scenario"
"""In the name of cases with addresses and ports of the specification: a device knows these from the first time."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--times", type=int, default=1, help="run every case so many times")


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One more parameter, which the case does not look at. Scenarios of a specification are run once."""
    times = metafunc.config.getoption("--times")
    if times > 1 and _ONCE not in metafunc.function.__name__:
        metafunc.fixturenames.append("repetition")
        metafunc.parametrize("repetition", range(1, times + 1))
