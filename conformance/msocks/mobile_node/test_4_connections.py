# SPDX-License-Identifier: GPL-2.0-or-later
"""Key ideas, connect modified: connections of the node's applications through the proxy."""

import pytest

from conformance.msocks.dut.mobile_node import TARGET, MobileNode
from conformance.msocks.tester.dialogue import ANONYMOUS, PASSWORD
from conformance.msocks.tester.mobility_proxy import MobilityProxy
from layers.msocks import Socks5Request
from testbed import exclusive, requirement, valid
from testbed.case.case import Case
from testbed.case.verdict import Broken, Finding, require
from testbed.device.upper_tester import OperationFailed
from testbed.interruptions import Inconclusive

TARGETS = [TARGET, ("198.18.0.9", 1), ("203.0.113.255", 65535)]


@exclusive
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: f"{target[0]} {target[1]}")
@valid
@requirement("MSOCKS-4-46", case=1)
def test_connect_goes_through_the_proxy(dut: MobileNode, proxy: MobilityProxy, target: tuple[str, int]) -> None:
    """A connection of an application is a CONNECT to the proxy for its address and port, and data goes both ways."""
    connecting = dut.begin(target)
    call = proxy.take(proxy.syn())
    greeting = proxy.agree(call)
    if greeting is None:
        raise Inconclusive("preamble: no greeting received from the node")
    known = {ANONYMOUS, PASSWORD} & set(greeting.methods)
    require(known, "methods offered", "0 or 2 among them", greeting.methods, dut.frame(call))
    dut.asks_for(call, target)
    link = proxy.succeed(call)
    dut.carries(link, connecting.socket())


@exclusive
@valid
@requirement("MSOCKS-4-47", case=1)
def test_refused_connect_is_told(dut: MobileNode, proxy: MobilityProxy, case: Case) -> None:
    """A CONNECT that the proxy answers by an error is an error to the application."""
    connecting = dut.begin()
    call = proxy.take(proxy.syn())
    proxy.agree(call)
    if call.read(Socks5Request, case.deadline()) is None:
        raise Inconclusive("preamble: no CONNECT received from the node")
    deadline = case.deadline()
    proxy.refuse(call)
    try:
        connecting.socket()
    except OperationFailed:
        return
    raise Broken(Finding("the application's connect", "an error", "success"), deadline)
