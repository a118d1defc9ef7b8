# SPDX-License-Identifier: GPL-2.0-or-later
"""The one device of a real wire after a case that had it alone: as the next case expects to find it."""

from testbed.case.setup import Setup
from testbed.device.upper_tester import UpperTester
from testbed.interruptions import DeviceLost, Inconclusive, NotApplicable
from testbed.run.sanity import check_alive

Socket = tuple[str, int]
"""What the verb `close` calls it: `connection` or `listener`, and the number."""


class FirstState:
    """How the device was found: at its first addresses, with the sockets that it had itself."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._own = self._sockets()
        self._networks = dict(setup.networks) if len(setup.links) == 1 else {}  # only a host moves

    def restore(self) -> None:
        """Bring the device back to it, by the verb `reset` if there is one, and look whether it serves there.

        What does not come back is lost, for every case that follows.
        """
        try:
            if agent := self._setup.dut.agent:
                self._reset(agent)
            self._setup.known.clear()
            check_alive(self._setup)
        except (DeviceLost, Inconclusive, NotApplicable) as trouble:
            self._setup.dut.lose(DeviceLost(f"after a case the device did not come back: {trouble}"))

    def _reset(self, agent: UpperTester) -> None:
        try:
            agent.call("reset")
            self._setup.networks.update(self._networks)
        except NotApplicable:
            self._close_sockets(agent)
            for name, network in self._networks.items():
                if self._setup.networks[name] != network:
                    self._setup.move(name, network.dut)

    def _close_sockets(self, agent: UpperTester) -> None:
        for kind, number in sorted(self._sockets() - self._own):
            try:
                agent.call("close", **{kind: number})
            except (Inconclusive, NotApplicable):
                continue  # it has ended by itself, or stays

    def _sockets(self) -> set[Socket]:
        """Those that the device lists; none where it has no such verb."""
        agent = self._setup.dut.agent
        try:
            listed = agent.call("sockets") if agent else {}
        except NotApplicable:
            return set()
        kinds = (("connections", "connection"), ("listeners", "listener"))
        return {(kind, entry[kind]) for several, kind in kinds for entry in listed.get(several, [])}
