# SPDX-License-Identifier: GPL-2.0-or-later
"""What the suite is, and what of it a whole run would take: cases and roles of all that the profile claims."""

import tomllib
from collections.abc import Sequence
from pathlib import Path

from profiles import ROLES, Profile, load
from testbed.run.origin import commit

ROOT = Path(__file__).parents[1]
OWN = ("conformance", "testbed", "layers", "reports", "reference", "conftest.py", "pyproject.toml")
"""What of the tree makes verdicts, and is not the user's."""


def no_role(profile: Profile) -> str:
    """What is said of a profile that claims nothing."""
    allowed = ", ".join(dict.fromkeys(f"ics.{role.protocol}.roles" for role in ROLES))
    return f"{profile.path}: ics names no role, so there is nothing to judge; allowed are {allowed}"


def suite() -> dict[str, str]:
    """Name, version and commit of the suite."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {"name": project["name"].capitalize(), "version": project["version"], "commit": commit(ROOT, OWN)}


def case_folders(profile: Profile) -> set[Path]:
    """Where all cases of the claimed roles are."""
    known = {(role.protocol, role.name): role for role in ROLES}
    judges = {known[role.protocol, name] for role in profile.claimed for name in role.judged_by}
    return {Path(__file__).parent / role.protocol / role.folder for role in judges}


def roles_left_out(profile: Profile, chosen: Sequence[str]) -> list[str]:
    """The roles that the file of the profile claims and this one does not, where some were chosen."""
    if not chosen:
        return []
    return [role.qualified for role in load(profile.path).claimed if role not in profile.claimed]
