/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* What the programs share: knobs, the ring, per-socket state, counters. */
#ifndef AFTERTRACE_MAPS_H
#define AFTERTRACE_MAPS_H

#include "kernel.h"
#include "events.h"

/* Knobs. Constant once loaded, so that the verifier drops the code of filters that are off. */

/* Bytes of one message head that may be kept, 0..EVENT_PAYLOAD_MAX. */
const volatile __u32 snaplen = 1024;
const volatile bool filter_ports = false;
const volatile bool filter_tgids = false;
const volatile bool filter_names = false;
const volatile bool filter_cgroups = false;
/* Bit p is set when connections with local or remote port p are wanted. */
const volatile __u64 wanted_ports[65536 / 64] = {};

/* Bytes in the ring at which a sleeping reader is woken. */
const volatile __u64 wake_bytes = 0;

/*
 * What turns while the programs run. All in one section whatever its first value, for every call reads
 * most of it: one line of the cache.
 */
#define LIVE SEC(".data")

/* Set by the reader when it goes to sleep, cleared by whoever wakes it. */
__u32 reader_sleeping LIVE = 0;

/* The recorder's own process, as the initial pid namespace numbers it: never recorded. */
__u32 own_tgid LIVE = 0;

/* CAPTURE_SYSCALL: address of the operations of socket files, by which they are known. Learned by the start-up pass. */
__u64 socket_files LIVE = 0;

/* The steps of the recorder's budget. */

/* Bytes kept of the head of a message that tells of no failure; snaplen and more: no limit of its own. */
volatile __u32 head_limit LIVE = EVENT_PAYLOAD_MAX;
/* Connections whose sample_key() is below this are recorded; SAMPLE_ALL: every one. */
volatile __u32 sample_limit LIVE = 0xffffffff;
/* While set no process gives hints: the budget is short. */
__u32 hints_paused LIVE = 0;
/* Moves whenever `hinted` changes: what sockets remember of it no longer holds. */
__u32 hints_generation LIVE = 0;

/* Set when a silent socket (one without TCP) holds a total back; cleared by whoever goes to look for such sockets. */
__u32 silent_held LIVE = 0;

/* max_entries is set before loading. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

#define WANTED_MAX 1024
/* Unix sockets open at once: of those beyond, sizes and times are told, no payload. */
#define SILENT_MAX 32768

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WANTED_MAX);
	__type(key, __u32);
	__type(value, __u8);
} wanted_tgids SEC(".maps");

struct task_name {
	char text[EVENT_NAME_LENGTH];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WANTED_MAX);
	__type(key, struct task_name);
	__type(value, __u8);
} wanted_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WANTED_MAX);
	__type(key, __u64);
	__type(value, __u8);
} wanted_cgroups SEC(".maps");

/* Indexed by enum loss_cause. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LOSS_CAUSES);
	__type(key, __u32);
	__type(value, __u64);
} losses SEC(".maps");

/* How many records were given to the ring, those that it refused included. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} produced SEC(".maps");

/* Call sites of unreadable payload: the number of the system call, or this where it is none. */
#define CALLS_MAX 512
#define CALL_NONE (CALLS_MAX - 1)

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, CALLS_MAX);
	__type(key, __u32);
	__type(value, __u64);
} unreadable_calls SEC(".maps");

enum direction {
	DIRECTION_RECEIVE = 0,
	DIRECTION_SEND = 1,
};

/*
 * Calls of one direction that are told as one record: contiguous in the stream, made by one
 * process. Threads that use the socket at once, and the sweep, take turns by `busy`;
 * who finds it taken does not wait but leaves the total alone.
 */
struct total {
	__u32 busy;
	__u32 bytes; /* 0 = no call is held back */
	__u32 sequence;
	__u32 peer_sequence; /* as the last call found it, like all below */
	__u32 tgid;
	__u32 tid;
	__u64 time_ns;
	__u64 since_ns; /* time of the first call */
	__u32 calls;
	__u16 flags; /* EVENT_FLAG_OPAQUE, EVENT_FLAG_UNREADABLE */
	__u16 hinted; /* total_hints beside it are those of the last call that had any */
	__u64 padding[2]; /* each has a line of the cache for itself */
};

/* One direction of a socket: where its current message head stands. */
struct stream_state {
	__u32 next;        /* sequence number of the next byte */
	__u32 tail;        /* last four bytes kept, to see the blank line that ends a head */
	__u16 budget;      /* bytes of the current head that may still be kept */
	__u8 start_length; /* valid bytes of the message's beginning in socket_state.starts, 0 = none pending */
	__u8 held;         /* the direction's total is not empty: spares looking at it */
	__u8 unfinished;   /* the turn began with so little that the next piece is wanted too */
	__u8 padding[3];
};

/* Processes that may give hints at a time; more push out the one unused for longest. */
#define HINTED_MAX 8192

/* Which hints a socket's process gives, so that most calls need no look at the map of processes. */
struct known_hints {
	__u32 tgid;
	__u16 generation;
	__u16 kinds;
};

/* What is remembered of a socket for the hints of its next send. */
struct lease {
	__u64 time; /* when a receive last found the socket empty */
	__u32 tid;  /* on which thread, 0 = not since the last send */
	__u32 goroutine;
};

/*
 * Bytes rather than bits: two threads may use both directions at once, and nothing
 * here is worth an atomic operation. By lines of the cache, of which the first begins with 8 bytes of
 * the kernel's: what every call touches, then one for the sum of each direction, then what is rare.
 */
struct socket_state {
	__u8 described; /* EVENT_CONNECTION is in the ring */
	__u8 recorded;  /* some record of this socket is in the ring: its end is worth telling */
	__u8 closed;    /* the socket is closed: nothing is held back any more */
	__u8 told;      /* EVENT_CLOSE is in the ring */
	__u8 ended;     /* the end of the received stream is in the ring */
	__u8 http;      /* a message head was seen */
	__u8 opaque;    /* a message of another protocol was seen */
	__u8 quiet;     /* not worth a record per turn: what it moves is only summed */
	__u8 turns;     /* turns of an opaque connection, modulo 256 */
	__u8 direction; /* of the last call: 1 + enum direction, 0 none yet */
	__u8 tracked;   /* streams[].next are known */
	__u8 active;    /* used since the last search for open sockets */
	__u16 role;     /* EVENT_FLAG_ACTIVE, EVENT_FLAG_PASSIVE or 0 */
	__u16 padding;
	struct stream_state streams[2];
	struct known_hints hinted;

	struct total totals[2];
	__u64 starts[2];      /* first bytes of messages that began with a piece shorter than their first word */
	struct lease lease;
	struct event_hints total_hints[2];
	__u64 connect_ns;     /* connect() not told yet: whether it is in the sample shows with its port; 0 none */
	__u64 connect_cgroup;
	__u32 sample_key;     /* 0: not computed yet */
	__u32 tgid; /* who used the socket first (or called connect) */
	__u32 tid;
	__u32 seen; /* the search that last found it open */
};

#ifdef CAPTURE_SYSCALL
/* TCP connections open at once: of those beyond, sizes and times are told, no payload. */
#define SOCKETS_MAX 65536

/* By cookie: a socket that is only an address cannot keep its state. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SOCKETS_MAX);
	__type(key, __u64);
	__type(value, struct socket_state);
} sockets SEC(".maps");
#else
/* TCP sockets keep their state themselves. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct socket_state);
} sockets SEC(".maps");
#endif

/*
 * The state of silent sockets, whose end no tracepoint tells (Unix, UDP), by cookie: it outlives
 * them, with what it holds back.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SILENT_MAX);
	__type(key, __u64);
	__type(value, struct socket_state);
} silent_sockets SEC(".maps");

/* What is held back longer than this is let go by the running sweep, ns. */
__u64 sweep_age = 0;
__u64 sweep_quiet_age = 0;
/* Number of the last search for sockets that are still open, from 1. */
__u32 search_number = 0;

/* Cookies of connections whose turns user space finds not worth recording. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, __u8);
} quiet_connections SEC(".maps");

/*
 * Where a head in several pieces is put together. One per program and CPU: programs are not
 * preempted by themselves (the kernel counts that as a recursion miss), only by each other.
 * The payload has room for a whole piece behind the last byte that may be used,
 * so that every write can be proved to stay inside.
 */
struct io_scratch {
	struct event_hints room; /* a record with hints begins here, see hints.h */
	struct event_io event;
	__u8 payload[2 * EVENT_PAYLOAD_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2); /* indexed by enum direction */
	__type(key, __u32);
	__type(value, struct io_scratch);
} io_scratches SEC(".maps");

#endif
