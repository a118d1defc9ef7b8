# SPDX-License-Identifier: GPL-2.0-or-later
"""Results made by hand, for tests of the reports only. No device was ever asked for these."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

from reports.model import (
    CaseResult,
    Difference,
    Dut,
    Figures,
    Frame,
    RequirementResult,
    Results,
    Suite,
    Tester,
    Verdict,
    aggregate,
    judge,
)

STARTED = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
HOSTILE = (
    "</script><script>alert(1)</script>\"'><img src=http://evil.example/x onerror=alert(1)>\x00\x1b[31m\u202egnp\ud800"
)
QUOTE = "The server validates the TCP sequence number and remaps the socket to the migrated address and port."
SPECIFICATION = "mops-draft-eromenko-ipff-mops-00.txt"


def frame(index: int, time_s: float, direction: str = "to dut", **changes: Any) -> Frame:
    """A Migrate or its answer, with decoded fields and bytes of ordinary length."""
    toward = direction == "to dut"
    values: dict[str, Any] = {
        "index": index,
        "time_s": time_s,
        "direction": direction,
        "source": "525.8.78.3.10:1027" if toward else "8.8.8.8.8:7",
        "destination": "8.8.8.8.8:7" if toward else "525.8.78.3.10:1027",
        "summary": f"ICMPv5 Migrate code={0 if toward else 2} count=1 1024 > 1027 identifier=3735928559",
        "fields": [
            ("Ethernet", "dst", "02:00:00:00:00:02"),
            ("Ethernet", "src", "02:00:00:00:00:01"),
            ("Ethernet", "type", "0x88b5"),
            ("IPFF", "version", "5"),
            ("IPFF", "traffic_class", "0"),
            ("IPFF", "flow_label", "0"),
            ("IPFF", "payload_length", "32"),
            ("IPFF", "hop_limit", "64"),
            ("IPFF", "reserved", "0"),
            ("IPFF", "protocol", "1"),
            ("IPFF", "src", "525.8.78.3.10"),
            ("IPFF", "reserved2", "0"),
            ("IPFF", "dst", "8.8.8.8.8"),
            ("MOPSMigrate", "type", "100"),
            ("MOPSMigrate", "checksum", "0x1c46"),
            ("MOPSMigrate", "version", "1"),
            ("MOPSMigrate", "code", "0" if toward else "2"),
            ("MOPSMigrate", "reserved", "0"),
            ("MOPSMigrate", "protocol", "6"),
            ("MOPSMigrate", "previous_source", "525.8.78.3.9"),
            ("MOPSMigrate", "count", "1"),
            ("MOPSMigrate", "migrated_source", "525.8.78.3.10"),
            ("MOPSMigrate", "entries", "[(1024, 1027, 3735928559)]"),
        ],
        "hex": (bytes(range(14)) + b"\x50\x00\x00\x00\x00\x20\x40\x00" * 3 + b"\x64\x00\x1c\x46\x01\x00" * 6).hex(),
    }
    return Frame(**(values | changes))


def case(name: str, verdict: Verdict, requirements: list[str], **changes: Any) -> CaseResult:
    """A case as a run would record it."""
    function, _, parameters = name.removesuffix("]").partition("[")
    number = zlib.crc32(function.encode()) % 1000
    values: dict[str, Any] = {
        "id": f"{requirements[0] if requirements else 'MOPS-9.9-99'}.{number}[{parameters or 'ipff'}]",
        "node": f"conformance/mops/test_4_1_migrate.py::test_{name}",
        "purpose": f"The server handles {name.replace('_', ' ')}.",
        "behaviour": "valid",
        "requirements": requirements,
        "section": "MOPS 4.1",
        "verdict": verdict,
        "frames": [frame(1, 0.0), frame(2, 0.000061, "from dut")],
        "duration_s": 0.02,
        "rerun": f"python -m pytest 'conformance/mops/test_4_1_migrate.py::test_{name}' --dut profiles/reference.toml",
    }
    return CaseResult(**(values | changes))


def requirement(number: int, strength: str = "M", **changes: Any) -> RequirementResult:
    """A requirement of MOPS 4.1."""
    values: dict[str, Any] = {
        "id": f"MOPS-4.1-{number:02}",
        "section": "4.1",
        "roles": ["server"],
        "strength": strength,
        "statement": f"The device does what number {number} asks.",
        "quote": QUOTE,
        "specification": SPECIFICATION,
    }
    return RequirementResult(**(values | changes))


def results(cases: list[CaseResult], requirements: list[RequirementResult], **changes: Any) -> Results:
    """A complete run over these, judged."""
    answer = judge(cases)
    values: dict[str, Any] = {
        "suite": Suite(name="Roamproof", version="0.1.0"),
        "state": "complete",
        "verdict": answer.verdict,
        "reason": answer.reason,
        "exit_code": int(answer.exit_code),
        "started": STARTED,
        "finished": STARTED + timedelta(seconds=31.4),
        "command": "make certify DUT=profiles/reference.toml",
        "dut": Dut(
            name="Wanderer 9",
            vendor="Example Networks",
            version="2.3.1",
            profile="profiles/wanderer.toml",
            arguments=["--deviate", "no-sequence-check"],
            roles=["server"],
            networks=["ipff", "ipv4"],
            ics={"mops": {"server": True, "unique_id": False}, "roles": ["server"]},
            ixit={"mops": {"rate_limit_s": 5.0, "migrate_seq": "window"}},
        ),
        "tester": Tester(system="Linux 6.1.0 x86_64", python="3.11.2", scapy="2.8.0", cpus=2),
        "figures": Figures(wall_s=31.4, waits_sum_s=412.5, longest_chain_s=18.0, cpu_s=22.7, cases=len(cases)),
        "requirements": aggregate(requirements, cases),
        "cases": cases,
    }
    return Results(**(values | changes))


def every_verdict() -> Results:
    """A deviating device: one requirement at least for every verdict."""
    refused = "MOPSMigrate(code=3, count=1, entries=[(1024, 1027)])"
    accepted = "MOPSMigrate(code=2, count=1, entries=[(1024, 1027)])"
    fail = case(
        "a_sequence_number_outside_the_window[ipff-offset2]",
        Verdict.FAIL,
        ["MOPS-4.1-02", "MOPS-4.1-03"],
        purpose="The server refuses a Migrate whose sequence number lies outside its receive window.",
        behaviour="invalid",
        parameters={"network": "ipff", "offset": "+2147483648"},
        reason="MOPS-4.1-02: the server moved the connection although the sequence number lies 2147483648 bytes past "
        "its window: packet 14 answers success.",
        expected=refused,
        seen=accepted,
        differences=[Difference(field="code", expected="3", seen="2")],
        frames=[
            frame(9, 0.0, summary="TCP 1024 > 7 SYN seq=1000", note="the mobile node connects"),
            frame(10, 0.000084, "from dut", summary="TCP 7 > 1024 SYN ACK seq=55 ack=1001"),
            frame(11, 0.000201, summary="TCP 1024 > 7 ACK seq=1001 ack=56"),
            frame(13, 5.000713, summary="ICMPv5 Migrate code=0 count=1 1024 > 1027 identifier=2147484649"),
            frame(14, 5.000774, "from dut", deciding=True, note="code is 2 (success), must be 3 (failed)"),
        ],
        values={"answer after": "61 us"},
        log="migrate: 525.8.78.3.9:1024 -> 525.8.78.3.10:1027 accepted\n",
        evidence="evidence/outside.pcapng",
        duration_s=5.03,
        waits_s=5.0,
    )
    silent = case(
        "the_old_tuple_is_dead[ipv4]",
        Verdict.FAIL,
        ["MOPS-4.1-04"],
        purpose="After success the server no longer serves the previous address and port.",
        behaviour="inopportune",
        parameters={"network": "ipv4"},
        reason="data sent from the previous tuple must bring a reset; nothing came within 0.5 s",
        expected="a TCP segment with RST from 198.18.0.1:7 within 0.5 s",
        seen="",
    )
    cases = [
        case("success[ipff]", Verdict.PASS, ["MOPS-4.1-01"], parameters={"network": "ipff"}),
        case("success[ipv4]", Verdict.PASS, ["MOPS-4.1-01"], parameters={"network": "ipv4"}),
        fail,
        fail.model_copy(update={"id": fail.id.replace("offset2", "offset3"), "parameters": {"offset": "-1000"}}),
        silent,
        case(
            "retry_interval",
            Verdict.DEVIATION,
            ["MOPS-4.1-05"],
            reason="the repeat came after 1.2 s, the draft says 2 s",
            expected="a repeat 2.0 s after packet 1",
            seen="a repeat 1.2 s after packet 1",
            frames=[frame(1, 0.0, "from dut"), frame(2, 1.2, "from dut", deciding=True)],
        ),
        case("third_party", Verdict.INFO, ["MOPS-4.1-06"], values={"redirects to a third party": "yes"}),
        case("unique_id", Verdict.NOT_APPLICABLE, ["MOPS-4.1-07"], reason="ICS: mops.unique_id = false", frames=[]),
        case("lag", Verdict.INCONCLUSIVE, ["MOPS-4.1-08"], reason="the tester was 80 ms late", attempts=3),
        case("crash", Verdict.ERROR, ["MOPS-4.1-09"], reason="KeyError: 'port'", frames=[]),
        case("left_out", Verdict.NOT_RUN, ["MOPS-4.1-10"], reason="the run was stopped before", frames=[], attempts=0),
    ]
    requirements = [
        requirement(1, ixit=["mops.rate_limit_s"]),
        requirement(
            2,
            reading="Anything outside the receive window is refused.",
            justification="RFC 9293 takes nothing from outside the receive window.",
            ixit=["mops.migrate_seq"],
        ),
        requirement(3, quote="A failed reply lists only the failed entries."),
        requirement(4, quote="Packets from the previous address are answered with a reset."),
        requirement(5, "S", quote="The client repeats the command after 2 seconds."),
        requirement(6, "I", quote="The migrated source may differ from the source of the packet."),
        *(requirement(number) for number in (7, 8, 9, 10)),
        requirement(11, reason="Needs control of the server's clock."),
    ]
    return results(cases, requirements)


def hostile() -> Results:
    """Every text that a device, a profile or an operator could supply is an attack."""
    attack = HOSTILE
    bad = case(
        "hostile[</title>]",
        Verdict.FAIL,
        ["MOPS-4.1-01"],
        purpose=attack,
        parameters={attack: attack},
        reason=attack,
        expected=f"code=3 {attack}",
        seen=f"code=2 {attack}",
        differences=[
            Difference(field="code", expected="3", seen="2"),
            Difference(field=attack, expected=attack, seen=""),
        ],
        values={attack: attack},
        frames=[frame(1, 0.0, summary=attack, source=attack, note=attack, fields=[(attack, attack, attack)])],
        log=attack,
        rerun=attack,
    )
    device = Dut(
        name=attack,
        vendor=attack,
        version=attack,
        profile=attack,
        arguments=[attack],
        roles=[attack],
        networks=[attack],
        ics={attack: attack},
        ixit={attack: [attack]},
    )
    broken = requirement(1, quote=attack, reading=attack, justification=attack, ixit=[attack])
    return results([bad], [broken], dut=device, reason=attack)


def large(cases: int = 400, frames: int = 20) -> Results:
    """A run of ordinary size, nearly everything passed."""
    requirements = [requirement(number) for number in range(1, 101)]
    made = [
        case(
            f"number_{number}[ipff]",
            Verdict.FAIL if number % 80 == 7 else Verdict.PASS,
            [f"MOPS-4.1-{number % 100 + 1:02}"],
            frames=[frame(i, i * 0.05, "from dut" if i % 2 else "to dut") for i in range(frames)],
            evidence=f"evidence/{number}.pcapng",
        )
        for number in range(cases)
    ]
    return results(made, requirements)
