# SPDX-License-Identifier: GPL-2.0-or-later
"""Every deviation of the Rehash host is wrong in its own way and right in all others."""

from typing import Any

import pytest

from reference.roles import all_deviations
from tests.lab.host import Lab
from tests.rehash.peer import RehashPeer
from tests.rehash.played_host import PlayedHost
from tests.rehash.scenarios import SCENARIOS

ANNOUNCEMENTS = (
    "moving_idle moving_accepted moving_with_data moving_hears_something_else moving_repeats "
    "moving_repeats_with_data moving_on moving_on_unheard moving_on_reset told_then_moving told_while_moving"
)
ANSWERS = (
    "told told_with_data told_with_fin told_twice repeated other_connections_of_the_peer moving_then_told "
    "told_while_moving"
)
WRONG_NONCES = (
    "another_nonce_of_the_peer wrong_nonce nonce_of_which_a_half_is_right wrong_nonce_for_a_second_move "
    "peer_nonce_instead_of_own"
)

#: The scenarios that come out otherwise than with the reference as it is.
DIFFERENT = {
    "addr-addresses-swapped": ANNOUNCEMENTS,
    "addr-after-init": "moving_acknowledged moving_on moving_back_unheard",
    "addr-answered-with-addr": ANSWERS,
    "addr-answered-with-old": ANSWERS,
    "addr-answered-with-peer-nonce": ANSWERS,
    "addr-in-first-segment-only": (
        "moving_with_timestamps moving_with_data moving_hears_something_else moving_repeats_with_data "
        "moving_with_sack told_while_moving"
    ),
    "addr-new-is-zero": ANNOUNCEMENTS,
    "addr-not-answered": ANSWERS,
    "addr-not-in-first-segment": (
        "moving_idle moving_accepted moving_with_timestamps moving_with_data moving_repeats "
        "moving_repeats_with_data moving_several moving_on moving_on_unheard told_then_moving"
    ),
    "addr-not-in-retransmissions": "moving_with_data moving_repeats_with_data",
    "addr-old-is-first-address": "moving_on moving_on_unheard moving_on_reset",
    "addr-old-is-zero": ANNOUNCEMENTS,
    "addr-own-nonce": (
        "moving_idle moving_accepted moving_with_data moving_hears_something_else moving_repeats "
        "moving_repeats_with_data moving_several moving_on moving_on_unheard moving_on_reset told_then_moving "
        "told_while_moving"
    ),
    "addr-payload-dropped": "told_with_data repeated",
    "addr-sent-twice-only": "moving_with_data moving_repeats moving_repeats_with_data",
    "addr-without-end": "moving_repeats moving_repeats_with_data after_failure",
    "anything-acknowledges": "moving_hears_something_else told_while_moving",
    "duplicate-ack-takes-sequence-space": (
        "moving_idle moving_accepted moving_with_data moving_repeats moving_repeats_with_data moving_on "
        "moving_on_unheard moving_on_reset told_then_moving"
    ),
    "failed-move-goes-on": "moving_repeats moving_repeats_with_data after_failure",
    "failed-move-not-closed": "moving_repeats moving_repeats_with_data after_failure",
    "fin-does-not-rehash": "told_with_fin",
    "half-open-rehashed": "half_open",
    "idle-move-not-announced": (
        "moving_idle moving_accepted moving_with_timestamps moving_with_data moving_repeats "
        "moving_repeats_with_data after_failure moving_several moving_on moving_on_unheard moving_on_reset "
        "told_then_moving"
    ),
    "in-flight-acknowledged": "in_flight",
    "in-flight-reset": "in_flight",
    "init-after-syn-ack": "init_on_syn_ack",
    "init-exchange-endless": "repeated_inits",
    "init-never-begun": (
        "init_on_syn init_on_retransmitted_syn init_later_from_the_peer_connected_to "
        "unanswered_init_is_reissued_and_that_stops moving_idle moving_with_timestamps moving_with_data "
        "moving_acknowledged moving_hears_something_else moving_repeats moving_repeats_with_data "
        "after_failure moving_with_sack moving_on moving_on_unheard moving_on_reset moving_then_told "
        "told_then_moving told_while_moving new_connections_after_a_move"
    ),
    "init-new-is-first-address": "moving_then_told told_while_moving new_connections_after_a_move",
    "init-new-is-zero": (
        "init_on_syn init_later_from_the_peer_connected_to repeated_inits told told_with_data told_with_fin "
        "told_twice repeated other_connections_of_the_peer moving_then_told told_while_moving "
        "new_connections_after_a_move"
    ),
    "init-not-on-retransmitted-data": "init_again_in_retransmitted_data",
    "init-not-on-retransmitted-syn": "init_on_retransmitted_syn init_on_syn_ack",
    "init-not-on-syn": "init_on_syn init_on_retransmitted_syn new_connections_after_a_move",
    "init-not-on-syn-ack": (
        "init_on_syn_ack repeated_inits nonces another_nonce_of_the_peer told told_with_data told_with_fin "
        "told_with_timestamps told_twice repeated wrong_nonce nonce_of_which_a_half_is_right "
        "wrong_nonce_for_a_second_move peer_nonce_instead_of_own wrong_nonce_from_the_connection_itself "
        "other_connections_of_the_peer data_from_the_old_address newcomer_at_the_old_tuple "
        "first_flight_to_a_moved_peer moving_accepted moving_several"
    ),
    "init-of-the-connected-ignored": "init_later_from_the_peer_connected_to",
    "init-old-is-current": (
        "init_on_syn init_on_syn_ack init_later_from_the_peer_connected_to repeated_inits told told_with_data "
        "told_with_fin told_twice repeated other_connections_of_the_peer moving_then_told told_while_moving "
        "new_connections_after_a_move"
    ),
    "init-retransmitted-with-another-nonce": "init_on_retransmitted_syn init_on_syn_ack",
    "late-init-ignored": (
        "init_later_from_the_peer_that_connected init_later_from_the_peer_connected_to "
        "init_with_data_travels_on_the_acknowledgement init_again_in_retransmitted_data"
    ),
    "legacy-peers-refused": "legacy_peer",
    "listener-left-behind": "listening_after_a_move",
    "listener-on-any-lost": "listening_after_a_move",
    "move-announced-on-one-connection": "moving_several moving_on_unheard moving_on_reset",
    "move-not-announced": (
        "moving_idle moving_accepted moving_with_timestamps moving_with_data moving_hears_something_else "
        "moving_repeats moving_repeats_with_data after_failure moving_with_sack moving_several moving_on "
        "moving_on_unheard moving_on_reset told_then_moving told_while_moving first_flight_after_a_move"
    ),
    "move-resets-connections": (
        "moving_idle moving_accepted moving_with_timestamps moving_with_data moving_acknowledged "
        "moving_hears_something_else moving_repeats moving_repeats_with_data moving_with_sack moving_several "
        "moving_on moving_on_unheard moving_on_reset reset_while_moving moving_then_told told_then_moving "
        "told_while_moving"
    ),
    "mover-without-slow-start": "first_flight_after_a_move",
    "newcomer-refused": "newcomer_at_the_old_tuple",
    "nonce-checked-once": "wrong_nonce_for_a_second_move",
    "nonce-low-half-checked": "nonce_of_which_a_half_is_right",
    "nonce-not-checked": (
        "another_nonce_of_the_peer wrong_nonce nonce_of_which_a_half_is_right wrong_nonce_for_a_second_move "
        "peer_nonce_instead_of_own wrong_nonce_from_the_connection_itself tuple_in_use"
    ),
    "nonce-of-last-init-accepted": "another_nonce_of_the_peer",
    "nonce-of-peer-accepted": (
        "told told_with_data told_with_fin told_with_timestamps told_twice repeated "
        "wrong_nonce_for_a_second_move peer_nonce_instead_of_own other_connections_of_the_peer "
        "data_from_the_old_address newcomer_at_the_old_tuple first_flight_to_a_moved_peer moving_then_told "
        "told_then_moving told_while_moving"
    ),
    "nonce-of-the-host": "nonces tuple_in_use",
    "nonce-renewed-by-own-move": "moving_then_told",
    "nonce-renewed-by-peer-move": ANSWERS,
    "nonce-sequential": "nonces",
    "nonce-short": "nonces",
    "old-tuple-still-served": "data_from_the_old_address",
    "option-length-15-accepted": "length_15",
    "option-length-17-accepted": "length_17",
    "peer-moved-altogether": "other_connections_of_the_peer",
    "peer-moves-once": "told_twice wrong_nonce_for_a_second_move",
    "rehash-to-tuple-in-use": "tuple_in_use tuple_in_use_by_way_of_new",
    "repeated-addr-dropped": "repeated",
    "reset-rehashes": "told_with_reset",
    "sack-crowds-addr-out": "moving_with_sack",
    "sack-cut-short": "moving_with_sack",
    "second-move-not-announced": "moving_on moving_on_unheard moving_on_reset",
    "told-without-slow-start": "first_flight_to_a_moved_peer",
    "undefined-control-is-addr": "control_undefined",
    "undefined-control-is-init": "control_undefined_as_init",
    "uninitialised-moves": "never_initialised",
    "unmarked-connections-announced": "no_move_without_init_from_the_peer without_rehash_and_back",
    "wrong-nonce-acknowledged": WRONG_NONCES,
    "wrong-nonce-data-taken": WRONG_NONCES,
    "wrong-nonce-reset": WRONG_NONCES,
    "addr-control-wrong": (
        "moving_idle moving_accepted moving_with_timestamps moving_with_data moving_hears_something_else "
        "moving_repeats moving_repeats_with_data moving_with_sack moving_on moving_on_unheard "
        "moving_on_reset told_then_moving told_while_moving"
    ),
    "init-control-wrong": (
        "init_on_syn init_on_syn_ack init_later_from_the_peer_that_connected "
        "init_later_from_the_peer_connected_to init_with_data_travels_on_the_acknowledgement "
        "init_again_in_retransmitted_data repeated_inits unanswered_init_is_reissued_and_that_stops "
        "moving_then_told told_while_moving told told_with_data told_with_fin told_twice repeated "
        "other_connections_of_the_peer"
    ),
    "init-nonce-not-own": "moving_then_told told_then_moving told_while_moving",
    "moved-by-one-side-only": "moving_then_told told_then_moving told_while_moving",
    "option-kind-wrong": (
        "init_on_syn init_on_retransmitted_syn init_on_syn_ack init_later_from_the_peer_that_connected "
        "init_later_from_the_peer_connected_to init_with_data_travels_on_the_acknowledgement "
        "init_again_in_retransmitted_data repeated_inits unanswered_init_is_reissued_and_that_stops "
        "nonces moving_idle moving_accepted moving_with_timestamps moving_with_data "
        "moving_hears_something_else moving_repeats moving_repeats_with_data moving_with_sack "
        "moving_several moving_on moving_on_unheard moving_on_reset moving_then_told told_then_moving "
        "told_while_moving new_connections_after_a_move told told_with_data told_with_fin "
        "told_with_timestamps told_twice repeated wrong_nonce_for_a_second_move "
        "other_connections_of_the_peer data_from_the_old_address newcomer_at_the_old_tuple "
        "first_flight_to_a_moved_peer"
    ),
    "burst-exceeds-the-maximum": "moving_repeats_with_data",
    "duplicate-ack-with-a-wrong-checksum": (
        "init_later_from_the_peer_connected_to repeated_inits moving_idle moving_accepted moving_with_data "
        "moving_repeats moving_repeats_with_data moving_on moving_on_unheard moving_on_reset moving_then_told "
        "told_then_moving told_while_moving told told_with_fin told_twice other_connections_of_the_peer"
    ),
    "duplicate-ack-without-timestamps": "moving_with_timestamps told_with_timestamps",
    "former-address-of-a-peer-shunned": "told_twice data_from_the_old_address newcomer_at_the_old_tuple",
    "only-one-old-address": "moving_on_unheard moving_on_reset",
    "only-the-last-old-address": "moving_on_unheard moving_on_reset",
    "opened-connections-do-not-move": "moving_then_told told_then_moving told_while_moving",
    "repeats-name-the-new-address-as-old": (
        "moving_with_data moving_hears_something_else moving_repeats moving_repeats_with_data "
        "moving_on_unheard moving_on_reset told_while_moving"
    ),
    "repeats-without-nonce": (
        "moving_with_data moving_hears_something_else moving_repeats moving_repeats_with_data "
        "moving_on_unheard moving_on_reset told_while_moving"
    ),
    "reset-while-moving-ignored": "reset_while_moving",
    "segment-size-of-the-peer-not-lessened": "segments_of_a_peer_with_little_room",
    "syn-at-the-old-tuple-ends-the-connection": "newcomer_at_the_old_tuple",
    "unannounced-source-followed": "data_from_the_old_address",
    "unmovable-connections-speak-on": "no_move_without_init_from_the_peer without_rehash_and_back",
    "wrong-nonce-locks-out": "nonce_of_which_a_half_is_right",
    "wrong-nonce-on-the-tuple-answered": "wrong_nonce_from_the_connection_itself tuple_in_use",
}
#: Seen on a wire only.
ON_THE_WIRE = [
    "addr-from-the-tuple-moves",
    "addr-on-an-unmarked-tuple-drops-data",
    "announced-without-a-move",
    "both-services-of-a-port-move",
    "closed-connections-announced",
    "crossing-init-ignored",
    "echo-of-a-moved-peer-unanswered",
    "error-about-a-left-tuple-aborts",
    "fin-with-data-lost",
    "full-segments-do-not-move",
    "half-closed-acknowledged-and-left",
    "half-closed-does-not-move",
    "half-closed-moves-in-silence",
    "half-closed-not-announced",
    "host-moves-nine-times",
    "init-lost-after-acknowledged-data",
    "large-segments-garbled",
    "listener-moves-once",
    "moved-connection-ends-later",
    "moved-connection-returns-later",
    "nonce-of-the-tuple",
    "nonce-zero-is-none",
    "option-after-the-end-read",
    "option-length-14-accepted",
    "option-length-32-accepted",
    "option-length-wrong",
    "option-read-at-the-end-only",
    "options-after-sack-permitted-lost",
    "packet-too-big-aborts",
    "peer-moves-nine-times",
    "rehash-window-stays-shut",
    "repeated-addr-answered-once",
    "repeated-addr-answered-with-data-only",
    "reset-releases-held-data",
    "sack-cut-without-timestamps",
    "sixteen-connections-announced",
    "sixteen-connections-move",
    "smaller-sequence-numbers-do-not-move",
    "soft-error-aborts",
    "transfer-stalls-after-a-move",
    "urgent-segments-do-not-move",
    "window-scale-lost-at-the-move",
    "wrong-nonce-leaves-the-new-tuple-alive",
]

ON_A_WIRE_ALL = (".forgetful", ".later_moves", ".seldom")
#: Modules of what shows on a wire only, all of it.


def outcome(name: str, part: type | None = None) -> Any:
    try:
        return SCENARIOS[name](PlayedHost(part))
    except ValueError as error:  # a segment is missing
        return str(error)


@pytest.fixture(scope="module")
def right() -> dict[str, Any]:
    return {name: outcome(name) for name in SCENARIOS}


def test_the_table_is_complete() -> None:
    names = [
        deviation.name
        for deviation in all_deviations().values()
        if deviation.protocol == "rehash" and not deviation.part.__module__.endswith(ON_A_WIRE_ALL)
    ]
    assert sorted([*DIFFERENT, *ON_THE_WIRE]) == names


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_deviation_is_wrong_in_its_own_way_only(name: str, right: dict[str, Any]) -> None:
    part = all_deviations()[name].part
    different = {name for name in SCENARIOS if outcome(name, part) != right[name]}
    assert different == set(DIFFERENT[name].split())


def test_a_deviating_host_deviates_on_the_wire() -> None:
    with Lab("--deviate", "nonce-not-checked", protocol="rehash", role="host") as lab:
        peer = RehashPeer.at(lab).connect()
        peer.move(lab.address("ipv4"), nonce=0)
        assert peer.is_acknowledged()
        assert peer.echo(b"stolen")
