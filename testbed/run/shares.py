# SPDX-License-Identifier: GPL-2.0-or-later
"""Which process runs which cases: each gets its part of them at once, so that it can start them all ahead."""

import zlib
from typing import Any

import pytest


def share(nodeid: str, count: int) -> str:
    """The part, of `count` parts, that a case belongs to: the same in every process and in every run."""
    return str(zlib.crc32(nodeid.encode()) % count)


def whole_shares(config: pytest.Config, log: Any) -> Any:
    """A scheduler for xdist whose work units are whole parts; its cost is linear in the cases, that of xdist's is not.

    A work unit holds the cases that are not done yet; in xdist it holds all, and is counted after each of them.
    """
    from xdist.scheduler import LoadScopeScheduling

    class WholeShares(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            return share(nodeid, self.numnodes)

        def _assign_work_unit(self, node: Any) -> None:
            scope, unit = self.workqueue.popitem(last=False)
            self.assigned_work.setdefault(node, {})[scope] = unit
            places = {nodeid: place for place, nodeid in enumerate(self.registered_collections[node])}
            node.send_runtest_some([places[nodeid] for nodeid in unit])

        def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
            nodeid = self.registered_collections[node][item_index]
            self.assigned_work[node][self._split_scope(nodeid)].pop(nodeid, None)
            self._reschedule(node)

        def _pending_of(self, workload: dict[str, dict[str, bool]]) -> int:
            return sum(map(len, workload.values()))

        def _reschedule(self, node: Any) -> None:
            # xdist forgets that the replacement of another worker may not have collected yet.
            if node in self.registered_collections:
                super()._reschedule(node)

    return WholeShares(config, log)
