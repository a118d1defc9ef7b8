# SPDX-License-Identifier: GPL-2.0-or-later
"""Every deviation of a mobile node, of Unique IDs and of MOBILE_CAPABLE is wrong in its own way."""

from collections.abc import Iterator

import pytest

from reference.roles import all_deviations
from tests.lab.host import Lab
from tests.mops.conftest import RETRY_INTERVAL_S
from tests.mops.messages import elsewhere, server_address
from tests.mops.node_scenarios_learning import SCENARIOS
from tests.mops.played_node import PlayedNode
from tests.mops.servers import Server, Surroundings

#: The scenarios that come out otherwise than is right; three dots stand for more of them.
DIFFERENT = {
    "anycast-acknowledgement-ignored": "anycast anycast_from_unicast anycast_reserved anycast_goes_on_at_unicast",
    "anycast-at-once": "anycast_before_a_move",
    "anycast-checksum-ignored": "anycast_with_a_wrong_checksum",
    "anycast-data-stays": "anycast_goes_on_at_unicast",
    "anycast-for-all-connections": "anycast anycast_from_unicast anycast_reserved",
    "anycast-form-ignored": "anycast_of_version_2 anycast_of_code_1 anycast_too_long",
    "anycast-ports-ignored": "anycast_of_another_source_port anycast_of_another_service",
    "mobile-capable-missing-on-ack": "capable_on_both_sides",
    "mobile-capable-missing-on-syn": "capable_on_both_sides capable_without_an_answer",
    "mobile-capable-missing-on-syn-ack": "capable_asked",
    "mobile-capable-unasked": "capable_unasked",
    "nat-acknowledgement-ignored": (
        "nat_of_one_level nat_of_two_levels nat_in_reverse nat_with_reserved_bits nat_chained_to_nothing "
        "nat_of_two_sockets nat_of_the_new_network"
    ),
    "nat-address-untranslated": (
        "nat_of_one_level nat_of_two_levels nat_in_reverse nat_with_reserved_bits nat_chained_to_nothing "
        "nat_of_two_sockets nat_of_the_new_network"
    ),
    "nat-chain-ignored": "nat_chained_to_nothing nat_of_level_2_alone",
    "nat-checksum-ignored": "nat_with_a_wrong_checksum",
    "nat-first-entry-only": "nat_of_two_sockets",
    "nat-form-ignored": "nat_of_version_2 nat_of_code_1 nat_with_count_0 nat_with_count_2",
    "nat-innermost-level": "nat_of_two_levels nat_in_reverse",
    "nat-level-0-accepted": "nat_of_level_0",
    "nat-not-forgotten": "nat_left_behind",
    "nat-port-untranslated": (
        "nat_of_one_level nat_of_two_levels nat_in_reverse nat_with_reserved_bits nat_chained_to_nothing "
        "nat_of_two_sockets nat_of_the_new_network"
    ),
    "nat-protocol-ignored": "nat_of_another_protocol",
    "nat-unknown-original-accepted": "nat_of_unknown_port nat_of_unknown_address",
    "node-all-die-on-partial-failure": "failed_in_part",
    "node-checksum-wrong": "form_of_a_request",
    "node-contrary-reply-believed": "contrary_second_reply",
    "node-data-from-old-address": "success",
    "node-dead-goes-on": "nobody_answers silence_after_death reply_after_death",
    "node-dies-without-error": "failed failed_in_part nobody_answers",
    "node-failed-ignored": "failed",
    "node-failed-ports-go-on": "failed failed_in_part moves_on_after_a_lost_answer",
    "node-foreign-sockets-listed": "several_servers anycast anycast_from_unicast anycast_reserved",
    "node-four-repeats": "nobody_answers reply_after_death moves_on_before_an_answer",
    "node-message-to-wrong-server": (
        "moves data_not_acknowledged data_acknowledged several_servers tcp_with_a_unique_id one_time_unique_id ..."
    ),
    "node-migrated-address-old": (
        "moves data_not_acknowledged data_acknowledged tcp_with_a_unique_id moves_again "
        "moves_on_before_an_answer moves_on_after_a_lost_answer"
    ),
    "node-migrated-port-in-use": "migrated_ports_differ",
    "node-mobile-allowed-ignored": "tcp_that_is_not_allowed returns_to_what_stayed_behind",
    "node-moves-once": (
        "one_time_unique_id moves_again moves_back nat_left_behind nat_of_the_new_network anycast_goes_on_at_unicast"
    ),
    "node-names-first-tuple": (
        "moves_again moves_on_after_a_lost_answer nat_left_behind nat_of_the_new_network anycast_goes_on_at_unicast"
    ),
    "node-never-gives-up": "nobody_answers",
    "node-never-repeats": "nobody_answers silence_after_death reply_after_death moves_on_before_an_answer",
    "node-one-server-only": "several_servers anycast anycast_from_unicast anycast_reserved",
    "node-one-socket-only": (
        "several_servers migrated_ports_differ failed_in_part reply_with_an_entry_missing "
        "reply_with_a_wrong_count nat_of_two_sockets ..."
    ),
    "node-previous-address-new": (
        "moves data_not_acknowledged data_acknowledged tcp_with_a_unique_id "
        "reply_with_another_previous_address moves_again ..."
    ),
    "node-previous-port-wrong": (
        "moves data_not_acknowledged data_acknowledged several_servers one_port_towards_two_services "
        "migrated_ports_differ ..."
    ),
    "node-protocols-mixed": "udp_with_a_unique_id",
    "node-repeats-differ": "nobody_answers moves_on_before_an_answer",
    "node-repeats-for-ever": "nobody_answers silence_after_death reply_after_death moves_on_before_an_answer",
    "node-repeats-from-before": "moves_on_before_an_answer",
    "node-repeats-too-fast": "nobody_answers silence_after_death reply_after_death",
    "node-repeats-too-slow": "nobody_answers silence_after_death reply_after_death",
    "node-replies-answered": (
        "reply_of_another reply_of_another_protocol reply_with_another_previous_address "
        "reply_with_another_migrated_address reply_with_another_previous_port "
        "reply_with_another_migrated_port ..."
    ),
    "node-reply-addresses-ignored": "reply_with_another_previous_address reply_with_another_migrated_address",
    "node-reply-checksum-ignored": "reply_with_a_wrong_checksum",
    "node-reply-entries-ignored": (
        "reply_with_another_previous_port reply_with_another_migrated_port reply_with_another_identifier "
        "reply_with_an_entry_missing reply_cut_short"
    ),
    "node-reply-identifiers-ignored": "reply_with_another_identifier",
    "node-reply-length-ignored": "reply_with_a_wrong_count",
    "node-reply-protocol-ignored": "reply_of_another_protocol",
    "node-reply-reserved-not-ignored": "reply_with_reserved_bits",
    "node-reply-source-ignored": "reply_of_another",
    "node-reply-version-ignored": "reply_of_version_2",
    "node-reserved-not-zero": "form_of_a_request",
    "node-sequence-ahead": (
        "moves data_not_acknowledged data_acknowledged udp_with_a_unique_id moves_again "
        "moves_on_before_an_answer moves_on_after_a_lost_answer"
    ),
    "node-sequence-behind": (
        "moves data_not_acknowledged data_acknowledged udp_with_a_unique_id moves_again "
        "moves_on_before_an_answer moves_on_after_a_lost_answer"
    ),
    "node-sequence-unacknowledged": "data_not_acknowledged",
    "node-source-address-old": (
        "moves data_not_acknowledged data_acknowledged tcp_with_a_unique_id moves_again "
        "moves_on_before_an_answer moves_on_after_a_lost_answer"
    ),
    "node-speaks-before-success": (
        "success reply_of_another reply_of_another_protocol reply_with_another_previous_address "
        "reply_with_another_migrated_address reply_with_another_previous_port ..."
    ),
    "node-success-ignored": "success_ends_the_repeats",
    "node-udp-without-unique-id": "udp_without_a_unique_id",
    "node-unique-id-not-sent": "tcp_with_a_unique_id one_time_unique_id",
    "one-time-id-kept": "one_time_unique_id server_one_time_id_again",
    "server-mobile-allowed-ignored": "server_tcp_not_allowed server_udp_without_a_choice",
    "tcp-not-mobile-by-default": (
        "moves form_of_a_request data_not_acknowledged data_acknowledged several_servers "
        "one_port_towards_two_services ..."
    ),
    "udp-mobile-by-default": "udp_without_a_choice server_udp_without_a_choice",
    "udp-without-unique-id-remapped": "server_udp_without_a_unique_id",
    "unique-id-0-wildcard": "server_0_for_a_unique_id",
    "unique-id-low-half": "server_other_high_half",
    "unique-id-not-required": "server_sequence_number_for_a_unique_id",
    "unique-id-ones-wildcard": "server_ones_for_a_unique_id",
    "node-answers-nat-acknowledgement": (
        "nat_of_one_level nat_of_two_levels nat_in_reverse nat_with_reserved_bits nat_of_unknown_address "
        "nat_chained_to_nothing nat_of_level_2_alone nat_of_another_protocol nat_of_level_0 "
        "nat_with_a_wrong_checksum nat_of_version_2 nat_of_code_1 nat_with_count_0 nat_with_count_2 "
        "nat_of_two_sockets nat_left_behind"
    ),
    "node-late-reply-revives": "reply_after_death",
    "node-protocol-wrong": (
        "moves data_not_acknowledged data_acknowledged udp_with_a_unique_id tcp_with_a_unique_id "
        "reply_of_another_protocol moves_again moves_on_before_an_answer moves_on_after_a_lost_answer"
    ),
    "udp-unique-id-refused": "server_udp",
    "node-migrated-port-not-taken": (
        "moves data_not_acknowledged data_acknowledged one_port_towards_two_services udp_with_a_unique_id "
        "tcp_with_a_unique_id moves_again moves_on_before_an_answer moves_on_after_a_lost_answer"
    ),
    "node-one-time-id-kept": "one_time_unique_id",
    "anycast-once": "anycast_goes_on_at_unicast",
    "nat-deaf-after-a-move": "nat_of_the_new_network",
    "nat-deaf-while-asking": "nat_of_the_new_network",
    "nat-forgotten-with-success": "nat_of_the_new_network",
    "nat-gap-jumped": "nat_chained_to_nothing nat_of_two_sockets",
    "nat-last-level-counts": "nat_in_reverse",
    "nat-one-socket": "nat_in_reverse",
    "node-asks-again-later": "success_ends_the_repeats",
    "node-dies-later": "success_ends_the_repeats",
    "node-gives-up-with-the-last-repeat": "nobody_answers silence_after_death reply_after_death",
    "node-half-open-listed": "handshake_without_an_answer",
    "node-immobile-goes-along": "tcp_that_is_not_allowed returns_to_what_stayed_behind",
    "node-atomic-failure-partial": "moves data_not_acknowledged data_acknowledged tcp_with_a_unique_id moves_again ...",
    "node-repeats-count-up": (
        "nobody_answers reply_with_another_identifier failed_with_another_identifier moves_on_before_an_answer"
    ),
    "node-home-without-migrate": "moves_back",
    "node-one-message-a-server": ("several_servers one_port_towards_two_services udp_with_a_unique_id ..."),
    "node-one-repeat": "nobody_answers silence_after_death reply_after_death moves_on_before_an_answer",
    "node-refusal-ends-others": "moves_on_after_a_lost_answer",
    "node-refusal-shuns-server": "moves_on_after_a_lost_answer",
}
#: Seen on a wire only.
ON_THE_WIRE = [
    "anycast-one-home",
    "anycast-second-unlearns",
    "choice-refused",
    "nat-254-levels",
    "nat-changed-mapping-unlearnt",
    "nat-eight-levels",
    "nat-first-pair-decides",
    "nat-level-signed",
    "node-answers-anycast-acknowledgement",
    "node-choice-outlives-socket",
    "node-close-lost",
    "node-close-not-counted",
    "node-closed-listed",
    "node-count-too-large",
    "node-first-failed-port-only",
    "node-five-moves",
    "node-half-closed-left",
    "node-hop-limit-1",
    "node-icmp-error-ends-all-asking",
    "node-late-success-believed",
    "node-late-success-hangs",
    "node-long-message-checksum",
    "node-migrates-when-reset",
    "node-number-of-31-bits",
    "node-number-of-the-first-move",
    "node-old-address-answered",
    "node-one-accepted-a-port",
    "node-one-identifier-a-message",
    "node-partial-failure-rolls-names-back",
    "node-refuses-clients-after-a-move",
    "node-repeats-to-first-server",
    "node-resets-later",
    "node-resets-what-moves",
    "node-retransmits-early",
    "node-sack-lost",
    "node-second-guess-with-the-first-port",
    "node-second-move-one-server",
    "node-silence-ends-all",
    "node-silence-shuns-server",
    "node-sixteen-sockets",
    "node-soft-error-ends-connection",
    "node-success-ends-all-repeats",
    "node-third-move-names-second",
    "node-timestamps-go-back",
    "node-timestamps-lost",
    "node-udp-dead-revives",
    "node-udp-never-repeats",
    "node-udp-refusal-ignored",
    "node-udp-speaks-early",
    "node-undefined-code-is-success",
    "node-unique-id-0-is-none",
    "unique-id-of-another-accepted",
]

ON_A_WIRE_ALL = ("node_later", "node_wrong_ones", "node_windows", "node_places")
#: Modules of what shows on a wire only, all of it: at a second move, after a while, in UDP, in windows and clocks.


def names() -> Iterator[str]:
    """The deviations that concern more than a server which knows nothing of choices."""
    for deviation in all_deviations().values():
        module = deviation.part.__module__.rpartition(".")[2]
        if deviation.protocol == "mops" and module.startswith(("node_", "choices")) and module not in ON_A_WIRE_ALL:
            yield deviation.name


def play(part: type, name: str) -> object:
    """What comes of a scenario; an exception is an outcome too."""
    try:
        return SCENARIOS[name][0](PlayedNode(part))
    except (ValueError, IndexError, KeyError) as error:
        return type(error).__name__


def test_the_table_is_complete() -> None:
    assert sorted([*DIFFERENT, *ON_THE_WIRE]) == list(names())


@pytest.mark.parametrize("name", sorted(DIFFERENT))
def test_a_deviation_is_wrong_in_its_own_way_only(name: str) -> None:
    part = all_deviations()[name].part
    expected = DIFFERENT[name].split()
    different = [one for one, (_, right) in SCENARIOS.items() if play(part, one) != right]
    shown = [*different[: len(expected) - 1], "..."] if expected[-1] == "..." else different
    assert shown == expected


def test_an_old_address_that_is_answered_for() -> None:
    with Lab("--deviate", "node-old-address-answered", role="mobile node") as lab:
        surroundings = Surroundings(lab, "ipv4")
        home = surroundings.node
        surroundings.move(elsewhere("ipv4"))
        assert surroundings.resolves(home)
        assert surroundings.resolves(surroundings.node)


@pytest.mark.parametrize("name", ["node-speaks-before-success", "node-never-repeats", "unique-id-not-required"])
def test_a_deviating_node_deviates_on_the_wire(name: str, network: str) -> None:
    mops = {"retry_interval_s": RETRY_INTERVAL_S}
    with Lab("--deviate", name, role="mobile node", mops=mops) as lab:
        assert lab.call("status")["alteration"] == name
        surroundings = Surroundings(lab, network)
        server = Server(surroundings, server_address(network))
        surroundings.move(elsewhere(network))
        assert surroundings.request() is not None
        server.says(b"early")
        assert (server.hears(timeout=0.05) is not None) == (name == "node-speaks-before-success")
        assert (surroundings.request(RETRY_INTERVAL_S * 2) is None) == (name == "node-never-repeats")
