/* network.h - interfaces and their speeds.
 *
 * Fills state.links
 *
 * Linux: getifaddrs for names and whether one is up; /sys/class/net/NAME for kind and speed.
 * macOS: getifaddrs; SIOCGIFFUNCTIONALTYPE for the kind; the 64-bit baud rate of NET_RT_IFLIST2
 * (the 32-bit one is too small for 10 GbE). Skips awdl, llw, utun, anpi, ap and bridges of 100 and
 * more. Interfaces that are down and never were up tell nobody anything: only the first LINKS_MAX
 * that matter are reported. */
#ifndef AGENT_PROBE_NETWORK_H
#define AGENT_PROBE_NETWORK_H

struct err;
struct linux_source;
struct state;

#define LINKS_MAX 16 /* a Mac Studio with every port in use has 9 */

int network_linux_state(struct linux_source *source, struct state *s, struct err *err);

#endif
