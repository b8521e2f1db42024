/* network.h - interfaces and their speeds.
 *
 * Fills state.links
 *
 * Linux: getifaddrs for names and whether one is up; /sys/class/net/NAME for kind and speed.
 * macOS: sysctl NET_RT_IFLIST2 for names, flags and the 64-bit rate (the 32-bit one of getifaddrs
 * is too small for 10 GbE); SIOCGIFFUNCTIONALTYPE for the kind, else SIOCGIFXMEDIA and the type of
 * the interface; SIOCGIFXMEDIA also for whether a cable is in. An interface whose parent in the
 * registry is an AppleThunderboltIPPort is Thunderbolt, with that port's IOLinkSpeed and
 * IOLinkStatus; so is bridge0, the Thunderbolt bridge, which has no speed of its own. Skips awdl,
 * llw, utun, anpi, ap and bridges of 100 and more. Interfaces that are down and never were up tell
 * nobody anything: only the first LINKS_MAX that matter are reported. */
#ifndef AGENT_PROBE_NETWORK_H
#define AGENT_PROBE_NETWORK_H

struct darwin_source;
struct err;
struct linux_source;
struct state;

#define LINKS_MAX 16 /* a Mac Studio with every port in use has 9 */

int network_linux_state(struct linux_source *source, struct state *s, struct err *err);
int network_darwin_state(struct darwin_source *source, struct state *s, struct err *err);

#endif
