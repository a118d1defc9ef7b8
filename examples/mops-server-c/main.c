// SPDX-License-Identifier: GPL-2.0-or-later
/* Start and control by the DUT contract: the configuration, the ready line, JSON-RPC over standard input and output.
 *
 *     cc -O2 -o mops-server main.c wire.c tcp.c mops.c */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "server.h"

enum { LONGEST_LINE = 1 << 16 };

struct settings settings;
double now;

static double clock_s(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* What stands behind a key, a quotation mark left out: enough for a file and for lines that the suite has written. */
static const char *value(const char *text, const char *key) {
  char quoted[32];
  snprintf(quoted, sizeof quoted, "\"%s\"", key);
  const char *found = strstr(text, quoted);
  return found ? found + strlen(quoted) + strspn(found + strlen(quoted), " :\"") : "";
}

static void configure(const char *text) {
  const char *network = value(text, "ipv4"), *mops = value(text, "mops"), *address = value(network, "address");
  char word[16] = {0};
  memcpy(word, address, strcspn(address, "\"") < sizeof word ? strcspn(address, "\"") : sizeof word - 1);
  settings.address = ntohl(inet_addr(word));
  settings.netmask = 0xFFFFFFFFu << (32 - atoi(value(network, "prefix_length")));
  int is_mops = !strncmp(value(text, "protocol"), "mops", 4);  // otherwise it is to be an ordinary host
  settings.mops_protocol = is_mops ? atoi(value(network, "icmp_protocol")) : -1;
  settings.echo_port = (uint16_t)atoi(value(value(text, "services"), "echo"));
  settings.rate_limit_s = atof(value(mops, "rate_limit_s"));
  settings.exact = !strncmp(value(mops, "migrate_seq"), "exact", 5);
}

static void take_request(const char *line) {
  long number = atol(value(line, "id"));
  if (!strncmp(value(line, "method"), "status\"", 7))
    printf("{\"jsonrpc\": \"2.0\", \"id\": %ld, \"result\": {\"uptime_s\": %.1f}}\n", number, now);
  else
    printf("{\"jsonrpc\": \"2.0\", \"id\": %ld, \"error\": {\"code\": -32601, \"message\": \"no such verb\"}}\n", number);
}

int main(void) {
  static char text[LONGEST_LINE];
  const char *wires = getenv("DUT_WIRES"), *path = getenv("DUT_CONFIG");
  FILE *file = path ? fopen(path, "r") : NULL;
  if (!wires || !file || !fread(text, 1, sizeof text - 1, file)) return fputs("DUT_WIRES or DUT_CONFIG is missing\n", stderr), 1;
  fclose(file);
  configure(text);
  int wire = wire_open(wires);
  if (wire < 0) return perror(wires), 1;
  setvbuf(stdout, NULL, _IOLBF, 0);
  puts("{\"ready\": true, \"name\": \"MOPS server in C\", \"version\": \"1\"}");
  struct pollfd ready[] = {{.fd = wire, .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
  size_t length = 0;
  double next_tick = 0;
  while (poll(ready, 2, 20) >= 0) {
    now = clock_s();
    if (ready[0].revents) wire_receive(wire);
    if (now >= next_tick) tcp_tick(), next_tick = now + 0.02;
    if (!ready[1].revents) continue;
    ssize_t more = read(STDIN_FILENO, text + length, sizeof text - 1 - length);
    if (more <= 0) return 0;
    text[length += (size_t)more] = 0;
    char *line = text, *stop;
    for (; (stop = strchr(line, '\n')); line = stop + 1) *stop = 0, take_request(line);
    memmove(text, line, length = strlen(line));
  }
}
