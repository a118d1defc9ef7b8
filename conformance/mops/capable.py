# SPDX-License-Identifier: GPL-2.0-or-later
"""The option MOBILE_CAPABLE (Appendix C) with the numbers of the profile."""

from typing import Any

from layers.mops import MobileCapableOption
from layers.tcp_options import get_option
from testbed.case.case import Case


def mobile_capable(case: Case) -> MobileCapableOption:
    """The option with the numbers of the profile."""
    mops = case.setup.profile.ixit.mops
    return MobileCapableOption(kind=mops.mobile_capable_kind, exid=mops.mobile_capable_exid)


def carries(case: Case, segment: Any) -> bool:
    """Whether a segment carries the option."""
    mops = case.setup.profile.ixit.mops
    numbers = {"kind": mops.mobile_capable_kind, "exid": mops.mobile_capable_exid}
    return get_option(segment, MobileCapableOption, **numbers) is not None
