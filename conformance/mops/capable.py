# SPDX-License-Identifier: GPL-2.0-or-later
"""MOBILE_CAPABLE, the TCP option of Appendix C, with the numbers of the profile."""

from scapy.packet import Packet

from layers.mops import MobileCapableOption
from layers.tcp_options import get_option
from testbed.case.case import Case


def mobile_capable(case: Case) -> MobileCapableOption:
    """The option."""
    return MobileCapableOption(**_numbers(case))


def carries_mobile_capable(case: Case, segment: Packet) -> bool:
    """Whether a segment carries the option."""
    return get_option(segment, MobileCapableOption, **_numbers(case)) is not None


def _numbers(case: Case) -> dict[str, int]:
    mops = case.setup.profile.ixit.mops
    return {"kind": mops.mobile_capable_kind, "exid": mops.mobile_capable_exid}
