# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole runs: verdicts in pytest's words, exit codes, what lies in the report folder, devices that go wrong."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from profiles import load
from testbed.wire.network import networks
from testbed.wire.notation import describe_dissected
from testbed.wire.quick import quick_words
from tests.testbed.lab import puppet_profile
from tests.testbed.runs import SHORT, UNBROKEN, Run, Scenarios, made_up, run, scenarios

PASSES = """
    @valid
    @requirement(MUST, case=1)
    def test_passes(case):
        exchange(case, connect(case, new_peer(case, case.station())), b"hello")
"""
FAILS = """
    @valid
    @requirement(MUST, case=2)
    def test_fails(case):
        \"\"\"The device does the impossible.\"\"\"
        peer = connect(case, new_peer(case, case.station()))
        raise Broken(Finding("it does not", "the impossible", "the possible"), case.trace.frames[-1])
"""
DEVIATES = """
    @invalid
    @requirement(SHOULD, case=3)
    def test_deviates(case):
        raise Broken(Finding("it should", "this", "that"), Witness.APPLICATION)
""".replace("@invalid", "@inopportune")
INFORMS = """
    @valid
    @requirement(INFORMATION, case=4)
    def test_informs(case):
        case.values["answer"] = "42"
"""
ERRS = """
    @valid
    @requirement(MUST, case=5)
    def test_errs(case):
        {}["key"]
"""
SKIPS = """
    @valid
    @requirement(MUST, case=6)
    def test_skips(case):
        pytest.skip("a case has no use for this")
"""
ASKS_TOO_MUCH = """
    @valid
    @requirement(MUST, case=7)
    def test_asks_too_much(case, tmp_path_factory):
        pass
"""
DISTURBED = """
    @valid
    @requirement(MUST, case=8)
    def test_disturbed(case):
        raise Inconclusive("by the test")
"""
MOVES = """
    @exclusive
    @valid
    @requirement(MUST, case=10)
    def test_moves(case):
        MobileHost(case).move()
"""
MANY = """
    @pytest.mark.parametrize("number", range(20))
    @valid
    @requirement(MUST, case=9)
    def test_many(case, number):
        exchange(case, connect(case, new_peer(case, case.station())), b"hello")
        case.wait_until(case.clock.now_ns() + NANO // 5)
        if number % 7 == 3:
            raise Broken(Finding("every seventh"), Witness.APPLICATION)
"""


def _puppet(
    folder: Path,
    *bodies: str,
    be: tuple[str, ...] = (),
    options: tuple[str, ...] = ("-n", "0"),
    changes: Iterable[tuple[str, str]] = (),
) -> Run:
    profile = puppet_profile(folder, *be, changes=changes)
    return run(made_up(folder, *bodies), profile, folder, "-k", "ipv4", *options)


def _reports(folder: Path) -> Run:
    reports = (f"--alluredir={folder / 'allure'}", f"--junitxml={folder / 'junit.xml'}")
    return _puppet(folder, PASSES, DEVIATES, INFORMS, be=("--be", "verbose"), options=("-n", "2", "-v", *reports))


def _deviating(folder: Path) -> Run:
    arguments = ("--dut-arg=--deviate", "--dut-arg=reply-checksum-wrong", "-n", "0", "-k", "checksum and ipff")
    return run("conformance/mops/server/test_4_1_reply.py", SHORT, folder, *arguments)


def _expected(verdict: str, requirement: str = "MOPS-4.1-01") -> tuple[str, str]:
    table = f'[[expected]]\nrequirement = "{requirement}"\nverdict = "{verdict}"\nreason = "it is a puppet"\n'
    return "[link]", f"{table}\n[link]"


RUNS = {
    "eight processes": lambda folder: _puppet(folder, MANY, options=("-n", "8")),
    "deaf": lambda folder: _puppet(folder, PASSES, MANY, be=("--be", "deaf")),
    "two processes": lambda folder: _puppet(folder, MANY, options=("-n", "2")),
    "one process": lambda folder: _puppet(folder, MANY),
    "reports": _reports,
    "every verdict": lambda folder: _puppet(folder, PASSES, FAILS, ERRS, DISTURBED, DEVIATES),
    "strict": lambda folder: _puppet(folder, PASSES, DEVIATES, options=("-n", "0", "--strict-verdict")),
    "errors": lambda folder: _puppet(folder, PASSES, ERRS, SKIPS, ASKS_TOO_MUCH, DISTURBED),
    "disturbed": lambda folder: _puppet(folder, PASSES, DISTURBED),
    "deviating": _deviating,
    "stops at the first": lambda folder: _puppet(folder, FAILS, MANY, options=("-n", "0", "-x")),
    "stops at the first of two": lambda folder: _puppet(folder, FAILS, MANY, options=("-n", "2", "-x")),
    "dead": lambda folder: _puppet(folder, PASSES, be=("--be", "dead")),
    "silent": lambda folder: _puppet(
        folder, PASSES, be=("--be", "silent"), changes=[("ready_timeout_s = 5.0", "ready_timeout_s = 0.5")]
    ),
    "garbage": lambda folder: _puppet(folder, PASSES, be=("--be", "garbage")),
    "mortal": lambda folder: _puppet(folder, MANY, be=("--be", "mortal", "--lives-for", "9")),
    "mortal in two processes": lambda folder: _puppet(
        folder, MANY, be=("--be", "mortal", "--lives-for", "9"), options=("-n", "2")
    ),
    "stuck": lambda folder: _puppet(
        folder,
        PASSES,
        MOVES,
        be=("--be", "stuck"),
        changes=[('198.19.1.254"', '198.19.1.254"\nmoves_to = ["198.18.0.2"]')],
    ),
    "as expected": lambda folder: _puppet(folder, PASSES.replace("MUST", "SHOULD"), FAILS, changes=[_expected("FAIL")]),
    "expected in vain": lambda folder: _puppet(folder, PASSES, changes=[_expected("FAIL")]),
    "expected of nobody": lambda folder: _puppet(folder, PASSES, changes=[_expected("FAIL", "MOPS-9.9-99")]),
    "same number": lambda folder: _puppet(folder, PASSES, PASSES.replace("_passes", "_again"), options=("-n", "2")),
    "no program": lambda folder: _puppet(folder, PASSES, changes=[('command = ["', 'command = ["/nowhere')]),
    "nothing": lambda folder: _puppet(folder, PASSES, options=("-n", "0", "-k", "no_such_case")),
    "no profile": lambda folder: run(made_up(folder, PASSES), folder / "none.toml", folder),
}


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenarios]:
    yield from scenarios(RUNS, request, tmp_path_factory)


def test_conformant_run_leaves_certificate_junit_allure_and_evidence(runs: Scenarios) -> None:
    done = runs("reports")
    assert done.code in UNBROKEN, done.output
    assert {name.partition("[")[0]: verdict for name, verdict in done.verdicts.items()} == {
        "test_passes": "PASS",
        "test_deviates": "DEVIATION",
        "test_informs": "INFO",
    }
    for word in ("PASS", "DEVIATION", "INFO"):
        assert f" {word} " in done.output
    folder = done.folder
    assert done.results["state"] == "complete"
    assert "<html" in (folder / "certificate.html").read_text()
    for path in (folder / "junit.xml", folder.parent / "junit.xml"):
        assert len(list(ElementTree.parse(path).iter("testcase"))) == 3
    assert len(list((folder.parent / "allure").glob("*-result.json"))) == 3
    assert len(list((folder / "evidence").iterdir())) == 3
    assert done.results["dut"]["version"] == "7"
    assert done.results["figures"]["cpu_s"] > 0.5


def test_fail_comes_first(runs: Scenarios) -> None:
    done = runs("every verdict")
    assert done.code == 1, done.output
    assert sorted(done.verdicts.values()) == ["DEVIATION", "ERROR", "FAIL", "INCONCLUSIVE", "PASS"]
    for words in ("expected  the impossible", "seen      the possible", "rerun", "evidence  "):
        assert words in done.output
    assert "MOPS-4.1-01: “" in done.output


def test_strict_verdict_makes_a_deviation_not_conformant(runs: Scenarios) -> None:
    assert runs("strict").code == 1


def test_a_deviation_of_the_reference_is_not_conformant(runs: Scenarios) -> None:
    done = runs("deviating")
    assert done.code == 1, done.output
    assert done.results["verdict"] == "not conformant"
    assert done.results["dut"]["arguments"] == ["--deviate", "reply-checksum-wrong"]


def test_our_own_faults_are_errors_and_never_missing(runs: Scenarios) -> None:
    done = runs("errors")
    assert done.code == 7, done.output
    expected = {"test_passes": "PASS", "test_disturbed": "INCONCLUSIVE"}
    expected |= dict.fromkeys(("test_errs", "test_skips", "test_asks_too_much"), "ERROR")
    assert {name.partition("[")[0]: verdict for name, verdict in done.verdicts.items()} == expected


def test_inconclusive_is_repeated_and_has_its_own_code(runs: Scenarios) -> None:
    done = runs("disturbed")
    assert done.code == 6, done.output
    assert [case["attempts"] for case in done.results["cases"] if case["verdict"] == "INCONCLUSIVE"] == [3]


@pytest.mark.parametrize(("name", "code"), [("as expected", 9), ("expected in vain", 1)])
def test_what_the_profile_expects_has_an_exit_code_of_its_own(runs: Scenarios, name: str, code: int) -> None:
    done = runs(name)
    assert done.code == code, done.output
    assert done.results["exit_code"] == code
    assert done.results["expected"][0]["reason"] == "it is a puppet"


def test_only_what_the_catalogue_has_can_be_expected(runs: Scenarios) -> None:
    done = runs("expected of nobody")
    assert done.code == 4
    assert "expected.requirement: MOPS-9.9-99; allowed are ids of the catalogue" in done.output


def test_a_case_that_is_wrong_is_one_line_though_processes_of_the_run_find_it(runs: Scenarios) -> None:
    done = runs("same number")
    assert done.code == 4
    assert "allowed is another number" in done.output
    assert "INTERNALERROR" not in done.output


def test_nothing_selected(runs: Scenarios) -> None:
    assert runs("nothing").code == 5


def test_missing_profile_is_wrong_usage(runs: Scenarios) -> None:
    done = runs("no profile")
    assert done.code == 4
    assert "none.toml: No such file or directory; allowed is a readable TOML file" in done.output
    assert not any(done.folder.iterdir())


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("dead", "the device ended with exit code 3 before it was ready cannot live"),
        ("silent", "no ready line within 0.5 s"),
        ("garbage", "not: Welcome to the device!"),
        ("no program", "No such file or directory"),
        ("deaf", "no echo service at 198.18.0.1 over ipv4"),
        ("stuck", "puppet.toml: the device does not move over ipv4: upper tester: move: the address is nailed down"),
        ("mortal", "the device ended with exit code 3 the end is near"),
        ("mortal in two processes", "the device ended with exit code 3 the end is near"),
    ],
)
def test_a_device_that_is_lost_stops_the_run_and_is_named(runs: Scenarios, name: str, reason: str) -> None:
    done = runs(name)
    results = done.results
    lost_after_a_fail = "FAIL" in done.verdicts.values()
    assert done.code == (1 if lost_after_a_fail else 8), done.output
    assert set(done.verdicts.values()) <= {"PASS", "FAIL", "NOT RUN"}
    assert "NOT RUN" in done.verdicts.values()
    assert len(done.verdicts) == {"deaf": 21, "mortal": 20, "mortal in two processes": 20, "stuck": 2}.get(name, 1)
    reasons = {case["reason"] for case in results["cases"] if case["verdict"] == "NOT RUN"}
    assert all(reason in " ".join(one.split()) for one in reasons)
    if not lost_after_a_fail:
        assert reason in results["reason"]
        assert reason in " ".join(done.output.split())
    assert done.output.count("Traceback") == 0


@pytest.mark.parametrize("name", ["stops at the first", "stops at the first of two"])
def test_after_the_first_failure_the_others_are_reported_as_not_run(runs: Scenarios, name: str) -> None:
    done = runs(name)
    assert done.code == 1, done.output
    assert len(done.verdicts) == 21
    assert "NOT RUN" in done.verdicts.values()


@pytest.mark.parametrize("name", ["two processes", "eight processes"])
def test_same_verdicts_at_any_number_of_processes(runs: Scenarios, name: str) -> None:
    alone, together = runs("one process"), runs(name)
    assert alone.code == together.code == 1, together.output
    assert len(alone.verdicts) == 20
    assert alone.verdicts == together.verdicts


def test_every_frame_of_a_run_is_put_in_the_words_of_the_layers(runs: Scenarios) -> None:
    profile, quick = load(SHORT), 0
    for case in runs("deviating").results["cases"]:
        network = networks(profile, [case["parameters"]["network"]], "link")[case["parameters"]["network"]]
        for frame in case["frames"]:
            data = bytes.fromhex(frame["hex"])
            words = frame["source"], frame["destination"], frame["summary"]
            assert words == describe_dissected(network.dissect(data))
            assert quick_words(network, data) in (words, None)
            quick += quick_words(network, data) is not None
    assert quick > 10
