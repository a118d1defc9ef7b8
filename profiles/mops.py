# SPDX-License-Identifier: GPL-2.0-or-later
"""The Mobile Protocol Stack (draft-eromenko-ipff-mops-00) in a profile."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from profiles.addresses import IPFFAddress, IPv4Address
from profiles.role import Claims, Role
from profiles.table import Number16, OptionKind, Seconds, Table

if TYPE_CHECKING:
    from profiles.model import Profile

BOTH = ("ipff", "ipv4")

ROLES = (
    Role("mops", "server", networks=BOTH),
    Role("mops", "mobile node", networks=BOTH, moves=True),
    Role("mops", "anycast server", networks=BOTH, also=("server",)),
    Role("mops", "NAT router", networks=BOTH, links=("inside", "outside")),
    Role("mops", "firewall", networks=BOTH, links=("inside", "outside")),
)


class ICS(Claims):
    """What the device claims of the Mobile Protocol Stack."""

    KNOWN: ClassVar[tuple[Role, ...]] = ROLES

    roles: list[str] = Field(default=[], description="roles of the Mobile Protocol Stack")
    mobile_allowed: bool = Field(default=False, description="applications can set and clear MOBILE_ALLOWED (section 3)")
    udp: bool = Field(default=False, description="Mobile UDP: sockets of UDP migrate (section 3)")
    unique_id: bool = Field(default=False, description="applications can give a socket a Unique ID (section 4.1)")
    unique_id_one_time: bool = Field(
        default=False, description="a Unique ID can be made good for one migration, after which the next one applies"
    )
    mobile_capable: bool = Field(
        default=False, description="connections carry the option MOBILE_CAPABLE on SYN, SYN-ACK and ACK (Appendix C)"
    )
    rate_limited: bool = Field(
        default=True, description="the server limits the rate of Migrates; the specification wants it to (section 4.1)"
    )
    nat_destination: bool = Field(
        default=False, description="the NAT router translates destinations for servers on its inside (section 5)"
    )
    firewall_bridge: bool = Field(
        default=False,
        description="the firewall is a bridge: it has no addresses, passes ARP and takes no hop; else it is a router",
    )
    nat_timers_settable: bool = Field(
        default=False,
        description="the NAT router's timers are as short as `ixit.mops.nat_transitory_s` and `nat_established_s` say",
    )

    def check(self, profile: "Profile") -> None:
        for network in profile.ics.networks if "anycast server" in self.roles else ():
            _check_anycast(profile, network)
        for network in profile.ics.networks if "NAT router" in self.roles and self.nat_destination else ():
            _check_servers(profile, network)

    def is_bridge(self, role: str) -> bool:
        return role == "firewall" and self.firewall_bridge


class IXIT(Table):
    """The Mobile Protocol Stack, section 4.1 and Appendix C."""

    rate_limit_s: Seconds = Field(
        default=5.0, description="seconds in which one previous address and port is taken at most one Migrate from"
    )
    migrate_seq: Literal["window", "exact"] = Field(
        default="window",
        description="which sequence numbers the device accepts: any in its receive window (RCV.NXT to the end of it), "
        "or exactly RCV.NXT",
    )
    migrate_seq_below: Literal["refused", "accepted"] = Field(
        default="refused",
        description="what the device does with a sequence number less than a window below RCV.NXT, where it accepts a "
        "window: a node whose acknowledgement was lost, and whose TCP has pulled SND.NXT back, states one",
    )
    reply_within_s: Seconds = Field(default=2.0, description="seconds in which a reply must come")
    retry_interval_s: Seconds = Field(
        default=2.0, description="seconds between two Migrates of a mobile node that nobody answers"
    )
    retries: Annotated[int, Field(ge=0, le=3)] = Field(
        default=3, description="how often a mobile node retransmits a Migrate"
    )
    migrate_within_s: Seconds = Field(
        default=2.0, description="seconds after the return of `move` in which a mobile node sends its first Migrate"
    )
    router: list[IPFFAddress | IPv4Address] = Field(
        default=[],
        description="gateways of a mobile node that believes NAT acknowledgements of its gateway only, one for each "
        "network: the tester sends them from there, otherwise from any address of its own",
    )
    anycast_continues: Literal["unicast", "anycast"] = Field(
        default="unicast",
        description="at which address of an anycast server a connection continues once its Migrate, sent to the "
        "unicast address, was answered (section 4.2)",
    )
    guess_rate_per_s: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=1000, description="messages that guesses and floods may bring in any second, whatever sends them"
    )
    largest_table: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=2_000,
        description="entries of the largest table that the device keeps for its rate limit: a flood names twice as "
        "many tuples",
    )
    mobile_capable_kind: OptionKind = Field(default=254, description="kind of the TCP option MOBILE_CAPABLE")
    mobile_capable_exid: Number16 = Field(
        default=0x4D4F, description="the two bytes that follow its kind and length (RFC 6994)"
    )
    mobile_capable_length: Literal[2, 4] = Field(
        default=4, description="its length: 4 with those two bytes, 2 without them"
    )
    anycast: list[IPFFAddress | IPv4Address] = Field(
        default=[],
        description="anycast addresses of an anycast server, one for each network; its unicast address is the one that "
        "the network's own table names (section 4.2)",
    )
    nat_ack_trigger: Literal["any_syn", "mobile_capable"] = Field(
        default="any_syn",
        description="which new connections elicit a NAT acknowledgement from a NAT router: all, or those whose SYN "
        "carries MOBILE_CAPABLE (section 4.3)",
    )
    nat_ack_on: Literal["migrate", "success"] = Field(
        default="migrate",
        description="when a NAT router acknowledges the mappings of a Migrate: when that passes (Appendix B), or when "
        "the success does (section 4.3, Count)",
    )
    nat_transitory_s: Seconds = Field(
        default=240.0,
        description="seconds that a NAT router keeps a mapping of a connection that is not established, or of a "
        "Migrate that nobody has answered (RFC 5382, REQ-5)",
    )
    nat_established_s: Seconds = Field(
        default=7440.0,
        description="seconds that a NAT router keeps a mapping of an established connection that nothing passes on "
        "(RFC 5382, REQ-5)",
    )
    opens_on: Literal["success", "command"] = Field(
        default="success",
        description="what opens the migrated tuple in a firewall: the server's success, or the Migrate (section 6)",
    )
    firewall_inward_ports: list[Annotated[int, Field(ge=1, le=0xFFFF)]] = Field(
        default=[], description="ports of inside hosts to which a firewall lets hosts outside open sessions"
    )
    firewall_idle_s: Seconds | None = Field(
        default=None,
        description="seconds that a firewall keeps an open session of which nothing passes, where that can be set; "
        "cases wait for 3 to 10 s",
    )
    firewall_ended_s: Seconds | None = Field(
        default=None,
        description="the same for a connection that has ended or does not open",
    )
    firewall_largest_table: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=2_000, description="sessions of a firewall's largest table: a flood begins twice as many"
    )

    nat_largest_table: Annotated[int, Field(ge=100, le=20_000)] | None = Field(
        default=None,
        description="mappings of a NAT router's largest table, where it can be set so low that a case fills it; twenty "
        "other cases need some thousands",
    )
    nat_servers: list[IPFFAddress | IPv4Address] = Field(
        default=[],
        description="addresses on the inside, two or more of each network, that the tester plays servers at: ports of "
        "the NAT router's outside address lead there (section 5)",
    )
    nat_server_port: Annotated[int, Field(ge=1, le=0xFFFF)] = Field(default=80, description="the port of these servers")
    nat_destination_port: Annotated[int, Field(ge=1, le=0xFFFF)] = Field(
        default=8080,
        description="the port of the outside address that leads to the first of them; the next port leads to the next",
    )

    def servers_on(self, network: str) -> list[str]:
        """The servers inside that are reached from the outside, on a network."""
        return addresses_on(self.nat_servers, network)

    def anycast_on(self, network: str) -> str:
        """The anycast address on a network, nothing where there is none."""
        return address_on(self.anycast, network)


def address_on(addresses: list[str], network: str) -> str:
    """The first of these addresses that is one of this network, nothing where none is."""
    return next(iter(addresses_on(addresses, network)), "")


def addresses_on(addresses: list[str], network: str) -> list[str]:
    """Those of these addresses that are of this network."""
    dots = {"ipff": 4, "ipv4": 3}[network]
    return [address for address in addresses if address.count(".") == dots]


def _check_anycast(profile: "Profile", network: str) -> None:
    """An anycast server's address is its own twice: none of the tester's, and on the wire's network."""
    address, table = profile.ixit.mops.anycast_on(network), getattr(profile.ixit, network).of("link")
    if not address:
        raise ValueError(f'ixit.mops.anycast must name an address of {network}: ics.mops.roles names "anycast server"')
    if table is not None and not table.has_room_for(address):
        raise ValueError(
            f"ixit.mops.anycast must name host addresses of the network that are neither the tester's nor "
            f"ixit.{network}.address: {address}"
        )


def _check_servers(profile: "Profile", network: str) -> None:
    """Servers inside are at addresses of their own: none that the tester or the router uses for anything else."""
    addresses, table = profile.ixit.mops.servers_on(network), getattr(profile.ixit, network).of("inside")
    if len(addresses) < 2:
        raise ValueError(
            f"ixit.mops.nat_servers must name two or more addresses of {network}: ics.mops.nat_destination is true"
        )
    for address in addresses if table is not None else ():
        if not table.has_room_for(address):
            raise ValueError(
                f"ixit.mops.nat_servers must name host addresses of the inside that are neither among the tester's "
                f"nor ixit.{network}.inside.address: {address}"
            )


def dut_config(profile: "Profile", role: Role) -> dict[str, Any]:
    """Timers, numbers and addresses of MOPS; `mobile_capable` is null where the device has nothing to do with it."""
    mops, claims = profile.ixit.mops, profile.ics.mops
    option = mops.model_dump(include={"mobile_capable_kind", "mobile_capable_length", "mobile_capable_exid"})
    option = {key.removeprefix("mobile_capable_"): value for key, value in option.items()}
    knows_option = claims.mobile_capable or mops.nat_ack_trigger == "mobile_capable"
    return {
        **mops.model_dump(include={"rate_limit_s", "migrate_seq", "retry_interval_s", "retries", "router"}),
        **mops.model_dump(include={"anycast", "anycast_continues"}),
        "mobile_capable": option if knows_option else None,
        **(_nat_config(profile) if role.name == "NAT router" else {}),
        **({"firewall": _firewall_config(mops, bridge=claims.firewall_bridge)} if role.name == "firewall" else {}),
    }


def _nat_config(profile: "Profile") -> dict[str, Any]:
    """What a NAT router has to set: what it acknowledges, timers where it lets them be set, servers inside."""
    mops, claims = profile.ixit.mops, profile.ics.mops
    timers = mops.model_dump(include={"nat_transitory_s", "nat_established_s"})
    forwards = [
        {
            "network": network,
            "port": mops.nat_destination_port + number,
            "address": address,
            "server_port": mops.nat_server_port,
        }
        for network in (profile.ics.networks if claims.nat_destination else ())
        for number, address in enumerate(mops.servers_on(network))
    ]
    outside = profile.link.outside
    return {
        **({"outside_mtu": outside.mtu} if outside is not None and outside.mtu is not None else {}),
        **mops.model_dump(include={"nat_ack_trigger", "nat_ack_on", "nat_largest_table"}),
        **(timers if claims.nat_timers_settable else dict.fromkeys(timers)),
        "nat_forwards": forwards,
    }


def _firewall_config(mops: IXIT, *, bridge: bool) -> dict[str, Any]:
    """What a firewall has to set; timers are null where they cannot be set."""
    own = mops.model_dump(include={name for name in IXIT.model_fields if name.startswith("firewall_")})
    set_so = {"bridge": bridge, "opens_on": mops.opens_on}
    return {**set_so, **{key.removeprefix("firewall_"): value for key, value in own.items()}}
