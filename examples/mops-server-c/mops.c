// SPDX-License-Identifier: GPL-2.0-or-later
/* ICMP Migrate (draft-eromenko-ipff-mops-00, 4.1): a mobile node's connections go on at its new address.
 *
 * A command that is damaged, or of which one port was named less than the interval ago, is discarded in silence. Only TCP
 * can migrate, by its sequence number: RCV.NXT, or ahead of it within the window, for data may have been lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server.h"

enum { MIGRATE = 100, VERSION = 1, BEST_EFFORT = 0, ATOMIC = 1, SUCCESS = 2, FAILED = 3 };
enum { HEADER = 24, ENTRY = 8, MOST = (LONGEST_PACKET - 20 - HEADER) / ENTRY, HASHES = 1 << 14, MOST_ATTEMPTS = 1 << 18 };

struct attempt {
  struct attempt *next, *later;  // of the same hash; in the order of time
  uint64_t protocol_and_address;
  uint16_t port;
  double at;
};

static struct attempt *attempts[HASHES], *first, *last;
static size_t attempts_known;

static struct attempt **place_of(uint64_t address, uint16_t port) {
  return &attempts[(address * 31 + port * 2654435761u) % HASHES];
}

static void forget_old_attempts(void) {
  while (first && now - first->at >= settings.rate_limit_s) {
    struct attempt *old = first, **place = place_of(old->protocol_and_address, old->port);
    while (*place != old) place = &(*place)->next;
    *place = old->next;
    first = old->later;
    attempts_known--;
    free(old);
  }
}

static int is_too_soon(uint64_t address, uint16_t port) {
  for (struct attempt *one = *place_of(address, port); one; one = one->next)
    if (one->protocol_and_address == address && one->port == port) return 1;
  return 0;
}

static int note_attempt(uint64_t address, uint16_t port) {
  if (is_too_soon(address, port)) return 1;  // twice in one command
  struct attempt *one = attempts_known < MOST_ATTEMPTS ? malloc(sizeof *one) : NULL, **place = place_of(address, port);
  if (!one) return 0;
  *one = (struct attempt){.next = *place, .protocol_and_address = address, .port = port, .at = now};
  *place = one;
  if (!first) first = one;
  else last->later = one;
  last = one;
  attempts_known++;
  return 1;
}

/* An IPv4 address a.b.c.d is the IPFF address 0.a.b.c.d, ten bits a field; 0 where it is another one. */
static uint32_t address_in(uint64_t word) {
  uint32_t address = 0;
  for (int field = 4; field >= 0; field--) {
    uint32_t value = word >> 10 * field & 0x3FF;
    if (value > (field == 4 ? 0 : 255)) return 0;
    address = address << 8 | value;
  }
  return address;
}

static int is_right(const struct connection *one, uint32_t number) {
  if (settings.exact) return number == one->rcv_nxt;
  return number - one->rcv_nxt <= one->rcv_edge - one->rcv_nxt;
}

/* Move one connection; NULL if that is not possible. `has_moved` of the copy says whether there is something to undo. */
static struct connection *migrate(struct tuple from, struct tuple to, uint32_t number, struct connection *before) {
  struct connection *one = tcp_find(to);
  if (one && one->has_moved && same(one->moved_from, from) && same(one->moved_to, to) && one->moved_by == number) {
    *before = *one;  // a repeat: the answer was lost
    return one;
  }
  if (one || !to.port || !is_peer(to.address)) return NULL;
  one = tcp_find(from);
  if (!one || one->state < ESTABLISHED || !is_right(one, number)) return NULL;
  *before = *one;
  one->has_moved = 1;
  one->moved_from = from, one->moved_to = to, one->moved_by = number;
  tcp_rebind(one, to);
  return one;
}

static void undo(struct connection *one, const struct connection *before) {
  tcp_rebind(one, before->peer);
  one->has_moved = before->has_moved;
  one->moved_from = before->moved_from, one->moved_to = before->moved_to, one->moved_by = before->moved_by;
}

static void answer(uint32_t to, const uint8_t *request, uint8_t code, const uint8_t *entries, size_t count) {
  uint8_t reply[HEADER + ENTRY * MOST];
  memcpy(reply, request, HEADER);
  put16(reply + 2, 0);
  reply[5] = code;
  put16(reply + 6, 0);
  put16(reply + 16, (uint16_t)(count << 2 | (request[17] & 3)));
  memcpy(reply + HEADER, entries, ENTRY * count);
  put16(reply + 2, checksum(reply, HEADER + ENTRY * count, 0));
  ip_send(to, (uint8_t)settings.mops_protocol, reply, HEADER + ENTRY * count);
}

void mops_receive(uint32_t from, const uint8_t *message, size_t length) {
  if (length < HEADER || get16(message) != MIGRATE || checksum(message, length, 0)) return;
  uint8_t code = message[5];
  size_t count = get16(message + 16) >> 2;
  if (message[4] != VERSION || code > ATOMIC || !count || count > MOST || length != HEADER + ENTRY * count) return;
  uint64_t protocol_and_address = get64(message + 8);
  const uint8_t *entries = message + HEADER;
  forget_old_attempts();
  for (size_t place = 0; place < count; place++)
    if (is_too_soon(protocol_and_address, get16(entries + ENTRY * place))) return;
  for (size_t place = 0; place < count; place++)
    if (!note_attempt(protocol_and_address, get16(entries + ENTRY * place))) return;

  uint32_t previous = address_in(protocol_and_address), migrated = address_in(get64(message + 16));
  int is_tcp = protocol_and_address >> 50 == TCP;
  static struct connection *moved[MOST], before[MOST];
  static uint8_t failed[ENTRY * MOST];
  size_t failures = 0;
  for (size_t place = 0; place < count; place++) {
    const uint8_t *entry = entries + ENTRY * place;
    struct tuple old = {previous, get16(entry)}, new = {migrated, get16(entry + 2)};
    moved[place] = is_tcp && previous && migrated ? migrate(old, new, get32(entry + 4), &before[place]) : NULL;
    if (!moved[place]) memcpy(failed + ENTRY * failures++, entry, ENTRY);
  }
  for (size_t place = count; failures && code == ATOMIC && place--;)
    if (moved[place]) undo(moved[place], &before[place]);
  fprintf(stderr, "migrate of %zu: %zu failed\n", count, failures);
  if (failures) answer(from, message, FAILED, failed, failures);
  else answer(from, message, SUCCESS, entries, count);
  for (size_t place = 0; place < count; place++)
    if (moved[place] && !same(moved[place]->peer, before[place].peer)) tcp_resume(moved[place]);
}
