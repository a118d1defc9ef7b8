# SPDX-License-Identifier: GPL-2.0-or-later
"""The manifest of a bundle: an in-toto statement with the SHA-256 of every file and the verdict of every case.

The statement is version 1, its predicate a test result, version 0.1; what that has no place for stands under
`roamproof`. Keys are sorted, so that the same run gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from reports.cases import Kept
from reports.model import Results
from reports.verdicts import RunVerdict, Verdict

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"

_CONFIGURATION = ("profile.toml", "requirements.lock", "environment.json")
_RESULT = {RunVerdict.CONFORMANT: "PASSED"}
_LISTS = {
    "passedTests": (Verdict.PASS, Verdict.INFO),
    "warnedTests": (Verdict.DEVIATION,),
    "failedTests": (Verdict.FAIL,),
}


def manifest(results: Results, cases: list[Kept], digests: Mapping[str, str]) -> bytes:
    """The statement about the files with these digests, `digests` by name in hexadecimal."""
    predicate: dict[str, Any] = {
        "result": _RESULT.get(results.verdict, "FAILED"),
        "configuration": [_resource(name, digests[name]) for name in _CONFIGURATION if name in digests],
        "roamproof": {
            "suite": results.suite.model_dump(mode="json"),
            "device": {
                "name": results.dut.name,
                "vendor": results.dut.vendor,
                "version": results.dut.version,
            },
            "verdict": results.verdict,
            "state": results.state,
            "cases": verdicts(cases),
        },
    }
    for key, wanted in _LISTS.items():
        predicate[key] = sorted(case.id for case in cases if case.verdict in wanted)
    statement = {
        "_type": STATEMENT,
        "subject": [_resource(name, digest) for name, digest in sorted(digests.items())],
        "predicateType": PREDICATE,
        "predicate": predicate,
    }
    return (json.dumps(statement, indent=1, sort_keys=True, ensure_ascii=True) + "\n").encode()


def verdicts(cases: list[Kept]) -> dict[str, str]:
    """The verdict of every case."""
    return {case.id: str(case.verdict) for case in cases}


def read(content: bytes) -> tuple[dict[str, str], dict[str, str]]:
    """The digests by name and the verdicts by case of a manifest. ValueError if it is not one."""
    statement = json.loads(content)
    try:
        if statement["_type"] != STATEMENT or statement["predicateType"] != PREDICATE:
            raise ValueError(f"must be a statement of type {STATEMENT} with a predicate of type {PREDICATE}")
        names = [one["name"] for one in statement["subject"]]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"names {twice} twice")
        digests = {one["name"]: one["digest"]["sha256"] for one in statement["subject"]}
        return digests, dict(statement["predicate"]["roamproof"]["cases"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"{error} is missing or of another kind") from None


def _resource(name: str, digest: str) -> dict[str, Any]:
    return {"name": name, "digest": {"sha256": digest}}
