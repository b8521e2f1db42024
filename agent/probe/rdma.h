/* rdma.h - remote memory access over Thunderbolt 5.
 *
 * Fills profile.rdma, profile.rdma_devices
 *
 * Linux: nothing. macOS 26.2 and later: ibv_get_device_list of librdma. The list is empty until the
 * owner has run `rdma_ctl enable` in Recovery. Only the capability is reported; whether a port is
 * connected is the links' fact. */
#ifndef AGENT_PROBE_RDMA_H
#define AGENT_PROBE_RDMA_H

struct darwin_source;
struct err;
struct profile;

int rdma_darwin_profile(struct darwin_source *source, struct profile *p, struct err *err);

#endif
