# SPDX-License-Identifier: GPL-2.0-or-later
"""Devices with two links, from profile to certificate: a plain Linux router passes, and each of its deviations fails
in the case that is about it."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from scapy.utils import PcapNgReader

from tests.lab.tree import copy_with, decided, run_in
from tests.reports.page import Page
from tests.testbed.runs import Run, Scenarios, scenarios

OVERLAY = Path(__file__).with_name("overlay")
PROFILE = "tests/router/router.toml"
DEVIATIONS = {
    "corrupts-outward": {"test_packets_pass_unchanged[ipv4-outside]"},
    "keeps-hop-limit": {"test_hop_limit_is_one_less[ipv4-outside]", "test_hop_limit_is_one_less[ipv4-inside]"},
    "forwards-the-last-hop": {
        "test_last_hop_is_not_forwarded[ipv4-outside]",
        "test_last_hop_is_not_forwarded[ipv4-inside]",
    },
    "no-time-exceeded": {
        "test_last_hop_is_told_to_the_sender[ipv4-outside]",
        "test_last_hop_is_told_to_the_sender[ipv4-inside]",
    },
    "time-exceeded-of-the-other-side": {
        "test_last_hop_is_told_to_the_sender[ipv4-outside]",
        "test_last_hop_is_told_to_the_sender[ipv4-inside]",
    },
}


MISSING = {
    "link.outside": '[link.outside] is missing, but ics.router.roles names "router"',
    "ixit.ipv4.inside": '[ixit.ipv4.inside] is missing, but ics.router.roles names "router"',
}


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenarios]:
    root = copy_with(tmp_path_factory.mktemp("router"), OVERLAY, "router")

    def go(folder: Path, *arguments: str) -> Run:
        return run_in(root, "conformance/router", PROFILE, folder, *arguments)

    def deviating(name: str, folder: Path) -> Run:
        return decided(go, folder, "--dut-arg=--deviate", f"--dut-arg={name}", "-k", "not two_routers")

    def without(table: str, folder: Path) -> Run:
        before, _, after = (root / PROFILE).read_text().partition(f"[{table}]")
        profile = folder / "incomplete.toml"
        profile.write_text(before + after.partition("\n\n")[2])
        return run_in(root, "conformance/router", str(profile), folder)

    missing = {f"without {table}": partial(without, table) for table in MISSING}
    known = {"plain": go, **missing, **{name: partial(deviating, name) for name in DEVIATIONS}}
    yield from scenarios(known, request, tmp_path_factory)


def test_a_plain_router_is_certified(runs: Scenarios) -> None:
    done = runs("plain")
    assert done.code == 0, done.output
    assert set(done.verdicts.values()) == {"PASS"}, done.verdicts
    assert len(done.verdicts) == 12
    assert done.results["verdict"] == "conformant"
    assert done.results["dut"]["roles"] == ["router router"]


def test_the_evidence_has_an_interface_for_each_link(runs: Scenarios) -> None:
    done = runs("plain")
    for case in done.results["cases"]:
        links = ["inside", "between 1", "outside"] if "two_routers" in case["node"] else ["inside", "outside"]
        seen = [packet.sniffed_on for packet in PcapNgReader(str(done.folder / case["evidence"]))]
        assert seen == [frame["interface"] for frame in case["frames"]]
        assert set(seen) == ({links[0 if "outside" in case["id"] else -1]} if "told" in case["node"] else set(links))
        times = [frame["time_s"] for frame in case["frames"]]
        assert times == sorted(times)
        assert len({frame["index"] for frame in case["frames"]}) == len(times)
    cases = Page((done.folder / "certificate.html").read_text()).packed().values()
    ends = {end.partition(": 10.1.0.")[0] for case in cases for end in case["ends"]}
    assert {"inside", "outside"} <= ends


@pytest.mark.parametrize("name", DEVIATIONS)
def test_a_deviation_fails_in_its_case_alone(runs: Scenarios, name: str) -> None:
    done = runs(name)
    assert done.code == 1, done.output
    assert {case for case, verdict in done.verdicts.items() if verdict == "FAIL"} == DEVIATIONS[name], done.output
    assert set(done.verdicts.values()) == {"PASS", "FAIL"}, done.verdicts


@pytest.mark.parametrize("table", MISSING)
def test_a_role_with_two_links_needs_the_tables_of_both(runs: Scenarios, table: str) -> None:
    done = runs(f"without {table}")
    assert done.code == 4, done.output
    assert f"incomplete.toml: {MISSING[table]}" in done.output
