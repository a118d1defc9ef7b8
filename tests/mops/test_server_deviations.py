# SPDX-License-Identifier: GPL-2.0-or-later
"""Every deviation of a MOPS server is wrong in its own way and right in all others."""

import pytest

from reference.roles import all_deviations
from tests.lab.host import Lab
from tests.mops.messages import command, migrate
from tests.mops.played_server import PlayedServer
from tests.mops.server_scenarios_messages import SCENARIOS

#: The scenarios that come out otherwise than with the reference as it is.
DIFFERENT = {
    "always-success": (
        "sequence_one_below sequence_far_below sequence_beyond_window sequence_far_beyond "
        "sequence_half_a_number wrong_address wrong_port wrong_protocol half_open closed tuple_in_use "
        "one_migrated_port_twice best_effort_reply atomic_reply"
    ),
    "atomic-ignored": "atomic_reply atomic_success",
    "atomic-without-rollback": "atomic_tuples",
    "best-effort-rolled-back": "one_migrated_port_twice best_effort_tuples",
    "checksum-ignored": "wrong_checksum",
    "checksum-of-old-tuple": "checksum_to_the_new_tuple",
    "closed-migrates": "closed",
    "count-too-large-accepted": "count_2",
    "count-too-small-accepted": "count_1_of_2",
    "count-zero-accepted": "count_0",
    "failed-count-kept": "failed_reply_count",
    "failed-in-reverse": "best_effort_reply atomic_reply",
    "failed-lists-all": "one_migrated_port_twice best_effort_reply atomic_reply",
    "failure-silent": (
        "sequence_one_below sequence_far_below sequence_beyond_window sequence_far_beyond "
        "sequence_half_a_number wrong_address wrong_port wrong_protocol half_open closed tuple_in_use "
        "one_migrated_port_twice best_effort_reply atomic_reply"
    ),
    "first-entry-only": (
        "one_migrated_port_twice several_ports best_effort_reply best_effort_tuples atomic_reply "
        "atomic_tuples atomic_success"
    ),
    "half-open-migrates": "half_open",
    "listens-at-old-tuple": "data_from_the_old_tuple",
    "migrates-once": "moves_again",
    "newcomer-not-kept-apart": "newcomer_at_the_old_tuple",
    "no-rate-limit": (
        "second_inside_the_interval effect_inside_the_interval shortly_before_the_end failed_attempts_count"
    ),
    "no-sequence-check": (
        "sequence_one_below sequence_far_below sequence_beyond_window sequence_far_beyond "
        "sequence_half_a_number best_effort_reply best_effort_tuples atomic_reply atomic_tuples "
        "effect_inside_the_interval after_the_interval discarded_do_not_restart"
    ),
    "ports-swapped": "several_ports best_effort_tuples atomic_success",
    "previous-address-ignored": "wrong_address another_address_inside_the_interval",
    "previous-port-ignored": "wrong_port",
    "protocol-ignored": "wrong_protocol",
    "rate-limit-answered": "second_inside_the_interval shortly_before_the_end failed_attempts_count",
    "rate-limit-by-address": "another_port_inside_the_interval",
    "rate-limit-by-port": "another_address_inside_the_interval",
    "rate-limit-for-ever": "reply_destination after_the_interval discarded_do_not_restart repeat_after_success",
    "rate-limit-not-for-failed": "effect_inside_the_interval shortly_before_the_end failed_attempts_count",
    "rate-limit-restarted": "discarded_do_not_restart",
    "rate-limit-too-short": "shortly_before_the_end discarded_do_not_restart",
    "rate-limit-without-effect": "effect_inside_the_interval",
    "repeat-answered-failed": "repeat_after_success",
    "replies-answered": "code_2",
    "reply-addresses-swapped": "reply_addresses",
    "reply-checksum-wrong": "reply_checksum",
    "reply-reserved-not-zero": "reply_reserved",
    "reply-to-previous-address": "reply_destination",
    "reply-without-identifiers": "reply_identifiers",
    "reserved-not-ignored": "reserved_set",
    "sends-to-old-tuple": "data_to_the_new_tuple",
    "sequence-below-window": "sequence_one_below",
    "sequence-beyond-window": "sequence_beyond_window sequence_far_beyond sequence_half_a_number",
    "sequence-exact": "sequence_data_lost sequence_end_of_window",
    "sequence-low-half": "sequence_half_a_number",
    "success-for-failed-port": "one_migrated_port_twice best_effort_reply atomic_reply",
    "trailing-bytes-accepted": "trailing_byte",
    "truncation-accepted": "cut_short",
    "tuple-in-use-taken": "tuple_in_use one_migrated_port_twice",
    "twice-in-one-message": "one_migrated_port_twice",
    "unknown-code-accepted": "code_4",
    "version-ignored": "version_2",
    "migrates-whole-node": "another_port_inside_the_interval",
    "entries-beyond-count-carried-out": "count_1_of_2",
    "first-data-takes-over": "after_the_interval discarded_do_not_restart",
    "first-data-takes-over-when-limited": "discarded_do_not_restart",
    "limit-for-repeats-alone": "effect_inside_the_interval shortly_before_the_end",
    "limit-not-after-success": "second_inside_the_interval",
    "refused-never-migrates": "after_the_interval discarded_do_not_restart",
    "roll-back-forgets-the-first": "atomic_tuples",
    "roll-back-leaves-new-tuple-alive": "atomic_tuples",
    "sequence-edge-refused": "sequence_end_of_window",
    "sequence-high-half": (
        "sequence_one_below sequence_far_below sequence_beyond_window best_effort_reply best_effort_tuples "
        "atomic_reply atomic_tuples effect_inside_the_interval after_the_interval discarded_do_not_restart"
    ),
}
#: Seen on a wire only.
ON_THE_WIRE = [
    "any-address-will-do",
    "close-wait-stays",
    "earlier-move-carried-out-again",
    "error-about-the-left-tuple-ends-the-connection",
    "exact-sequence-not-kept",
    "fin-to-the-old-tuple",
    "fin-wait-stays",
    "first-data-takes-over-after-wrong-checksum",
    "flood-breaks-connections",
    "full-segments-lost",
    "guesses-wear-down",
    "handshake-asked-again",
    "last-segments-stay",
    "left-address-shunned",
    "limit-ended-by-others",
    "limit-for-each-code",
    "limit-not-for-udp",
    "limited-command-answered-late",
    "long-failed-list-cut",
    "migrates-twice",
    "never-home-again",
    "newcomer-spoils-the-migrated-connection",
    "newcomers-refused-after-migration",
    "one-service-at-a-time",
    "opened-connections-stay",
    "port-twice-both-succeed",
    "port-twice-breaks-connection",
    "recorded-migrate-moves-a-later-connection",
    "refused-moves-later",
    "replies-answered-late",
    "reply-from-another-address",
    "reset-after-success",
    "retransmissions-to-the-old-tuple",
    "rolled-back-never-migrates",
    "selective-acknowledgements-lost",
    "sequence-far-below-accepted",
    "sequence-halves-swapped",
    "sequence-not-modulo",
    "sequence-of-the-other-direction",
    "sequence-zero-refused",
    "shut-window-stays-shut",
    "sixteen-entries-at-most",
    "soft-error-ends-the-connection",
    "success-retracted",
    "nat-acknowledgement-sent",
    "success-said-twice",
    "syn-ends-the-migrated-connection",
    "time-wait-forgotten",
    "time-wait-short",
    "timestamps-jump-back",
    "trailing-bytes-break-the-connection",
    "udp-first-entry-only",
    "udp-heard-at-the-old-tuple",
    "udp-migrates-once",
    "udp-previous-port-ignored",
    "udp-reply-says-tcp",
    "udp-unique-id-low-half",
    "unique-id-spent-by-failure",
    "unique-id-spent-by-roll-back",
    "wrong-checksum-answered-late",
]

ON_A_WIRE_ALL = ("second_", "later_replies", "lost_windows", "packets", "places", "tracking")
#: Modules of what shows on a wire only, all of it: at a second move, after a while, in UDP, windows, packets, openings.


@pytest.fixture(scope="module")
def right() -> dict[str, object]:
    return {name: play(PlayedServer()) for name, play in SCENARIOS.items()}


def test_the_table_is_complete() -> None:
    names = [
        one.name
        for one in all_deviations().values()
        if one.protocol == "mops"
        and not one.part.__module__.rpartition(".")[2].startswith(
            ("node_", "choices", "ipff", "anycast_server", "router_", "firewall", *ON_A_WIRE_ALL)
        )
    ]
    assert sorted([*DIFFERENT, *ON_THE_WIRE]) == names


@pytest.mark.parametrize("name", sorted(DIFFERENT))
def test_a_deviation_is_wrong_in_its_own_way_only(name: str, right: dict[str, object]) -> None:
    part = all_deviations()[name].part
    different = [name for name, play in SCENARIOS.items() if play(PlayedServer(part)) != right[name]]
    assert different == DIFFERENT[name].split()


def test_a_deviating_host_deviates_on_the_wire(network: str) -> None:
    with Lab("--deviate", "no-sequence-check") as lab:
        assert lab.call("status")["alteration"] == "no-sequence-check"
        peer, new = lab.peer(network).connect(), lab.address(network)
        answer = command(lab.wire, network, new, migrate(peer.address, new, [(1027, 2098, 12345)]))
        assert answer is not None
        assert answer.code == 2
        peer.address, peer.port = new, 2098
        assert peer.echo(b"stolen")


@pytest.mark.parametrize("name", ["sends-to-old-tuple", "listens-at-old-tuple", "newcomer-not-kept-apart"])
def test_deviating_bindings_do_not_break_the_host(name: str, network: str) -> None:
    with Lab("--deviate", name) as lab:
        peer, new = lab.peer(network).connect(), lab.address(network)
        old = lab.peer(network, peer.address)
        old.nxt, old.rcv_nxt = peer.nxt, peer.rcv_nxt
        answer = command(lab.wire, network, new, migrate(peer.address, new, [(1027, 2098, peer.nxt)]))
        assert answer is not None
        assert answer.code == 2
        peer.address, peer.port = new, 2098
        if name == "sends-to-old-tuple":
            peer.send(b"moved")
            assert old.receive(5) == b"moved"
        elif name == "listens-at-old-tuple":
            old.send(b"stale")
            assert peer.receive(5) == b"stale"
        else:
            newcomer = lab.peer(network, old.address)
            newcomer.segment(2)
            assert newcomer.hears(timeout=0.1) is None
            assert peer.echo(b"moved")
