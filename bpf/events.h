/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/*
 * The wire contract between the kernel programs and native/: one record per
 * kernel event, in ring-buffer order. This is the only definition; the layout
 * test compares it with what TypeScript believes (src/model/event.ts).
 *
 * Rules: fixed-width integers only, every gap padded by hand, header first,
 * sizes asserted. Times are CLOCK_MONOTONIC nanoseconds (bpf_ktime_get_ns).
 */
#ifndef AFTERTRACE_EVENTS_H
#define AFTERTRACE_EVENTS_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* Longest task name the kernel keeps, NUL included (TASK_COMM_LEN). */
#define EVENT_NAME_LENGTH 16
/* Upper bound of --snaplen: bytes of one message head that may be kept. */
#define EVENT_PAYLOAD_MAX 4096
/* First bytes of a turn that are looked at in user space and then forgotten. */
#define EVENT_TURN_MAX 128

/* Kinds 1..15 come from the kernel; 16 and up are made in user space. */
enum event_kind {
	EVENT_RECEIVE = 1,     /* bytes taken from a socket (bytes = 0: end of stream) */
	EVENT_SEND = 2,        /* bytes given to a socket */
	EVENT_CONNECTION = 3,  /* a socket described: at its first I/O, or by the start-up pass */
	EVENT_CONNECT = 4,     /* connect() called, on the calling thread (SYN_SENT) */
	/* These three happen in whatever thread a packet interrupts: tgid and tid are the socket's first user. */
	EVENT_ESTABLISHED = 5, /* the handshake of a connect() ended */
	EVENT_PEER_CLOSED = 6, /* the peer's FIN arrived */
	EVENT_CLOSE = 7,       /* the socket is closed; error holds sk_err */
	EVENT_FORK = 8,        /* a task was created: tgid/tid are the child's, parent the creator's tid */
	EVENT_EXEC = 9,        /* a process image was replaced */
	EVENT_EXIT = 10,       /* a task ended */
	EVENT_WAKE = 11,       /* a task woke another one of its process from within a system call: a hint */
	EVENT_LOOP = 12,       /* a thread calls epoll_wait(), in processes for which that is a hint */
};

/* flags of EVENT_RECEIVE and EVENT_SEND */
#define EVENT_FLAG_HEAD 0x0001      /* the bytes begin like an HTTP/1 message head, as far as they go */
#define EVENT_FLAG_TRUNCATED 0x0002 /* the snap length ended here: head or body bytes were not kept */
#define EVENT_FLAG_PEEK 0x0004      /* MSG_PEEK: the bytes stay in the socket and come again */
#define EVENT_FLAG_UNREADABLE 0x0008 /* payload wanted but the buffer could not be read */
#define EVENT_FLAG_OPAQUE 0x0010    /* the connection has not looked like HTTP/1 so far */
#define EVENT_FLAG_TLS 0x0020       /* plaintext that a TLS library took or gave: see struct event_io */
#define EVENT_FLAG_TURN 0x0040      /* first bytes since the direction turned, on a connection that is not HTTP/1 */
#define EVENT_FLAG_TOTAL 0x0080     /* several calls as one record: bytes is their sum, time and thread are the last one's */
#define EVENT_FLAG_HINTS 0x2000     /* struct event_hints follows struct event_io, before the payload */
/* flags of EVENT_CONNECTION */
#define EVENT_FLAG_SNAPSHOT 0x0100  /* found open by the start-up pass, not by its I/O */
#define EVENT_FLAG_PASSIVE 0x0200   /* this end accepted the connection (known only if seen) */
#define EVENT_FLAG_ACTIVE 0x0400    /* this end called connect() (known only if seen) */
#define EVENT_FLAG_UNIX 0x0800      /* AF_UNIX: no addresses; sequences count bytes since the socket was first seen */
#define EVENT_FLAG_DATAGRAM 0x1000  /* UDP: no stream, sequences count bytes */

struct event_header {
	__u64 time_ns;
	__u64 connection; /* socket cookie; 0 where no socket is meant */
	__u32 tgid;
	__u32 tid;
	__u16 kind;  /* enum event_kind */
	__u16 flags;
	__u32 size;  /* whole record in bytes, header and payload included */
};

/*
 * EVENT_RECEIVE, EVENT_SEND: followed by size - sizeof(struct event_io) payload bytes.
 * EVENT_FLAG_TLS: bytes, payload and offset are of the plaintext, whose two directions have counts
 * of their own; sequence says where in the TCP stream it is. A send: no byte of its ciphertext
 * stands before. A receive: how far the ciphertext had been received by then. So a receive lies
 * behind the send that it gets, and before the next one that the sender makes after an answer.
 */
struct event_io {
	struct event_header header;
	__u32 sequence;      /* TCP sequence number of the first byte in its own direction */
	__u32 peer_sequence; /* the other direction's position at that moment; TLS: its plaintext bytes so far */
	__u32 bytes;         /* bytes moved by the call */
	__u32 offset;        /* TLS: plaintext bytes in this direction before these, modulo 2^32; else 0 */
};

/*
 * What tells whose work a send or receive is, where the bytes cannot. 0: not known.
 * Goroutine ids are the low 32 bits of the runtime's. Tasks of asyncio, on sends alone, are numbered as they are
 * made; those that were not seen then have TASK_UNKNOWN and bits of their context's address.
 * Node tells on sends the outermost promise that waits for what sends, its async root: TASK_UNKNOWN and a number by the
 * order in which they are first seen. Goroutine and caller are both this number; of tasks with TASK_UNKNOWN the caller is 0.
 */
struct event_hints {
	__u32 goroutine; /* the goroutine in the call; the task; the async root */
	__u32 caller;    /* send: the goroutine that waits for this write's answer; the task that the others descend from; the async root */
	__u32 creator;   /* send: the goroutine that started the caller; the task that made this one */
	__u32 slice;     /* P id << 20 | low 20 bits of its schedtick: equal values are one chain of hand-offs */
	__u32 lease_tid; /* send: thread whose receive last found the socket empty (EAGAIN) since the last send */
	__u32 lease_age; /* ns since then, saturated */
};

#define TASK_UNKNOWN 0x80000000U

/* EVENT_WAKE, EVENT_LOOP */
struct event_wake {
	struct event_header header; /* the waker; EVENT_LOOP: the thread itself */
	__u32 wakee;     /* EVENT_WAKE: tid of the task that was woken */
	__u16 call;      /* system call the waker is in */
	__u16 wait_call; /* system call the wakee was blocked in */
	__u64 wait_word; /* its first argument: futex address, epoll descriptor */
};

/* EVENT_CONNECTION, EVENT_CONNECT, EVENT_ESTABLISHED, EVENT_PEER_CLOSED, EVENT_CLOSE */
struct event_connection {
	struct event_header header;
	__u8 local_address[16]; /* IPv4 as ::ffff:a.b.c.d */
	__u8 remote_address[16];
	__u16 local_port; /* host byte order; 0 in EVENT_CONNECT: not chosen yet */
	__u16 remote_port;
	__u32 netns;
	__u64 cgroup;
	__u32 sequence;      /* next byte to send: at its first I/O, as it was before; 0 in EVENT_CONNECT */
	__u32 peer_sequence; /* next byte to receive, likewise */
	__s32 error;         /* positive errno of the socket, 0 if none */
	__u32 padding;
	__u64 peer;          /* EVENT_FLAG_UNIX: cookie of the socket at the other end, 0 unknown */
};

/* Longest path of a Unix socket. */
#define EVENT_PATH_LENGTH 108

/* EVENT_CONNECTION with EVENT_FLAG_UNIX: paths as bound; abstract ones begin with NUL. */
struct event_unix {
	struct event_connection connection;
	__u16 local_length; /* bytes of each path, 0 = not bound */
	__u16 remote_length;
	__u32 padding;
	char local_path[EVENT_PATH_LENGTH];
	char remote_path[EVENT_PATH_LENGTH];
};

/* EVENT_FORK, EVENT_EXEC, EVENT_EXIT */
struct event_process {
	struct event_header header;
	__u32 parent; /* EVENT_FORK: the creator's tid; else 0 */
	__u32 parent_tgid;
	char name[EVENT_NAME_LENGTH];
};

#ifdef __cplusplus
#define _Static_assert static_assert
#endif
_Static_assert(sizeof(struct event_header) == 32, "event_header");
_Static_assert(sizeof(struct event_io) == 48, "event_io");
_Static_assert(sizeof(struct event_hints) == 24, "event_hints");
_Static_assert(sizeof(struct event_wake) == 48, "event_wake");
_Static_assert(sizeof(struct event_connection) == 104, "event_connection");
_Static_assert(sizeof(struct event_unix) == 328, "event_unix");
_Static_assert(sizeof(struct event_process) == 56, "event_process");

/* Kinds of hints, as bits: what a recording may use, and what a process gives. */
#define HINT_LEASE 0x01   /* event_hints.lease_tid, lease_age */
#define HINT_WAKES 0x02   /* EVENT_WAKE */
#define HINT_THREADS 0x04 /* EVENT_FORK and EVENT_EXIT of threads, not only of processes */
#define HINT_GO 0x08      /* event_hints.goroutine, caller, creator, slice */
#define HINT_LOOP 0x10    /* EVENT_LOOP; event_hints.goroutine, caller, creator of asyncio's tasks */
#define HINT_ASYNC 0x20   /* event_hints.goroutine, caller of Node's async roots */

/* What user space tells of a process that gives hints. */
struct hinted_process {
	__u32 kinds; /* HINT_ bits */
	__u32 wakes; /* counted by the kernel: wake-ups inside the process */
};

/* Where the Go runtime of a process keeps what is read there: offsets in bytes. */
struct go_layout {
	__s32 tls; /* from the thread pointer to the current g */
	__u16 g_m;
	__u16 g_goid;
	__u16 g_parent; /* g.parentGoid, 0 before Go 1.21 */
	__u16 g_startpc;
	__u16 m_curg;
	__u16 m_p;
	__u16 m_oldp;
	__u16 p_id;
	__u16 p_schedtick;
	__u16 hchan_recvq; /* its first waiting sudog */
	__u16 sudog_g;
	__u16 padding;
	__u32 life; /* tells a process from an earlier one of its id */
};

_Static_assert(sizeof(struct go_layout) == 32, "go_layout");

/* Where the Python interpreter of a process keeps what is read there: offsets in bytes. */
struct python_layout {
	__u64 interpreters; /* address of the pointer to the main interpreter */
	__u16 threads;      /* from an interpreter to its first thread state */
	__u16 thread_next;
	__u16 thread_id;    /* what pthread_self() gives: the thread pointer */
	__u16 thread_context;
};

_Static_assert(sizeof(struct python_layout) == 16, "python_layout");

/*
 * Where V8 keeps what is read there, in a process with one copy of it: offsets in bytes, and the instance types of
 * classes (v8dbg_type_...). What is not here is the same in all versions that user space accepts.
 */
struct v8_layout {
	__s32 isolate;         /* from the thread pointer to the pointer to the isolate that the thread is in */
	__u16 microtask;       /* from an isolate to its microtask that runs */
	__u16 instance_type;   /* from a map to the type of what it describes */
	__u16 context;         /* from a function to its context */
	__u16 fulfill_job;     /* types: PromiseFulfillReactionJobTask ... */
	__u16 reject_job;
	__u16 thenable_job;
	__u16 function;
	__u16 async_function;
	__u16 async_generator;
	__u16 generator_request;
	__u16 promise;
	__u16 capability;
	__u16 reaction;
	__u16 page_flags;      /* from the beginning of a page of the heap to its flags */
	__u16 young;           /* those of pages of the young generation */
	__u16 preserved;       /* words that jobs and reactions carry for the embedder, before their own fields */
	__u32 life;            /* changes where collections may have been missed */
};

_Static_assert(sizeof(struct v8_layout) == 40, "v8_layout");

/* Where a new task keeps its context, a register and a distance: cookie of the probe, with the process. */
#define TASK_PROBE_REGISTER_SHIFT 32
#define TASK_PROBE_OFFSET_SHIFT 40

/* Why a record did not reach the ring; index into the loss counters. */
enum loss_cause {
	LOSS_RING_FULL = 0,       /* no room in the ring */
	LOSS_PAYLOAD_UNREADABLE = 1, /* bpf_probe_read_user failed; the record was sent without payload */
	LOSS_SOCKET_STATE = 2,    /* no memory for per-socket state: sizes and times were sent, no payload */
	LOSS_SAMPLED = 3,     /* not in the sample of connections: left out on purpose */
	LOSS_TLS_UNJOINED = 4, /* plaintext of a TLS library whose connection could not be told */
	LOSS_CAUSES = 5,
};

#endif
