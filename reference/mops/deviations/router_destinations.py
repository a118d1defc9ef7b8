# SPDX-License-Identifier: GPL-2.0-or-later
"""Deviations of a NAT router in what it does for servers on its inside that hosts outside reach."""

from collections.abc import Sequence
from dataclasses import replace

from reference.middlebox.nat.mappings import Mapping
from reference.middlebox.packet import Packet
from reference.mops.message import FAILED, MIGRATE, Entry, Migrate
from reference.mops.nat.destinations import Destinations
from reference.mops.nat.requests import Request
from reference.mops.nat.router import NatRouter, without_checksum
from reference.system.alterations import deviation

REACHES = "A Migrate from the outside reaches the inside server that has the connection."
FROM = "The server's reply comes from the address that was asked."
ON_SUCCESS = "Connections are remapped on the server's success, and not before."
PARTLY = "What a failed reply does not list is remapped."
STAYS = "What a failed reply lists is where it was."


@deviation("router-destination-migrates-dropped", "5", REACHES, "it is dropped: the router has not sent it")
class _Dropped(NatRouter):
    def request_received(self, packet: Packet, migrate: Migrate) -> None:
        """Nothing."""


@deviation("router-destination-repeats-dropped", "5", REACHES, "the second transmission is dropped")
class _RepeatsDropped(Destinations):
    def asked(self, request: Migrate, address: int, now: float) -> int | None:
        seen = self.__dict__.setdefault("_seen", set())
        if request in seen:
            return None
        seen.add(request)
        return super().asked(request, address, now)


@deviation("router-destination-one-for-all", "5", REACHES, "all go to the server of the first")
class _OneForAll(Destinations):
    def server_of(self, mappings: Sequence[Mapping | None]) -> int | None:
        found = super().server_of(mappings)
        return found if found is None else self.__dict__.setdefault("_first", found)


@deviation("router-destination-first-entry-alone", "5", REACHES, "it is dropped where it names several connections")
class _FirstAlone(Destinations):
    def asked(self, request: Migrate, address: int, now: float) -> int | None:
        return super().asked(request, address, now) if len(request.entries) == 1 else None


@deviation("router-destination-migrated-rewritten", "5", REACHES, "it names the router's own address as migrated")
class _Rewritten(NatRouter):
    def request_received(self, packet: Packet, migrate: Migrate) -> None:
        server = self.destinations[packet.network].asked(migrate, packet.destination, self.now)
        if server is not None:
            own = packet.network.to_ipff(self.outside.own[packet.network])
            self.send_on(packet, server, without_checksum(replace(migrate, migrated=own).pack()))


@deviation("router-destination-replies-from-the-inside", "5", FROM, "it comes from the server's inside address")
class _FromInside(NatRouter):
    def answer_passes(self, packet: Packet, reply: Migrate) -> bool:
        inside = packet.source
        passes = super().answer_passes(packet, reply)
        packet.change_source(inside)
        self.rewrite(packet, reply)
        return passes


@deviation("router-destination-refusals-from-the-inside", "5", FROM, "a failed one comes from the inside address")
class _RefusalsFromInside(_FromInside):
    def answer_passes(self, packet: Packet, reply: Migrate) -> bool:
        if reply.code != FAILED:
            return NatRouter.answer_passes(self, packet, reply)
        return super().answer_passes(packet, reply)


@deviation(
    "router-destination-replies-dropped", "5", FROM, "it is dropped: no host inside has been asked by the router"
)
class _RepliesDropped(NatRouter):
    def answer_passes(self, packet: Packet, reply: Migrate) -> bool:
        return False


@deviation("router-destination-remaps-at-once", "5", ON_SUCCESS, "they are remapped by the Migrate")
class _AtOnce(Destinations):
    def asked(self, request: Migrate, address: int, now: float) -> int | None:
        found = super().of(request, now)
        server = super().asked(request, address, now)
        for entry, mapping in zip(request.entries, found, strict=True):
            if mapping is not None:
                self.remap(mapping, request, entry, now)
        return server


@deviation("router-destination-remaps-never", "5", ON_SUCCESS, "they are never remapped")
class _Never(Destinations):
    def remap(self, mapping: Mapping, reply: Migrate, entry: Entry, now: float) -> None:
        """Nothing."""


@deviation("router-destination-remaps-once", "5", ON_SUCCESS, "a connection is remapped once and not again")
class _Once(Destinations):
    def remap(self, mapping: Mapping, reply: Migrate, entry: Entry, now: float) -> None:
        moved = self.__dict__.setdefault("_moved", set())
        if (mapping, reply.previous, entry.previous_port) not in moved:
            super().remap(mapping, reply, entry, now)
        moved.add((mapping, reply.migrated, entry.migrated_port))


@deviation("router-destination-several-not-remapped", "5", ON_SUCCESS, "of several connections none is remapped")
class _SeveralNot(Destinations):
    def take_effect(self, request: Request, reply: Migrate, now: float) -> None:
        if len(request.entries) == 1:
            super().take_effect(request, reply, now)


@deviation("router-destination-failure-remaps-nothing", "5", PARTLY, "nothing is remapped")
class _FailureNothing(Destinations):
    def take_effect(self, request: Request, reply: Migrate, now: float) -> None:
        if reply.code != FAILED:
            super().take_effect(request, reply, now)


@deviation("router-destination-failure-ends-at-the-first", "5", PARTLY, "nothing after the first failed one is")
class _UpToTheFirst(Destinations):
    def take_effect(self, request: Request, reply: Migrate, now: float) -> None:
        for entry, mapping in request.migrated(reply):
            if reply.code == FAILED and request.entries.index(entry) > request.entries.index(reply.entries[0]):
                break
            self.remap(mapping, reply, entry, now)


@deviation("router-destination-failure-is-success", "5", STAYS, "everything is remapped")
class _FailureIsSuccess(Destinations):
    def take_effect(self, request: Request, reply: Migrate, now: float) -> None:
        for entry, mapping in zip(request.entries, request.mappings, strict=True):
            self.remap(mapping, reply, entry, now)


@deviation("router-destination-second-failure-remaps", "5", STAYS, "the second failure of a connection remaps it")
class _SecondFailure(Destinations):
    def take_effect(self, request: Request, reply: Migrate, now: float) -> None:
        super().take_effect(request, reply, now)
        refused = self.__dict__.setdefault("_refused", set())
        for entry, mapping in zip(request.entries, request.mappings, strict=True):
            where = mapping, reply.previous, entry.previous_port
            if reply.code == FAILED and where in refused:
                self.remap(mapping, reply, entry, now)
            refused.add(where)


@deviation(
    "router-destination-atomic-failure-partly", "5", STAYS, "a failed atomic Migrate remaps, and ends, everything"
)
class _AtomicPartly(Destinations):
    def take_effect(self, request: Request, reply: Migrate, now: float) -> None:
        super().take_effect(request, reply, now)
        if reply.code == FAILED and request.code != MIGRATE:
            for entry, mapping in zip(request.entries, request.mappings, strict=True):
                self.remap(mapping, reply, entry, now)
