/* The C ABI between Open vSwitch and the overlay engine.
 *
 * Conventions:
 *
 *   1. Types are opaque; what a function hands out is released by the function it names.
 *   2. Functions that can fail return 0 or a positive errno value.  Nothing throws across this header.
 *   3. Where a sentence for the administrator helps, it comes in `*errp`: a string for ipop_free(), or NULL.
 *   4. Threads.  "Owner" is the thread that configures the port (the switch's main thread).  ipop_port_send()
 *      may be called by any thread at any time, several at once; ipop_port_recv() by one thread at a time for
 *      each queue.
 *      None of the functions blocks on the network or on another thread's work.
 *   5. Threads of the engine never call into Open vSwitch: they write to a descriptor, and the switch comes.
 * The one exception is the function given to ipop_set_log(), which any thread calls.
 */
#ifndef IPOP_H
#define IPOP_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ipop_port;

/* What an administrator may say of a port.  Strings are copied.  NULL or "" means the default. */
struct ipop_config {
  const char* name;   /* The port's name, for logs.  Required. */
  const char* invite; /* Path of the invite file.  Required. */
  const char* listen; /* "ADDRESS:PORT", "[ADDRESS]:PORT" or ":PORT".  Default: ":51128", all addresses. */
  const char* introducers; /* "ADDRESS:PORT" separated by commas or blanks; added to the invite's. */
  const char* rekey;       /* Seconds between rekeys, 5 to 120.  Default: 120. */
  const char* state_dir;   /* Where leases survive a restart.  Default: "/var/lib/ipop". */
  const char* n_rxq;       /* Receive queues, 1 to 64.  Default: 1. */
  bool tso;                /* Does the switch take super-frames from ipop_port_recv()? */
};

/* Receives log lines; called on threads of the engine and of the switch. */
enum ipop_log_level { IPOP_LOG_DEBUG, IPOP_LOG_INFO, IPOP_LOG_WARNING };
typedef void ipop_log_function(enum ipop_log_level, const char* line);

/* Sets where log lines go, for the whole process.  Before the first port. */
void ipop_set_log(ipop_log_function*);

/* Makes a running port: reads the invite, binds the socket, starts the engine's thread (all signals blocked).
 * Does not wait for any peer.  Errors: EINVAL for options or an invite that cannot work, EBUSY for an invite
 * that another port of this process uses, EADDRINUSE for a taken UDP port, or what the system said. */
int ipop_port_create(const struct ipop_config*, struct ipop_port**, char** errp);

/* Stops the thread, says goodbye to the peers and frees everything.  Takes milliseconds. */
void ipop_port_destroy(struct ipop_port*);

/* A frame on its way from the switch.  `data` starts at the Ethernet header. */
enum ipop_frame_flags {
  IPOP_FRAME_CSUM_PARTIAL = 1 << 0, /* The TCP or UDP checksum is still to be filled in. */
  IPOP_FRAME_TSO = 1 << 1,          /* TCP: to be cut into segments of `segment_size` payload octets. */
};
struct ipop_frame {
  void* data;
  size_t length;         /* Octets, at most 65535. */
  uint32_t flags;        /* enum ipop_frame_flags. */
  uint32_t segment_size; /* With IPOP_FRAME_TSO, else 0. */
};

/* Sends `n` frames.  The caller keeps their memory, which holds nothing of value afterwards.  Frames that
 * cannot go are dropped and counted. */
void ipop_port_send(struct ipop_port*, const struct ipop_frame*, size_t n);

/* Room for a frame on its way to the switch. */
struct ipop_buffer {
  void* data;
  size_t capacity;       /* Octets; at least ipop_port_buffer_size(). */
  size_t length;         /* Out: octets of the frame. */
  uint32_t flags;        /* Out: 0, or both of enum ipop_frame_flags for a super-frame. */
  uint32_t segment_size; /* Out: TCP payload octets of its segments, else 0. */
};

/* How many queues there are to receive from.  What comes from one peer comes to one of them, in order. */
size_t ipop_port_n_rxq(const struct ipop_port*);

/* Fills up to `n` buffers, from the first on, with whole frames of `queue` and returns how many.  Checksums
 * are complete, except for the TCP checksum of super-frames, which is that of the pseudo-header.  Does not
 * block.  Unless ipop_port_ready(), the descriptors of ipop_port_fds() tell when to come back. */
size_t ipop_port_recv(struct ipop_port*, size_t queue, struct ipop_buffer*, size_t n);

/* The largest frame that ipop_port_recv() can hand out, in octets: at most 65000. */
size_t ipop_port_buffer_size(const struct ipop_port*);

/* Stores descriptors, owned by the port, that become readable when `queue` has something, and returns how
 * many: 2 for queue 0, which also gets what the engine itself has for guests, else 1.  They do not tell of
 * datagrams that the last ipop_port_recv() took from the system but had no buffers for: ipop_port_ready()
 * does. */
size_t ipop_port_fds(const struct ipop_port*, size_t queue, int fds[2]);
bool ipop_port_ready(const struct ipop_port*, size_t queue); /* On the thread that receives from `queue`. */

/* The port's own Ethernet address, stable for an invite, and the MTU that guests are told. */
void ipop_port_mac(const struct ipop_port*, uint8_t mac[6]);
int ipop_port_mtu(const struct ipop_port*);

/* True while at least one peer is connected. */
bool ipop_port_carrier(const struct ipop_port*);

/* Changes whenever ipop_port_status() or ipop_port_carrier() would answer differently. */
uint64_t ipop_port_change_seq(const struct ipop_port*);

/* Calls `emit` for each key and value of the port's status, or for each named counter. */
typedef void ipop_status_function(void* aux, const char* key, const char* value);
typedef void ipop_counter_function(void* aux, const char* name, uint64_t value);
void ipop_port_status(const struct ipop_port*, ipop_status_function* emit, void* aux);
void ipop_port_counters(const struct ipop_port*, ipop_counter_function* emit, void* aux);

/* Frames and octets of guests, both ways, since the port was made. */
struct ipop_stats {
  uint64_t rx_frames, rx_bytes, rx_dropped; /* Towards the switch. */
  uint64_t tx_frames, tx_bytes, tx_dropped; /* From the switch. */
};
void ipop_port_stats(const struct ipop_port*, struct ipop_stats*);

/* What ovs-appctl prints, for people or as JSON (an object for SHOW, RING, DHT, LEASES and SETTINGS, else an
 * array); a string for ipop_free(). */
enum ipop_view {
  IPOP_VIEW_SHOW,
  IPOP_VIEW_PEERS,
  IPOP_VIEW_BINDINGS,
  IPOP_VIEW_RING,
  IPOP_VIEW_DHT,
  IPOP_VIEW_LEASES,
  IPOP_VIEW_SETTINGS,
};
char* ipop_port_view(const struct ipop_port*, enum ipop_view, bool json);

/* Questions that other nodes have to be asked: the way to a node, hop by hop; the nodes of the whole ring;
 * whose an address is, and how that is known.  And requests, that are answered likewise: to use the network's
 * settings in a file, and to pass them on; and to expect a guest. */
enum ipop_question {
  IPOP_QUESTION_TRACE,
  IPOP_QUESTION_CRAWL,
  IPOP_QUESTION_WHY,
  IPOP_QUESTION_LOAD_SETTINGS,
  IPOP_QUESTION_EXPECT, /**< A guest is about to come here from another host. */
};

/* Asks.  `target` is for TRACE: a node (40 hexadecimal digits, or the first 8 of one that is known) or the IP
 * address of a guest; for WHY: an IP address or a MAC; for LOAD_SETTINGS: the path of a file, from / on; for
 * EXPECT: a MAC, and what that guest is to have, an IPv4 address, a name or both ("MAC [ADDRESS] [NAME]"). The
 * answer comes some seconds later at most, under `*number`, which no other question of this process has.
 * Errors: EINVAL for a target that nobody knows, can mean or can read, EBUSY if too many questions are open.
 */
int ipop_port_ask(struct ipop_port*, enum ipop_question, const char* target, uint64_t* number, char** errp);

/* Collects an answer, once, as a string for ipop_free().  Errors: EAGAIN if it is not there yet, ENOENT for a
 * question that this port was not asked, EINVAL for a request that was refused: then `*answer` says why.  The
 * descriptor, owned by the port, is readable while any answer is there. */
int ipop_port_collect(struct ipop_port*, uint64_t number, bool json, char** answer);
int ipop_port_answer_fd(const struct ipop_port*);

void ipop_free(char*);

#ifdef __cplusplus
}
#endif

#endif /* ipop.h */
