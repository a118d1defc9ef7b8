# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 9293, 3.1, MUST-6: unknown options on a SYN, which is answered as without them."""

import secrets

import pytest

from conformance.legacy.dut.host import TIMESTAMPS, Host
from conformance.legacy.tester.lower_tester import SEGMENT_SIZE, LowerTester
from conformance.legacy.tester.options import migrate_of
from layers.tcp_options import TimestampOption
from testbed import inopportune, invalid, requirement, valid
from testbed.case.case import Case

REHASH = requirement("LEGACY-9293.3.1-01")
CAPABLE = requirement("LEGACY-9293.3.1-04")
PERMITTED = requirement("LEGACY-9293.3.1-05")
MIGRATE = requirement("LEGACY-9293.3.1-06")

RIGHT = pytest.mark.parametrize(
    "option",
    [
        pytest.param("REHASH-INIT", marks=REHASH),
        pytest.param("MOBILE_CAPABLE", marks=CAPABLE),
        pytest.param("Migrate-Permitted, length 3", marks=PERMITTED),
        pytest.param("Migrate-Permitted, length 20", marks=PERMITTED),
        pytest.param("Migrate", marks=MIGRATE),
    ],
)
WRONG = pytest.mark.parametrize(
    "option",
    [
        pytest.param("REHASH-INIT twice", marks=REHASH),
        pytest.param("REHASH-ADDR", marks=REHASH),
        pytest.param("Rehash, undefined", marks=REHASH),
        pytest.param("Rehash, length 2", marks=REHASH),
        pytest.param("Rehash, length 15", marks=REHASH),
        pytest.param("Rehash, length 32", marks=REHASH),
        pytest.param("MOBILE_CAPABLE twice", marks=CAPABLE),
        pytest.param("MOBILE_CAPABLE, length 2", marks=CAPABLE),
        pytest.param("MOBILE_CAPABLE, length 32", marks=CAPABLE),
        pytest.param("Migrate-Permitted, length 2", marks=PERMITTED),
        pytest.param("Migrate-Permitted, length 32", marks=PERMITTED),
        pytest.param("Migrate, length 2", marks=MIGRATE),
        pytest.param("Migrate, length 18", marks=MIGRATE),
        pytest.param("Migrate, length 32", marks=MIGRATE),
    ],
)
REQUESTS = pytest.mark.parametrize("reqno", [0, 1, 255])


@RIGHT
@valid
@requirement(case=1)
def test_syn_with_unknown_option_is_answered_without_it(tester: LowerTester, host: Host, option: str) -> None:
    """A SYN with an option of one of the protocols is answered with a SYN-ACK that carries none of its kind."""
    peer = tester.peer()
    answer = host.answers_syn(peer, tester.starts_with(peer, option))
    host.has_not_the(option, answer)


@WRONG
@invalid
@requirement(case=2)
def test_syn_with_unusual_option_is_answered_without_it(tester: LowerTester, host: Host, option: str) -> None:
    """A SYN with such an option of any length or content is answered with a SYN-ACK that carries none of its kind."""
    peer = tester.peer()
    answer = host.answers_syn(peer, tester.starts_with(peer, option))
    host.has_not_the(option, answer)


@RIGHT
@valid
@requirement(case=3)
def test_connection_opened_with_unknown_option_works(tester: LowerTester, host: Host, option: str) -> None:
    """A connection whose SYN carried the option carries data."""
    host.serves(tester.connects(option))


@WRONG
@invalid
@requirement(case=4)
def test_connection_opened_with_unusual_option_works(tester: LowerTester, host: Host, option: str) -> None:
    """A connection whose SYN carried such an option of any length or content carries data."""
    host.serves(tester.connects(option))


@valid
@requirement("LEGACY-9293.3.1-05", case=5)
def test_key_of_migrate_permitted_in_the_timestamps(tester: LowerTester, host: Host) -> None:
    """The second half of the key, which stands in for both timestamps of the SYN, is taken for timestamps."""
    plain = tester.peer(timestamps=True)
    host.uses(TIMESTAMPS, plain, tester.starts_richly(plain))
    peer = tester.peer(timestamps=True)
    peer.clock = secrets.randbits(32)
    key = TimestampOption(tsval=peer.clock, tsecr=secrets.randbits(32))
    syn = tester.starts(peer, SEGMENT_SIZE, key, tester.option("Migrate-Permitted, length 20", peer))
    segment, stamps = host.option_in_answer(TIMESTAMPS, peer, syn)
    host.echoes(peer.clock, stamps, segment)


@REQUESTS
@inopportune
@requirement("LEGACY-9293.3.1-06", case=5)
def test_syn_with_migrate_where_nobody_listens_is_refused(
    tester: LowerTester, host: Host, case: Case, reqno: int
) -> None:
    """A SYN with Migrate, also with token and request of a live connection, to a port without service is refused."""
    live = tester.connects("Migrate-Permitted, length 3")
    peer = tester.peer(tester.elsewhere, remote_port=tester.closed_port())
    option = migrate_of(case.setup.profile.ixit, live, peer.snd_nxt, reqno)
    host.refuses(peer, tester.starts(peer, SEGMENT_SIZE, option))


@REQUESTS
@inopportune
@requirement("LEGACY-9293.3.1-06", case=6)
def test_syn_with_migrate_of_a_live_connection_opens_another(
    tester: LowerTester, host: Host, case: Case, reqno: int
) -> None:
    """A SYN with token and request of a live connection is answered with a SYN-ACK, as any SYN."""
    live = tester.connects("Migrate-Permitted, length 3")
    peer = tester.peer(tester.elsewhere)
    option = migrate_of(case.setup.profile.ixit, live, peer.snd_nxt, reqno)
    answer = host.answers_syn(peer, tester.starts(peer, SEGMENT_SIZE, option))
    host.has_not_the("Migrate", answer)


@REQUESTS
@inopportune
@requirement("LEGACY-9293.3.1-06", case=7)
def test_syn_with_migrate_harms_no_connection(tester: LowerTester, host: Host, case: Case, reqno: int) -> None:
    """The connection whose token and request a SYN carries goes on where it is, and so does another one of its peer."""
    other, live = tester.connects(), tester.connects("Migrate-Permitted, length 3")
    peer = tester.peer(tester.elsewhere)
    option = migrate_of(case.setup.profile.ixit, live, peer.snd_nxt, reqno)
    tester.uses(live, other)
    tester.starts(peer, SEGMENT_SIZE, option)
    host.has_gone_on()
    host.serves(live, other)
