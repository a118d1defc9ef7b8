# SPDX-License-Identifier: GPL-2.0-or-later
"""Which parts of the catalogue have all their cases: there, a must or should without one is an error."""

from typing import NamedTuple

from conformance.catalogue.model import Requirement


class Complete(NamedTuple):
    """A section for one role, of which every must and should has a case or a reason.

    Requirements that depend on an IXIT key of `without` are not meant: their cases are still to be written.
    """

    protocol: str
    role: str
    section: str
    without: frozenset[str] = frozenset()

    def covers(self, requirement: Requirement) -> bool:
        """Whether the requirement belongs to what is declared complete."""
        return (
            requirement.protocol == self.protocol
            and self.role in requirement.roles
            and requirement.section == self.section
            and not self.without & set(requirement.ixit)
        )


COMPLETE: tuple[Complete, ...] = (
    *(Complete("MOPS", "server", section) for section in ("2.1", "3", "4.1", "4.2", "4.3", "7", "8", "A", "B", "C")),
    *(
        Complete("MOPS", "mobile node", section)
        for section in ("2.1", "3", "4.1", "4.2", "4.3", "7", "8", "A", "B", "C")
    ),
    *(Complete("REHASH", "host", section) for section in ("1", "3", "4", "5", "6.1", "6.2", "7", "8")),
    *(Complete("LEGACY", "legacy host", section) for section in ("9293.3.1", "1122.3.2.2", "1122.3.2.2.1")),
)
