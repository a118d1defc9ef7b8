# SPDX-License-Identifier: GPL-2.0-or-later
"""Plugin for pytest: every case so many times, each with an id of its own. How a run grows with its cases."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--times", type=int, default=1, help="run every case so many times")


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One more parameter, which the case does not look at."""
    times = metafunc.config.getoption("--times")
    if times > 1:
        metafunc.fixturenames.append("repetition")
        metafunc.parametrize("repetition", range(1, times + 1))
