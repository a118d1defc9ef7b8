// SPDX-License-Identifier: GPL-2.0-or-later
/* TCP, the passive side (RFC 9293), with one application: what comes goes back (RFC 862).
 *
 * No window scale, no timestamps, no SACK; what comes out of order is dropped and acknowledged again. A byte takes room
 * from its arrival until its echo is acknowledged, so the window closes where nobody reads the echo. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "server.h"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, HEADER = 20, HASHES = 1 << 16, MOST_RETRIES = 8, MOST_CONNECTIONS = 1 << 16 };

static const double FIRST_RTO_S = 1.0, LONGEST_RTO_S = 60.0;
static struct connection *connections[HASHES], *newest;
static size_t known;

static int32_t distance(uint32_t from, uint32_t to) { return (int32_t)(to - from); }

static uint32_t smaller(uint32_t one, uint32_t other) { return one < other ? one : other; }

static struct connection **place_of(struct tuple peer) {
  return &connections[(peer.address * 2654435761u ^ peer.port * 40503u) % HASHES];
}

struct connection *tcp_find(struct tuple peer) {
  struct connection *one = *place_of(peer);
  while (one && !same(one->peer, peer)) one = one->next;
  return one;
}

static void take_out(struct connection *one) {
  struct connection **place = place_of(one->peer);
  while (*place != one) place = &(*place)->next;
  *place = one->next;
}

static void put_in(struct connection *one) {
  struct connection **place = place_of(one->peer);
  one->next = *place;
  *place = one;
}

void tcp_rebind(struct connection *one, struct tuple peer) {
  take_out(one);
  one->peer = peer;
  put_in(one);
}

static void end(struct connection *one) {
  take_out(one);
  if (one->newer) one->newer->older = one->older;
  else newest = one->older;
  if (one->older) one->older->newer = one->newer;
  free(one->buffer);
  free(one);
  known--;
}

// Sending

static void segment_send(struct tuple peer, uint32_t number, uint32_t acknowledgement, uint8_t flags, uint16_t window,
                         const uint8_t *options, size_t option_bytes, const uint8_t *data, size_t length) {
  uint8_t segment[LONGEST_PACKET] = {0};
  put16(segment, settings.echo_port);
  put16(segment + 2, peer.port);
  put32(segment + 4, number);
  put32(segment + 8, acknowledgement);
  segment[12] = (uint8_t)((HEADER + option_bytes) / 4 << 4);
  segment[13] = flags;
  put16(segment + 14, window);
  if (option_bytes) memcpy(segment + HEADER, options, option_bytes);
  if (length) memcpy(segment + HEADER + option_bytes, data, length);
  size_t total = HEADER + option_bytes + length;
  uint32_t pseudo = (settings.address >> 16) + (settings.address & 0xFFFF) + (peer.address >> 16) + (peer.address & 0xFFFF);
  put16(segment + 16, checksum(segment, total, pseudo + TCP + (uint32_t)total));
  ip_send(peer.address, TCP, segment, total);
}

static void send_at(struct connection *one, uint32_t number, uint8_t flags, size_t offset, size_t length) {
  static const uint8_t mss[] = {2, 4, MSS >> 8, MSS & 0xFF};
  uint8_t data[MSS];
  for (size_t place = 0; place < length; place++) data[place] = one->buffer[(one->start + offset + place) % BUFFER];
  one->rcv_edge = one->rcv_nxt + (uint32_t)(BUFFER - one->held);
  segment_send(one->peer, number, one->rcv_nxt, flags, (uint16_t)(BUFFER - one->held), mss, flags & SYN ? sizeof mss : 0, data, length);
}

static void acknowledge(struct connection *one) { send_at(one, one->snd_max, ACK, 0, 0); }

static void send_syn_ack(struct connection *one) { send_at(one, one->iss, SYN | ACK, 0, 0); }

static int wants_to_finish(const struct connection *one) { return one->state == CLOSE_WAIT || one->state == LAST_ACK; }

/* Send what windows allow, from SND.NXT on; `must` is one byte or FIN, whatever they allow. Whether anything was sent. */
static int push(struct connection *one, int must) {
  uint32_t end_of_data = one->snd_una + (uint32_t)one->held;
  int sent = 0;
  for (;;) {
    uint32_t offset = one->snd_nxt - one->snd_una;
    uint32_t window = smaller(one->snd_wnd, one->cwnd), room = window > offset ? window - offset : 0;
    if (must && !room) room = 1;
    must = 0;
    int32_t left = distance(one->snd_nxt, end_of_data);
    if (left < 0) break;  // FIN is under way
    uint32_t length = smaller(smaller((uint32_t)left, one->mss), room);
    int finishes = wants_to_finish(one) && length == (uint32_t)left && length < room;
    if (!length && !finishes) break;
    if (length < one->mss && length < (uint32_t)left && offset) break;  // wait for room (RFC 9293, 3.8.6.2.1)
    send_at(one, one->snd_nxt, (uint8_t)(ACK | (length ? PSH : 0) | (finishes ? FIN : 0)), offset, length);
    one->snd_nxt += length + (uint32_t)finishes;
    if (finishes) one->state = LAST_ACK;
    if (distance(one->snd_max, one->snd_nxt) > 0) one->snd_max = one->snd_nxt;
    sent = 1;
  }
  if (!one->timer && (one->snd_nxt != one->snd_una || one->held)) one->timer = now + one->rto;
  return sent;
}

void tcp_resume(struct connection *one) {
  one->cwnd = 3u * one->mss;
  one->snd_nxt = one->snd_una;
  one->duplicates = one->retries = 0;
  one->rto = FIRST_RTO_S, one->timer = 0;
  push(one, 0);
}

static void send_again(struct connection *one) {
  if (one->retries++ == MOST_RETRIES) {
    segment_send(one->peer, one->snd_nxt, one->rcv_nxt, RST | ACK, 0, NULL, 0, NULL, 0);
    end(one);
    return;
  }
  one->rto = one->rto * 2 < LONGEST_RTO_S ? one->rto * 2 : LONGEST_RTO_S;
  one->timer = now + one->rto;
  if (one->state == SYN_RECEIVED) {
    send_syn_ack(one);
    return;
  }
  uint32_t flight = smaller(one->snd_max - one->snd_una, one->cwnd);
  one->ssthresh = flight / 2 > 2u * one->mss ? flight / 2 : 2u * one->mss;
  one->cwnd = one->mss;
  one->snd_nxt = one->snd_una;
  push(one, 1);
}

void tcp_tick(void) {
  for (struct connection *one = newest, *older; one; one = older) {
    older = one->older;
    if (one->timer && one->timer <= now) send_again(one);
  }
}

// Receiving

static void refuse(struct tuple peer, const uint8_t *segment, uint32_t length) {
  uint8_t flags = segment[13];
  if (flags & RST) return;
  if (flags & ACK) segment_send(peer, get32(segment + 8), 0, RST, 0, NULL, 0, NULL, 0);
  else segment_send(peer, 0, get32(segment + 4) + length, RST | ACK, 0, NULL, 0, NULL, 0);
}

static uint16_t mss_in(const uint8_t *segment, size_t header) {
  for (size_t place = HEADER; place < header && segment[place];) {
    if (segment[place] == 1) {
      place++;
      continue;
    }
    if (place + 1 >= header || segment[place + 1] < 2 || place + segment[place + 1] > header) break;
    if (segment[place] == 2 && segment[place + 1] == 4) {
      uint16_t mss = get16(segment + place + 2);
      return mss < 64 ? 64 : mss > MSS ? MSS : mss;
    }
    place += segment[place + 1];
  }
  return 536;
}

static void open_connection(struct tuple peer, const uint8_t *segment, size_t header) {
  struct connection *one = known < MOST_CONNECTIONS ? calloc(1, sizeof *one) : NULL;
  if (!one || !(one->buffer = malloc(BUFFER)) || getrandom(&one->iss, sizeof one->iss, 0) < 0) {
    if (one) free(one->buffer);
    free(one);
    return;
  }
  one->peer = peer;
  one->irs = get32(segment + 4);
  one->rcv_nxt = one->irs + 1;
  one->snd_una = one->iss;
  one->snd_nxt = one->snd_max = one->iss + 1;
  one->mss = mss_in(segment, header);
  one->cwnd = 3u * one->mss, one->ssthresh = BUFFER;
  one->rto = FIRST_RTO_S, one->timer = now + one->rto;
  put_in(one);
  one->older = newest;
  if (newest) newest->newer = one;
  newest = one;
  known++;
  send_syn_ack(one);
}

/* What is acknowledged leaves its room and lets more go out. Returns 0 if the connection has ended. */
static int take_acknowledgement(struct connection *one, const uint8_t *segment, int is_pure) {
  uint32_t acknowledgement = get32(segment + 8), number = get32(segment + 4), window = get16(segment + 14);
  if (distance(one->snd_max, acknowledgement) > 0) {
    acknowledge(one);
    return 0;
  }
  int32_t fresh = distance(one->snd_una, acknowledgement);
  if (fresh >= 0 && (distance(one->snd_wl1, number) > 0 || (one->snd_wl1 == number && distance(one->snd_wl2, acknowledgement) >= 0))) {
    if (fresh || window != one->snd_wnd) one->duplicates = 0;
    one->snd_wnd = window, one->snd_wl1 = number, one->snd_wl2 = acknowledgement;
  }
  if (fresh > 0) {
    uint32_t data = smaller((uint32_t)fresh, (uint32_t)one->held);
    one->start = (one->start + data) % BUFFER;
    one->held -= data;
    one->snd_una = acknowledgement;
    if (distance(one->snd_nxt, acknowledgement) > 0) one->snd_nxt = acknowledgement;
    one->cwnd += one->cwnd < one->ssthresh ? one->mss : (uint32_t)one->mss * one->mss / one->cwnd;
    if (one->cwnd > BUFFER) one->cwnd = BUFFER;
    one->retries = 0, one->rto = FIRST_RTO_S;
    one->timer = one->snd_max != one->snd_una ? now + one->rto : 0;
    if (one->state == LAST_ACK && acknowledgement == one->snd_max) {
      end(one);
      return 0;
    }
  } else if (!fresh) {
    one->retries = one->held || one->state == LAST_ACK ? one->retries : 0;
    if (!window) one->retries = 0;  // it lives, and has no room
    if (is_pure && window == one->snd_wnd && one->snd_max != one->snd_una && ++one->duplicates == 3) {
      uint32_t next = one->snd_nxt, allowed = one->cwnd;
      one->snd_nxt = one->snd_una, one->cwnd = one->mss;
      push(one, 1);
      one->snd_nxt = next, one->cwnd = allowed / 2 > 2u * one->mss ? allowed / 2 : 2u * one->mss;
    }
  }
  return 1;
}

static void take_data(struct connection *one, const uint8_t *data, uint32_t length) {
  for (uint32_t place = 0; place < length; place++) one->buffer[(one->start + one->held + place) % BUFFER] = data[place];
  one->held += length;
  one->rcv_nxt += length;
}

static int is_acceptable(const struct connection *one, uint32_t number, uint32_t length) {
  uint32_t window = (uint32_t)(BUFFER - one->held);
  int32_t begin = distance(one->rcv_nxt, number), last = distance(one->rcv_nxt, number + length) - 1;
  if (!length) return window ? begin >= 0 && begin < (int32_t)window : !begin;
  return window && ((begin >= 0 && begin < (int32_t)window) || (last >= 0 && last < (int32_t)window));
}

static void take_segment(struct connection *one, const uint8_t *segment, const uint8_t *data, uint32_t bytes) {
  uint8_t flags = segment[13];
  uint32_t number = get32(segment + 4), occupied = bytes + !!(flags & SYN) + !!(flags & FIN);
  if (one->state == SYN_RECEIVED && flags & SYN && !(flags & (ACK | RST)) && number == one->irs) {
    send_syn_ack(one);
    return;
  }
  if (!is_acceptable(one, number, occupied)) {
    if (!(flags & RST)) {
      if (flags & ACK && !bytes && distance(one->snd_una, get32(segment + 8)) >= 0 && one->state != SYN_RECEIVED &&
          !take_acknowledgement(one, segment, 0))
        return;
      acknowledge(one);
    }
    return;
  }
  if (flags & RST) {  // RFC 5961, 3.2
    if (number == one->rcv_nxt) end(one);
    else acknowledge(one);
    return;
  }
  if (flags & SYN) {  // RFC 5961, 4.2
    acknowledge(one);
    return;
  }
  if (!(flags & ACK)) return;
  if (one->state == SYN_RECEIVED) {
    if (get32(segment + 8) != one->iss + 1) {
      segment_send(one->peer, get32(segment + 8), 0, RST, 0, NULL, 0, NULL, 0);
      return;
    }
    one->state = ESTABLISHED;
    one->snd_wl1 = number, one->snd_wl2 = one->snd_una = one->iss + 1;
    one->snd_wnd = get16(segment + 14);
    one->timer = 0, one->retries = 0, one->rto = FIRST_RTO_S;
  } else if (!take_acknowledgement(one, segment, !occupied)) {
    return;
  }
  uint32_t window_before = one->rcv_edge - one->rcv_nxt;
  int owes = 0;
  uint32_t skipped = one->rcv_nxt - number;
  if (occupied && distance(one->rcv_nxt, number) > 0) {
    acknowledge(one);  // something is missing before it
    return;
  }
  if (bytes > skipped) {
    uint32_t length = smaller(bytes - skipped, (uint32_t)(BUFFER - one->held));
    if (one->state == ESTABLISHED) take_data(one, data + skipped, length);
    if (length < bytes - skipped) flags &= (uint8_t)~FIN;
    owes = 1;
  } else if (occupied) {
    owes = 1;
  }
  if (flags & FIN && one->state == ESTABLISHED && number + bytes == one->rcv_nxt) {
    one->rcv_nxt++;
    one->state = CLOSE_WAIT;
  }
  int32_t grown = distance(one->rcv_edge, one->rcv_nxt + (uint32_t)(BUFFER - one->held));
  if (!push(one, 0) && (owes || (window_before < 2 * MSS && grown >= MSS))) acknowledge(one);
}

void tcp_receive(uint32_t from, const uint8_t *segment, size_t length) {
  if (length < HEADER) return;
  size_t header = (size_t)(segment[12] >> 4) * 4;
  uint32_t pseudo = (settings.address >> 16) + (settings.address & 0xFFFF) + (from >> 16) + (from & 0xFFFF);
  if (header < HEADER || header > length || checksum(segment, length, pseudo + TCP + (uint32_t)length)) return;
  struct tuple peer = {from, get16(segment)};
  uint32_t bytes = (uint32_t)(length - header);
  uint8_t flags = segment[13];
  struct connection *one = get16(segment + 2) == settings.echo_port ? tcp_find(peer) : NULL;
  if (one) take_segment(one, segment, segment + header, bytes);
  else if (get16(segment + 2) == settings.echo_port && (flags & (SYN | ACK | RST | FIN)) == SYN) open_connection(peer, segment, header);
  else refuse(peer, segment, bytes + !!(flags & SYN) + !!(flags & FIN));
}
