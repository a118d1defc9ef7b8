// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames on the wire: Ethernet, ARP (RFC 826), IPv4 (RFC 791), echo requests of ICMP (RFC 792).
 * Everybody in the prefix is on the link. A few packets at a time are put together of fragments. */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "server.h"

enum { ETHERNET = 14, ARP = 28, IPV4 = 20, SHORTEST_FRAME = 60, NEIGHBOURS = 1 << 17, PUZZLES = 16, PATIENCE_S = 30 };

struct neighbour {
  uint32_t address;
  int is_known;
  uint8_t mac[6];
  uint8_t *waiting;  // the last packet for it, while it is asked for
  size_t length;
};

static const uint8_t everybody[6] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
static struct neighbour neighbours[NEIGHBOURS];
static uint8_t own_mac[6];
static int out;

uint16_t checksum(const uint8_t *data, size_t length, uint32_t sum) {
  for (size_t place = 0; place + 1 < length; place += 2) sum += get16(data + place);
  if (length & 1) sum += (uint32_t)data[length - 1] << 8;
  while (sum >> 16) sum = (sum & 0xFFFF) + (sum >> 16);
  return (uint16_t)~sum;
}

int is_peer(uint32_t address) {
  uint32_t host = address & ~settings.netmask;
  return (address & settings.netmask) == (settings.address & settings.netmask) && address != settings.address && host &&
         host != ~settings.netmask;
}

int wire_open(const char *name) {
  struct sockaddr_ll end = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(name)};
  struct ifreq request = {0};
  out = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
  strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
  if (out < 0 || bind(out, (struct sockaddr *)&end, sizeof end) || ioctl(out, SIOCGIFHWADDR, &request)) return -1;
  memcpy(own_mac, request.ifr_hwaddr.sa_data, sizeof own_mac);
  return out;
}

static void frame_send(const uint8_t *mac, uint16_t type, const uint8_t *payload, size_t length) {
  uint8_t frame[ETHERNET + LONGEST_PACKET] = {0};
  memcpy(frame, mac, 6);
  memcpy(frame + 6, own_mac, 6);
  put16(frame + 12, type);
  memcpy(frame + ETHERNET, payload, length);
  length += ETHERNET;
  if (send(out, frame, length < SHORTEST_FRAME ? SHORTEST_FRAME : length, 0) < 0) return;  // as lost as on any wire
}

static void arp_send(uint16_t operation, const uint8_t *to_mac, uint32_t to) {
  uint8_t packet[ARP] = {0, 1, 8, 0, 6, 4};
  put16(packet + 6, operation);
  memcpy(packet + 8, own_mac, 6);
  put32(packet + 14, settings.address);
  if (operation == 2) memcpy(packet + 18, to_mac, 6);
  put32(packet + 24, to);
  frame_send(to_mac, ETHERTYPE_ARP, packet, sizeof packet);
}

static struct neighbour *neighbour_at(uint32_t address) {  // a table of one place for each of the last 17 bits
  struct neighbour *one = &neighbours[address % NEIGHBOURS];
  if (one->address != address) {
    free(one->waiting);
    *one = (struct neighbour){.address = address};
  }
  return one;
}

static void learn(uint32_t address, const uint8_t *mac) {
  if (!is_peer(address)) return;
  struct neighbour *one = neighbour_at(address);
  memcpy(one->mac, mac, 6);
  one->is_known = 1;
  if (one->waiting) frame_send(mac, ETHERTYPE_IP, one->waiting, one->length);
  free(one->waiting);
  one->waiting = NULL;
}

static void arp_receive(const uint8_t *packet, size_t length) {
  static const uint8_t begins[] = {0, 1, 8, 0, 6, 4};
  if (length < ARP || memcmp(packet, begins, sizeof begins)) return;
  uint32_t sender = get32(packet + 14);
  if (get32(packet + 24) != settings.address) return;
  learn(sender, packet + 8);
  if (get16(packet + 6) == 1) arp_send(2, packet + 8, sender);
}

void ip_send(uint32_t to, uint8_t protocol, const uint8_t *payload, size_t length) {
  static uint16_t number;
  uint8_t packet[LONGEST_PACKET] = {0x45};
  if (!is_peer(to) || length > sizeof packet - IPV4) return;
  put16(packet + 2, (uint16_t)(IPV4 + length));
  put16(packet + 4, number++);
  packet[8] = 64, packet[9] = protocol;
  put32(packet + 12, settings.address);
  put32(packet + 16, to);
  put16(packet + 10, checksum(packet, IPV4, 0));
  memcpy(packet + IPV4, payload, length);
  struct neighbour *one = neighbour_at(to);
  if (one->is_known) {
    frame_send(one->mac, ETHERTYPE_IP, packet, IPV4 + length);
    return;
  }
  free(one->waiting);
  one->waiting = malloc(one->length = IPV4 + length);
  if (one->waiting) memcpy(one->waiting, packet, one->length);
  arp_send(1, everybody, to);
}

static void icmp_receive(uint32_t from, const uint8_t *message, size_t length) {
  uint8_t answer[LONGEST_PACKET];
  if (length < 8 || length > sizeof answer || message[0] != 8 || message[1] || checksum(message, length, 0)) return;
  memcpy(answer, message, length);
  answer[0] = 0;
  put16(answer + 2, 0);
  put16(answer + 2, checksum(answer, length, 0));
  ip_send(from, ICMP, answer, length);
}

static void deliver(uint32_t from, uint8_t protocol, const uint8_t *payload, size_t length) {
  if (protocol == TCP) tcp_receive(from, payload, length);
  else if (protocol == ICMP) icmp_receive(from, payload, length);
  else if (protocol == settings.mops_protocol) mops_receive(from, payload, length);
}

/* A fragment (RFC 791, 3.2): it waits for the others, and what is whole is delivered. */
static void fragment_receive(uint32_t from, const uint8_t *packet, const uint8_t *payload, size_t length) {
  static struct puzzle {
    uint32_t from;
    uint16_t number;
    uint8_t protocol, is_here[LONGEST_PACKET / 8 + 1], data[LONGEST_PACKET];
    size_t whole;  // its length, once the last fragment has told
    double since;
  } puzzles[PUZZLES];
  size_t offset = (get16(packet + 6) & 0x1FFF) * 8;
  int is_last = !(packet[6] & 0x20);
  if (offset + length > LONGEST_PACKET || (!is_last && length % 8)) return;
  struct puzzle *one = NULL, *oldest = puzzles;
  for (struct puzzle *each = puzzles; each < puzzles + PUZZLES; each++) {
    if (each->from == from && each->number == get16(packet + 4) && each->protocol == packet[9] && now - each->since < PATIENCE_S)
      one = each;
    if (each->since < oldest->since) oldest = each;
  }
  if (!one) {
    one = oldest;
    *one = (struct puzzle){.from = from, .number = get16(packet + 4), .protocol = packet[9], .since = now};
  }
  memcpy(one->data + offset, payload, length);
  memset(one->is_here + offset / 8, 1, (length + 7) / 8);
  if (is_last) one->whole = offset + length;
  if (!one->whole || memchr(one->is_here, 0, (one->whole + 7) / 8)) return;
  deliver(from, one->protocol, one->data, one->whole);
  one->from = 0;
}

static void ip_receive(const uint8_t *packet, size_t length, const uint8_t *mac) {
  if (length < IPV4 || packet[0] >> 4 != 4) return;
  size_t header = (size_t)(packet[0] & 15) * 4, total = get16(packet + 2);
  if (header < IPV4 || total < header || total > length || checksum(packet, header, 0)) return;
  if (get32(packet + 16) != settings.address) return;
  uint32_t from = get32(packet + 12);
  if (!is_peer(from)) return;
  learn(from, mac);
  if (get16(packet + 6) & 0x3FFF) fragment_receive(from, packet, packet + header, total - header);
  else deliver(from, packet[9], packet + header, total - header);
}

void wire_receive(int wire) {
  uint8_t frame[ETHERNET + LONGEST_PACKET];
  struct sockaddr_ll from;
  socklen_t size = sizeof from;
  ssize_t length = recvfrom(wire, frame, sizeof frame, 0, (struct sockaddr *)&from, &size);
  if (length < ETHERNET || from.sll_pkttype == PACKET_OUTGOING || from.sll_pkttype == PACKET_OTHERHOST) return;
  const uint8_t *payload = frame + ETHERNET;
  if (get16(frame + 12) == ETHERTYPE_ARP) arp_receive(payload, (size_t)length - ETHERNET);
  else if (get16(frame + 12) == ETHERTYPE_IP) ip_receive(payload, (size_t)length - ETHERNET, frame + 6);
}
