# SPDX-License-Identifier: GPL-2.0-or-later
"""A wrong profile: one line that names the file, the key and what is allowed, before anything is started."""

from pathlib import Path

import pytest

from profiles import ProfileError, load

ROOT = Path(__file__).resolve().parents[2]
GOOD = (ROOT / "tests/profiles/hosts.toml").read_text()
INTERFACE = 'kind = "interface"\ninterface = "eth1"\ndut_mac = "02:00:00:00:00:02"'
COMMAND = 'command = ["{python}", "-m", "reference"]'
COMMANDS = f'{COMMAND}\nfork_server = ["{{python}}", "-m", "reference", "--fork-server"]'

EXPECTED = '[[expected]]\nrequirement = "MOPS-4.1-07"\nverdict = "FAIL"\nreason = "known"\n'

# What is replaced in the good profile, by what, and what the line has to say.
WRONG: list[tuple[str, str, str, str]] = [
    ("no TOML", "[dut]", "[dut", "not TOML: Expected ']'"),
    ("unknown table", "[link]", "[lnk]", "link: is missing: the table that says where it is"),
    (
        "unknown key",
        "vendor =",
        "vendro =",
        "dut.vendro: is not a key; allowed are name, vendor, version, command, fork_server,",
    ),
    ("path", "[dut]", 'path = "x"\n[dut]', "path: is not a key; allowed are dut, link, ics, ixit, expected"),
    (
        "expected verdict",
        "[link]",
        EXPECTED.replace("FAIL", "PASS") + "[link]",
        "expected.0.verdict: must be 'FAIL' or 'DEVIATION', not 'PASS'",
    ),
    (
        "expected without a reason",
        "[link]",
        EXPECTED.replace("known", "") + "[link]",
        "expected.0.reason: must have at least 1 character, not ''",
    ),
    (
        "expected twice",
        "[link]",
        EXPECTED * 2 + "[link]",
        "expected.requirement: MOPS-4.1-07 may be named once",
    ),
    ("no name", 'name = "Roamproof reference host"', "", "dut.name: is missing: what the certificate calls the device"),
    ("empty name", '"Roamproof reference host"', '""', "dut.name: must have at least 1 character, not ''"),
    ("name is a number", '"Roamproof reference host"', "7", "dut.name: must be text in quotes, not 7"),
    ("command is text", COMMAND, 'command = "host"', "dut.command: must be a list in brackets, not 'host'"),
    ("empty word", COMMAND, 'command = ["host", ""]', "dut.command.1: must have at least 1 character"),
    ("no command", COMMANDS, "", 'dut: agent = "stdio" is allowed with a command only'),
    ("no command", f'{COMMANDS}\nagent = "stdio"', "", "dut.command is missing: a namespace link starts the device"),
    ("fork server alone", COMMAND, "", "dut: fork_server is allowed with a command only, whose place it takes"),
    ("agent", 'agent = "stdio"', 'agent = "stdin"', 'dut.agent: must be "stdio", "manual" or a command:'),
    ("empty agent", 'agent = "stdio"', "agent = []", 'dut.agent: must be "stdio", "manual" or a command:'),
    ("agent is a number", 'agent = "stdio"', "agent = 7", 'dut.agent: must be "stdio", "manual" or a command:'),
    ("agent and verbs", "[link]", '[dut.verbs]\nmove = "true"\n[link]', "dut: verbs are allowed without agent only"),
    (
        "unknown verb",
        'agent = "stdio"',
        'verbs.lsten = "true"',
        "dut.verbs.lsten: must be 'listen', 'connect', 'send', 'receive', 'shutdown', 'close', 'move', ",
    ),
    (
        "parameter of another verb",
        'agent = "stdio"',
        'verbs.move = "ssh box move {adress}"',
        "dut: verbs.move: {adress} is not a parameter of this verb; allowed are {address}",
    ),
    (
        "verb without parameters",
        'agent = "stdio"',
        'verbs.sockets = "ss {port}"',
        "dut: verbs.sockets: {port} is not a parameter of this verb; allowed are none",
    ),
    ("patience", 'agent = "stdio"', "ready_timeout_s = 0", "dut.ready_timeout_s: must be greater than 0, not 0"),
    ("no kind of link", 'kind = "namespace"', "", "link.kind: is missing; allowed are 'namespace', 'interface'"),
    ("kind of link", '"namespace"', '"bridge"', "link.kind: must be 'namespace', 'interface', not 'bridge'"),
    (
        "key of the other link",
        '"namespace"',
        '"namespace"\ninterface = "e"',
        "link.interface: is not a key; allowed are",
    ),
    (
        "no interface",
        'kind = "namespace"',
        'kind = "interface"\ndut_mac = "02:00:00:00:00:02"',
        "link.interface: is miss",
    ),
    ("no interface name", 'kind = "namespace"', INTERFACE.replace("eth1", "../../eth1"), "link.interface: must match"),
    (
        "dut_mac",
        'kind = "namespace"',
        INTERFACE.replace("00:02", "00:0Z"),
        "link.dut_mac: must be the Ethernet address",
    ),
    ("group address", 'kind = "namespace"', INTERFACE.replace('"02:', '"03:'), "link.dut_mac: must be the Ethernet"),
    ("no network", 'networks = ["ipff", "ipv4"]', "networks = []", "ics.networks: must have at least 1 item"),
    ("network", '["ipff", "ipv4"]', '["ipff", "ipv6"]', "ics.networks.1: must be 'ipff' or 'ipv4', not 'ipv6'"),
    (
        "role",
        '["server", "mobile node", "anycast server"]',
        '["servant", "mobile node"]',
        'ics.mops.roles: there are no cases for the role "servant"; allowed: "server", "mobile node", ',
    ),
    (
        "role without cases",
        '["server", "mobile node", "anycast server"]',
        '["server", "relay"]',
        'ics.mops.roles: there are no cases for the role "relay"; allowed: "server", "mobile node", ',
    ),
    (
        "role of MSOCKS without cases",
        '[ics.msocks]\nroles = ["mobile node"]',
        '[ics.msocks]\nroles = ["relay"]',
        'ics.msocks.roles: there are no cases for the role "relay"; allowed: "proxy", "mobile node"',
    ),
    (
        "role is a number",
        '["server", "mobile node", "anycast server"]',
        "[1]",
        "ics.mops.roles.0: must be text in quotes, not 1",
    ),
    (
        "roles are text",
        '["server", "mobile node", "anycast server"]',
        '"server"',
        "ics.mops.roles: must be a list in brackets",
    ),
    ("claim", "udp = true", "udp = 1", "ics.mops.udp: must be true or false, not 1"),
    (
        "role of another protocol",
        '[ics.legacy]\nroles = ["host"]',
        '[ics.legacy]\nroles = ["server"]',
        'ics.legacy.roles: there are no cases for the role "server"; allowed: "host"',
    ),
    (
        "kind of a Migrate option",
        "permitted_kind = 15",
        "permitted_kind = 256",
        "ixit.migrate.permitted_kind: must be less than or equal to 255, not 256",
    ),
    (
        "kind of the end of the list",
        "option_kind = 16",
        "option_kind = 0",
        "ixit.migrate.option_kind: must be greater than or equal to 2, not 0",
    ),
    ("protocol", "[ics.mops]", "[ics.mobs]", "ics.mobs: is not a key; allowed are networks, mops, rehash"),
    (
        "no addresses",
        "[ixit.ipff]",
        "[ixit.ipxx]",
        "ixit.ipxx: is not a key; allowed are silence_s, tcp_within_s, services, ipff,",
    ),
    ("IPFF address", '"8.8.8.8.8"', '"8.8.8.8"', "ixit.ipff.address: must be an IPFF address, five fields of 0..999"),
    (
        "IPFF field",
        '"8.8.8.8.8"',
        '"8.8.8.8.1000"',
        "ixit.ipff.address: must be an IPFF address, five fields of 0..999",
    ),
    ("IPFF digits", '"8.8.8.8.8"', '"8.8.8.8.\N{FULLWIDTH DIGIT EIGHT}"', "ixit.ipff.address: must be an IPFF address"),
    (
        "IPFF range",
        '"525.8.78.15.999"',
        '"525.8.78.0.15"',
        "ixit.ipff: tester_first to tester_last must hold at least 16",
    ),
    ("range upside down", '"525.8.78.15.999"', '"525.8.77.0.15"', "ixit.ipff: tester_first to tester_last must hold"),
    ("DUT in range", '"8.8.8.8.8"', '"525.8.78.1.1"', "ixit.ipff: the range tester_first to tester_last must not hold"),
    (
        "EtherType",
        "[ixit.ipff]",
        "[ixit.ipff]\nethertype = 1500",
        "ixit.ipff.ethertype: must be greater than or equal to",
    ),
    ("header", "[ixit.ipff]", '[ixit.ipff]\nheader = "draft-01"', "ixit.ipff.header: must be 'draft-00' or '24-byte'"),
    (
        "pseudo-header",
        "[ixit.ipff]",
        "[ixit.ipff]\nicmp_pseudo_protocol = 6",
        "ixit.ipff.icmp_pseudo_protocol: must be 1 or 58",
    ),
    ("EtherType of IPv4", "[ixit.ipff]", "[ixit.ipff]\nethertype = 0x0800", "ixit.ipff: ethertype must be one that"),
    ("IPv4 address", '"198.18.0.1"', '"198.18.0.256"', "ixit.ipv4.address: must be an IPv4 address: 198.18.0.1"),
    ("prefix", "prefix_length = 15", "prefix_length = 31", "ixit.ipv4.prefix_length: must be less than or equal to 30"),
    (
        "prefix is text",
        "prefix_length = 15",
        'prefix_length = "15"',
        "ixit.ipv4.prefix_length: must be a valid integer",
    ),
    ("outside", "prefix_length = 15", "prefix_length = 16", "must be host addresses of one network, 198.18.0.0/16"),
    ("broadcast", '"198.19.255.254"', '"198.19.255.255"', "must be host addresses of one network, 198.18.0.0/15"),
    ("rate limit", "rate_limit_s = 5.0", "rate_limit_s = 0", "ixit.mops.rate_limit_s: must be greater than 0, not 0"),
    (
        "rate limit is text",
        "rate_limit_s = 5.0",
        'rate_limit_s = "5"',
        "ixit.mops.rate_limit_s: must be a valid number",
    ),
    (
        "rate limit is true",
        "rate_limit_s = 5.0",
        "rate_limit_s = true",
        "ixit.mops.rate_limit_s: must be a valid number",
    ),
    ("not a number", "rate_limit_s = 5.0", "rate_limit_s = nan", "ixit.mops.rate_limit_s: must be"),
    (
        "for ever",
        "rate_limit_s = 5.0",
        "rate_limit_s = inf",
        "ixit.mops.rate_limit_s: must be less than or equal to 3600",
    ),
    ("sequence", '"window"', '"widow"', "ixit.mops.migrate_seq: must be 'window' or 'exact', not 'widow'"),
    ("port", "echo = 7", "echo = 65536", "ixit.services.echo: must be less than or equal to 65535, not 65536"),
    ("table is a number", "[ixit.services]\necho = 7", "[ixit]\nservices = 7", "ixit.services: must be a table, not 7"),
]


@pytest.mark.parametrize(("what", "old", "new", "line"), WRONG, ids=[f"{n} {row[0]}" for n, row in enumerate(WRONG)])
def test_wrong_profile(tmp_path: Path, what: str, old: str, new: str, line: str) -> None:
    assert old in GOOD
    path = tmp_path / "wrong.toml"
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ProfileError) as caught:
        load(path)
    said = str(caught.value)
    assert said.startswith(f"{path}: ")
    assert "\n" not in said
    assert line in said


def test_network_without_its_addresses(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    start, end = GOOD.index("[ixit.ipff]"), GOOD.index("[ixit.ipv4]")
    path.write_text(GOOD[:start] + GOOD[end:])
    with pytest.raises(
        ProfileError, match=r'\[ixit.ipff\] is missing, but ics.mops.roles names "server" and ics.networks names "ipff"'
    ):
        load(path)


def test_several_mistakes_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(GOOD.replace("echo = 7", "echo = 0").replace('"window"', '"widow"'))
    with pytest.raises(ProfileError, match=r"\(and 1 more\)$"):
        load(path)


@pytest.mark.parametrize(
    ("content", "line"),
    [(None, "No such file or directory; allowed is a readable TOML file"), (b"\xff\xfe", "not TOML")],
)
def test_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, line: str) -> None:
    path = tmp_path / "wrong.toml"
    if content:
        path.write_bytes(content)
    with pytest.raises(ProfileError, match=line):
        load(path)
    with pytest.raises(ProfileError, match="Is a directory"):
        load(tmp_path)


def test_mark_that_an_editor_has_put_in_front(tmp_path: Path) -> None:
    path = tmp_path / "marked.toml"
    path.write_text(GOOD, encoding="utf-8-sig")
    assert load(path).dut.name == load(ROOT / "tests/profiles/hosts.toml").dut.name


def test_arguments_go_behind_the_command() -> None:
    profile = load(ROOT / "tests/profiles/hosts.toml", ["--deviate", "x"])
    assert profile.dut.command[-3:] == ["reference", "--deviate", "x"]


def test_arguments_without_a_command(tmp_path: Path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(GOOD.replace('kind = "namespace"', INTERFACE).replace(f'{COMMANDS}\nagent = "stdio"', ""))
    assert load(path).dut.command == []
    with pytest.raises(ProfileError, match=r"dut\.command: is missing: there is nothing to add arguments to"):
        load(path, ["--deviate", "x"])


@pytest.mark.parametrize(
    "path", sorted((ROOT / "profiles").glob("*.toml")) + sorted((ROOT / "tests/profiles").glob("*.toml"))
)
def test_profiles_of_this_repository_are_good(path: Path) -> None:
    assert load(path).dut.name
