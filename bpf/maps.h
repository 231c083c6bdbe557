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

/* Set by the reader when it goes to sleep, cleared by whoever wakes it. */
__u32 reader_sleeping = 0;

/* The recorder's own process, as the initial pid namespace numbers it: never recorded. */
__u32 own_tgid = 0;

/* Knobs that turn while the programs run: the steps of the recorder's budget. */

/* Bytes kept of the head of a message that tells of no failure; snaplen and more: no limit of its own. */
volatile __u32 head_limit = EVENT_PAYLOAD_MAX;
/* Connections whose sample_key() is below this are recorded; SAMPLE_ALL: every one. */
volatile __u32 sample_limit = 0xffffffff;

/* max_entries is set before loading. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

#define WANTED_MAX 1024

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

/* One direction of a socket: where its current message head stands. */
struct stream_state {
	__u64 start;        /* first bytes of a message that began with a piece shorter than its first word */
	__u32 start_length; /* valid bytes in start, 0 = none pending */
	__u32 budget;       /* bytes of the current head that may still be kept */
	__u32 tail;         /* last four bytes kept, to see the blank line that ends a head */
	__u32 padding;
};

/* Processes that may give hints at a time; more push out the one unused for longest. */
#define HINTED_MAX 8192

/* What is remembered of a socket for the hints of its next send. */
struct hint_state {
	__u64 lease_time; /* when a receive last found the socket empty */
	__u32 lease_tid;  /* on which thread, 0 = not since the last send */
	__u32 lease_goroutine;
	/* Which hints its process gives, so that most calls need no look at the map of processes. */
	__u32 tgid;
	__u16 generation;
	__u16 kinds;
};

/*
 * Bytes rather than bits: two threads may use both directions at once, and nothing
 * here is worth an atomic operation.
 */
struct socket_state {
	struct stream_state streams[2];
	__u64 connect_ns;     /* connect() not told yet: whether it is in the sample shows with its port; 0 none */
	__u64 connect_cgroup;
	struct hint_state hints;
	__u32 sample_key;     /* 0: not computed yet */
	__u32 tgid; /* who used the socket first (or called connect) */
	__u32 tid;
	__u16 role;     /* EVENT_FLAG_ACTIVE, EVENT_FLAG_PASSIVE or 0 */
	__u8 described; /* EVENT_CONNECTION is in the ring */
	__u8 recorded;  /* some record of this socket is in the ring: its end is worth telling */
	__u8 closed;    /* EVENT_CLOSE is in the ring */
	__u8 ended;     /* the end of the received stream is in the ring */
	__u8 http;      /* a message head was seen */
	__u8 padding[5];
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct socket_state);
} sockets SEC(".maps");

/*
 * Where a record is put together. One per program and CPU: programs are not preempted
 * by themselves (the kernel counts that as a recursion miss), only by each other.
 * The payload has room for a whole piece behind the last byte that may be used,
 * so that every write can be proved to stay inside.
 */
struct io_scratch {
	struct event_hints room; /* a record with hints begins here, see hints.h */
	struct event_io event;
	__u8 payload[2 * EVENT_PAYLOAD_MAX];
	struct socket_state spare; /* stands in when no per-socket state can be had */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2); /* indexed by enum direction */
	__type(key, __u32);
	__type(value, struct io_scratch);
} io_scratches SEC(".maps");

#endif
