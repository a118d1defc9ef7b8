// SPDX-License-Identifier: GPL-2.0-or-later
/* A MOPS server with a TCP/IP of its own, over IPv4 (docs/dut-contract.md): what its files know of each other.
 * Addresses, ports and sequence numbers are in host byte order everywhere but on the wire. */
#ifndef SERVER_H
#define SERVER_H

#include <stddef.h>
#include <stdint.h>

enum { TCP = 6, ICMP = 1, MSS = 1460, BUFFER = 32768, LONGEST_PACKET = 1500 };

struct settings {
  uint32_t address, netmask;
  uint16_t echo_port;
  int mops_protocol;          // the IPv4 protocol number that MOPS messages travel under, or -1
  double rate_limit_s;
  int exact;                  // whether a sequence number has to be RCV.NXT itself
};

struct tuple {                // the peer's half: our own address and port are always the same
  uint32_t address;
  uint16_t port;
};

enum state { SYN_RECEIVED, ESTABLISHED, CLOSE_WAIT, LAST_ACK, CLOSED };

struct connection {
  struct connection *next;    // of the same hash
  struct connection *older, *newer;
  struct tuple peer;
  enum state state;
  uint32_t snd_una, snd_nxt, snd_max, snd_wnd, snd_wl1, snd_wl2;
  uint32_t rcv_nxt, rcv_edge; // rcv_edge: the right edge of the window that was announced
  uint32_t iss, irs, cwnd, ssthresh;
  uint16_t mss;
  int duplicates, retries;
  double timer, rto;          // when to send again (0: not at all), after how long
  size_t start, held;         // what came and has not come back acknowledged yet: a ring
  uint8_t *buffer;
  int has_moved;
  struct tuple moved_from, moved_to;  // by the last Migrate that succeeded
  uint32_t moved_by;                  // and its sequence number
};

extern struct settings settings;
extern double now;            // seconds, monotonic; taken once for each frame

static inline uint16_t get16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }
static inline uint32_t get32(const uint8_t *at) { return (uint32_t)get16(at) << 16 | get16(at + 2); }
static inline uint64_t get64(const uint8_t *at) { return (uint64_t)get32(at) << 32 | get32(at + 4); }
static inline void put16(uint8_t *at, uint16_t value) { at[0] = (uint8_t)(value >> 8), at[1] = (uint8_t)value; }
static inline void put32(uint8_t *at, uint32_t value) { put16(at, (uint16_t)(value >> 16)), put16(at + 2, (uint16_t)value); }
static inline int same(struct tuple one, struct tuple other) { return one.address == other.address && one.port == other.port; }

// wire.c: Ethernet, ARP, IPv4
int wire_open(const char *name);
void wire_receive(int wire);
void ip_send(uint32_t to, uint8_t protocol, const uint8_t *payload, size_t length);
int is_peer(uint32_t address);  // whether a neighbour can have this address
uint16_t checksum(const uint8_t *data, size_t length, uint32_t sum);

// tcp.c: TCP and its echo service (RFC 9293, RFC 862)
void tcp_receive(uint32_t from, const uint8_t *segment, size_t length);
void tcp_tick(void);
struct connection *tcp_find(struct tuple peer);
void tcp_rebind(struct connection *one, struct tuple peer);  // go on with a peer at another tuple
void tcp_resume(struct connection *one);                     // what is under way is sent again, to where the peer is now

// mops.c
void mops_receive(uint32_t from, const uint8_t *message, size_t length);

#endif
