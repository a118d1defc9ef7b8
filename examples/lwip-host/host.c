// SPDX-License-Identifier: GPL-2.0-or-later
/* An ordinary host whose TCP/IP is lwIP, on the wire that the run has made (docs/dut-contract.md).
 *
 *     cc -O2 -rdynamic -I/usr/include/lwip -o lwip-host host.c -llwip
 *
 * The library is Debian's liblwip 2.1: a segment size of 1460, a window of 64 KiB, no timestamps, no SACK, hardly any
 * room for neighbours. Frames are padded to 60 bytes, as an Ethernet card does. `--window N` offers a receive window of
 * N bytes, `--mss N` is the interface of a network with so small packets, and with `--slow-ms N` the echo service takes
 * what has come that many milliseconds after the first of it. `--wire NAME` is another interface, `--neighbour MAC` the
 * only neighbour on it, who is not asked for. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lwip/etharp.h"
#include "netif/ethernet.h"
#include "lwip/init.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/tcpip.h"
#include "lwip/timeouts.h"
#include "lwip/udp.h"

enum { SHORTEST_FRAME = 60, LONGEST_FRAME = 1514, LONGEST_LINE = 1 << 18, MOST_SOCKETS = 4096 };

struct connection {
  struct tcp_pcb *pcb;
  struct pbuf *unread;           // of the echo service
  char *unsent;                  // of an application: what lwIP has no room for yet
  size_t offset, length;
  long asked;                    // the request of the upper tester that is not answered yet
  int waits, at_end, is_application;
};

static struct connection *sockets[MOST_SOCKETS];
static int sockets_known, wire, slow_ms;
static u16_t window = 0xFFFF, mss = 1460;
static const char *wire_name = "wire0";
static struct eth_addr neighbour;
static int knows_neighbour;
static struct netif interface;

/* Called inside lwIP too, on the way to every SYN and SYN-ACK: the place where the window can be made another. */
err_t tcp_enqueue_flags(struct tcp_pcb *pcb, u8_t flags) {
  err_t (*enqueue)(struct tcp_pcb *, u8_t) = dlsym(RTLD_NEXT, "tcp_enqueue_flags");
  if (flags & TCP_SYN) pcb->rcv_ann_wnd = window;
  if (flags & TCP_SYN && pcb->state == SYN_RCVD) pcb->rcv_wnd = window;
  return enqueue(pcb, flags);
}

// The wire

static err_t send_frame(struct netif *netif, struct pbuf *packet) {
  char frame[LONGEST_FRAME] = {0};
  u16_t length = pbuf_copy_partial(packet, frame, sizeof frame, 0);
  (void)netif;
  return send(wire, frame, length < SHORTEST_FRAME ? SHORTEST_FRAME : length, 0) < 0 ? ERR_IF : ERR_OK;
}

static err_t send_to_neighbour(struct netif *netif, struct pbuf *packet, const ip4_addr_t *address) {
  (void)address;
  return ethernet_output(netif, packet, (struct eth_addr *)netif->hwaddr, &neighbour, ETHTYPE_IP);
}

static err_t set_up(struct netif *netif) {
  struct ifreq request = {0};
  strncpy(request.ifr_name, wire_name, sizeof request.ifr_name - 1);
  if (ioctl(wire, SIOCGIFHWADDR, &request)) return ERR_IF;
  memcpy(netif->hwaddr, request.ifr_hwaddr.sa_data, netif->hwaddr_len = ETH_HWADDR_LEN);
  netif->mtu = mss + 40;
  netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_LINK_UP;
  netif->output = knows_neighbour ? send_to_neighbour : etharp_output;
  netif->linkoutput = send_frame;
  return ERR_OK;
}

static void take_frame(void *frame) {
  if (interface.input(frame, &interface) != ERR_OK) pbuf_free(frame);
}

// Connections: of the echo service, and of applications

static void reply(long request, const char *kind, const char *content) {
  printf("{\"jsonrpc\": \"2.0\", \"id\": %ld, \"%s\": %s}\n", request, kind, content);
}

static void answer(struct connection *one, const char *kind, const char *content) {
  if (one->asked >= 0) reply(one->asked, kind, content);
  one->asked = -1;
}

static err_t hang_up(struct tcp_pcb *pcb) {
  pcb->rcv_wnd = TCP_WND_MAX(pcb);  // lwIP takes a smaller one for data that nobody has read, and resets
  err_t error = tcp_close(pcb);
  if (error == ERR_OK) tcp_arg(pcb, NULL);
  return error;
}

static void move_on(struct connection *one) {
  while (one->unread && tcp_sndbuf(one->pcb)) {
    u16_t most = LWIP_MIN(one->unread->len, tcp_sndbuf(one->pcb));
    if (tcp_write(one->pcb, one->unread->payload, most, TCP_WRITE_FLAG_COPY) != ERR_OK) break;
    tcp_recved(one->pcb, most);
    one->unread = pbuf_free_header(one->unread, most);
  }
  while (one->offset < one->length && tcp_sndbuf(one->pcb)) {
    u16_t most = LWIP_MIN(one->length - one->offset, tcp_sndbuf(one->pcb));
    if (tcp_write(one->pcb, one->unsent + one->offset, most, TCP_WRITE_FLAG_COPY) != ERR_OK) break;
    one->offset += most;
    if (one->offset == one->length) {
      char content[64];
      snprintf(content, sizeof content, "{\"length\": %zu}", one->length);
      answer(one, "result", content);
    }
  }
  tcp_output(one->pcb);
  if (one->at_end && !one->unread && !one->is_application && hang_up(one->pcb) == ERR_OK) free(one);
}

static void read_late(void *argument) {
  struct connection *one = argument;
  one->waits = 0;
  move_on(one);
}

static err_t on_data(void *argument, struct tcp_pcb *pcb, struct pbuf *data, err_t error) {
  struct connection *one = argument;
  (void)error;
  if (!one) {  // closed by its application
    if (data) tcp_recved(pcb, data->tot_len), pbuf_free(data);
  } else if (one->is_application) {
    if (data) tcp_recved(pcb, data->tot_len), pbuf_free(data);
  } else {
    if (!data) one->at_end = 1;
    else if (one->unread) pbuf_cat(one->unread, data);
    else one->unread = data;
    if (!slow_ms) move_on(one);
    else if (!one->waits) one->waits = 1, sys_timeout(slow_ms, read_late, one);
  }
  return ERR_OK;
}

static err_t on_room(void *argument, struct tcp_pcb *pcb, u16_t length) {
  struct connection *one = argument;
  (void)pcb, (void)length;
  if (one && !one->waits) move_on(one);
  return ERR_OK;
}

static err_t on_poll(void *argument, struct tcp_pcb *pcb) { return on_room(argument, pcb, 0); }

static void on_error(void *argument, err_t error) {
  struct connection *one = argument;
  if (!one) return;
  sys_untimeout(read_late, one);
  if (one->unread) pbuf_free(one->unread);
  one->unread = NULL;
  one->pcb = NULL;
  const char *name = error == ERR_RST ? "ECONNRESET" : "ETIMEDOUT";
  char content[64];
  snprintf(content, sizeof content, "{\"code\": -32000, \"message\": \"%s\"}", name);
  answer(one, "error", content);
  if (!one->is_application) free(one);
}

static struct connection *attach(struct tcp_pcb *pcb, int is_application) {
  struct connection *one = calloc(1, sizeof *one);
  one->pcb = pcb;
  one->asked = -1;
  one->is_application = is_application;
  tcp_arg(pcb, one);
  tcp_recv(pcb, on_data);
  tcp_sent(pcb, on_room);
  tcp_poll(pcb, on_poll, 1);
  tcp_err(pcb, on_error);
  return one;
}

static err_t on_accept(void *argument, struct tcp_pcb *pcb, err_t error) {
  (void)argument;
  if (pcb && error == ERR_OK) attach(pcb, 0);
  return ERR_OK;
}

static void echo_datagram(void *argument, struct udp_pcb *pcb, struct pbuf *data, const ip_addr_t *from, u16_t port) {
  (void)argument;
  udp_sendto(pcb, data, from, port);
  pbuf_free(data);
}

// The upper tester

static const char *value(const char *text, const char *key) {  // what stands behind a key, a quotation mark left out
  char quoted[32];
  snprintf(quoted, sizeof quoted, "\"%s\"", key);
  const char *found = text ? strstr(text, quoted) : NULL;
  return found ? found + strlen(quoted) + strspn(found + strlen(quoted), " :\"") : "";
}

static int is(const char *text, const char *word) { return !strncmp(text, word, strlen(word)); }

static err_t on_connected(void *argument, struct tcp_pcb *pcb, err_t error) {
  struct connection *one = argument;
  char content[64];
  (void)error;
  pcb->rcv_wnd = pcb->rcv_ann_wnd = window;
  sockets[sockets_known] = one;
  snprintf(content, sizeof content, "{\"connection\": %d}", sockets_known++);
  answer(one, "result", content);
  return ERR_OK;
}

static ip_addr_t address_of(const char *text) {
  char word[16] = {0};
  memcpy(word, text, LWIP_MIN(strspn(text, "0123456789."), sizeof word - 1));
  ip_addr_t address;
  ipaddr_aton(word, &address);
  return address;
}

static void take_request(void *line) {
  long request = atol(value(line, "id"));
  const char *verb = value(line, "method"), *data = value(line, "data");
  unsigned long number = strtoul(value(line, "connection"), NULL, 10);
  struct connection *one = number < (unsigned long)sockets_known ? sockets[number] : NULL;
  if (is(verb, "connect\"")) {
    ip_addr_t address = address_of(value(line, "address"));
    one = attach(tcp_new_ip_type(IPADDR_TYPE_V4), 1);
    one->asked = request;
    tcp_connect(one->pcb, &address, atoi(value(line, "port")), on_connected);
    one->pcb->rcv_ann_wnd = TCP_WND;  // lwIP insists on it until the SYN-ACK has come
  } else if (is(verb, "send\"") && one && one->pcb) {
    size_t digits = strspn(data, "0123456789abcdef");
    free(one->unsent);
    one->unsent = malloc(digits / 2 + 1);
    for (size_t place = 0; place < digits / 2; place++) sscanf(data + 2 * place, "%2hhx", one->unsent + place);
    one->offset = 0, one->length = digits / 2, one->asked = request;
    move_on(one);
  } else if (is(verb, "close\"") && one) {
    if (one->pcb) hang_up(one->pcb);
    one->pcb = NULL;
    reply(request, "result", "{}");
  } else if (is(verb, "status\"")) {
    reply(request, "result", "{\"stack\": \"lwIP\"}");
  } else if (is(verb, "send\"") || is(verb, "close\"")) {
    reply(request, "error", "{\"code\": -32000, \"message\": \"EBADF\"}");
  } else {
    reply(request, "error", "{\"code\": -32601, \"message\": \"no such verb\"}");
  }
  free(line);
}

// The beginning

static void begin(void *configuration) {
  const char *network = value(configuration, "ipv4");
  ip_addr_t own = address_of(value(network, "address"));
  int echo = atoi(value(value(configuration, "services"), "echo")), prefix = atoi(value(network, "prefix_length"));
  ip4_addr_t mask = {lwip_htonl(0xFFFFFFFFu << (32 - prefix))}, none = {0};
  if (!netif_add(&interface, ip_2_ip4(&own), &mask, &none, NULL, set_up, ethernet_input)) exit(1);
  netif_set_default(&interface);
  netif_set_up(&interface);
  struct tcp_pcb *listener = tcp_new_ip_type(IPADDR_TYPE_V4);
  tcp_bind(listener, IP4_ADDR_ANY, echo);
  tcp_accept(tcp_listen(listener), on_accept);
  struct udp_pcb *datagrams = udp_new_ip_type(IPADDR_TYPE_V4);
  udp_bind(datagrams, IP4_ADDR_ANY, echo);
  udp_recv(datagrams, echo_datagram, NULL);
  printf("{\"ready\": true, \"name\": \"lwIP host\", \"version\": \"%s\"}\n", LWIP_VERSION_STRING);
}

static char *read_configuration(void) {
  static char text[1 << 16];
  FILE *file = fopen(getenv("DUT_CONFIG"), "r");
  if (!file || !fread(text, 1, sizeof text - 1, file)) exit(1);
  return text;
}

int main(int count, char **words) {
  static char line[LONGEST_LINE];
  for (int place = 1; place + 1 < count; place += 2) {
    int number = atoi(words[place + 1]);
    u8_t *mac = neighbour.addr;
    if (is(words[place], "--window")) window = number;
    else if (is(words[place], "--mss")) mss = number;
    else if (is(words[place], "--slow-ms")) slow_ms = number;
    else if (is(words[place], "--wire")) wire_name = words[place + 1];
    else if (is(words[place], "--neighbour"))
      knows_neighbour = sscanf(words[place + 1], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) == 6;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  srand(time(NULL) ^ getpid());
  wire = socket(AF_PACKET, SOCK_RAW, lwip_htons(ETH_P_ALL));
  struct sockaddr_ll end = {.sll_family = AF_PACKET, .sll_protocol = lwip_htons(ETH_P_ALL)};
  end.sll_ifindex = if_nametoindex(wire_name);
  if (wire < 0 || bind(wire, (struct sockaddr *)&end, sizeof end)) return perror(wire_name), 1;
  tcpip_init(NULL, NULL);
  tcpip_callback(begin, read_configuration());
  FILE *requests = stdin;
  setvbuf(requests, NULL, _IONBF, 0);
  struct pollfd ready[] = {{.fd = wire, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
  while (poll(ready, 2, -1) > 0) {
    if (ready[0].revents) {
      char frame[LONGEST_FRAME];
      struct sockaddr_ll from;
      socklen_t size = sizeof from;
      ssize_t length = recvfrom(wire, frame, sizeof frame, 0, (struct sockaddr *)&from, &size);
      struct pbuf *packet = length > 0 && from.sll_pkttype != PACKET_OUTGOING ? pbuf_alloc(PBUF_RAW, length, PBUF_RAM) : NULL;
      if (packet && pbuf_take(packet, frame, length) == ERR_OK) tcpip_callback(take_frame, packet);
    }
    if (ready[1].revents) {
      if (!fgets(line, sizeof line, requests)) return 0;
      tcpip_callback(take_request, strdup(line));
    }
  }
}
