/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* What is remembered of TLS: the call a thread is in, the sessions, whose connection is whose. */
#ifndef AFTERTRACE_TLS_STATE_H
#define AFTERTRACE_TLS_STATE_H

#include "../maps.h"

/* Off: the socket programs do nothing for TLS. Constant once loaded. */
const volatile bool tls_enabled = false;

/* Sessions and connections followed at once; beyond, those untouched for longest are forgotten. */
#define TLS_SESSIONS_MAX 16384
/* Plaintext that waits for its first send: pieces per thread, pieces in all, bytes kept of each. */
#define TLS_WAITING_MAX 4
#define TLS_WAITING_TOTAL 512
#define TLS_WAITING_BYTES 2048
/* Agreeing votes beyond which more change nothing. */
#define TLS_VOTES_MAX 8

/* How a function says how much it moved: part of the cookie that a probe is attached with. */
enum tls_result {
	TLS_RESULT_INT = 0,  /* its result, an int: SSL_read(), SSL_write() */
	TLS_RESULT_OUT = 1,  /* result 1, and a size_t that its fourth argument points to: the _ex forms */
	TLS_RESULT_LONG = 2, /* its result, an ssize_t: gnutls_record_recv(), gnutls_record_send2() */
};
#define TLS_COOKIE_SEND 1
#define TLS_COOKIE_RESULT_SHIFT 1

/* Where a socket stood at a moment. */
struct tls_place {
	__u64 connection; /* socket cookie; 0 none */
	__u32 sent;       /* next byte to send */
	__u32 received;   /* next byte to receive */
	__u32 first;      /* a send: its first byte */
	__u8 wanted;      /* the filters accept it */
	__u8 padding[3];
};

struct tls_session_key {
	__u64 session; /* address of the library's object, such as an SSL */
	__u32 tgid;
	__u32 padding;
};

/* Plaintext of a session whose connection is not known yet. */
struct tls_waiting {
	__u64 session; /* 0: free */
	__u32 bytes;
	__u32 padding;
};

struct tls_waiting_list {
	struct tls_waiting slots[TLS_WAITING_MAX];
};

struct tls_thread {
	__u64 session; /* the call it is in; 0 none */
	__u64 buffer;
	__u64 moved; /* TLS_RESULT_OUT: where the call says how much it moved */
	struct tls_place nested;   /* last I/O in the call's own direction within the call */
	struct tls_place received; /* last receive outside any call */
	__u64 received_owner;      /* the session that socket is known to carry; 0 none */
	struct tls_waiting_list waiting;
	__u32 waiting_count;
	__u8 direction; /* of the call */
	__u8 padding[3];
};

struct tls_session {
	struct tls_place place;
	__u32 plain[2]; /* plaintext bytes by direction */
	struct stream_state streams[2];
	__u64 starts[2]; /* as in socket_state */
	__u32 unfinished; /* first byte of a write that has to be called again */
	__u8 is_unfinished;
	__u8 nested; /* the library does its own socket I/O */
	__u8 votes;  /* else: how often receive and read agreed, less how often not */
	__u8 http;   /* a message head was seen */
	__u8 closed; /* its connection is */
	__u8 padding[3];
};

/* Record of plaintext whose connection is not known yet. */
struct tls_waiting_key {
	__u32 tid;
	__u32 slot;
};

struct tls_waiting_record {
	struct event_io event;
	__u8 payload[TLS_WAITING_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct tls_thread);
} tls_threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TLS_SESSIONS_MAX);
	__type(key, struct tls_session_key);
	__type(value, struct tls_session);
} tls_sessions SEC(".maps");

/* By socket cookie: the session it carries. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TLS_SESSIONS_MAX);
	__type(key, __u64);
	__type(value, struct tls_session_key);
} tls_owners SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TLS_WAITING_TOTAL);
	__type(key, struct tls_waiting_key);
	__type(value, struct tls_waiting_record);
} tls_waiting_records SEC(".maps");

/* Where uprobe programs put records together; they do not interrupt each other. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct io_scratch);
} tls_scratches SEC(".maps");

/* Rings when a program starts, so that user space looks what it maps. What is in it says nothing; its size is set before loading. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} program_starts SEC(".maps");

static __always_inline void program_started(void)
{
	__u64 *record;

	if (!tls_enabled)
		return;
	/* No room: the reader was called before and did not come yet. */
	record = bpf_ringbuf_reserve(&program_starts, sizeof(*record), 0);
	if (!record)
		return;
	*record = 0;
	bpf_ringbuf_submit(record, BPF_RB_FORCE_WAKEUP);
}

static __always_inline struct tls_thread *tls_thread(bool create)
{
	struct task_struct *task = bpf_get_current_task_btf();

	/* Most threads have no storage at all, which is quickly seen. */
	if (!create && bpf_core_field_exists(task->bpf_storage) && !task->bpf_storage)
		return 0;
	return bpf_task_storage_get(&tls_threads, task, 0, create ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
}

static __always_inline struct tls_session *tls_session(const struct tls_session_key *key)
{
	static const struct tls_session fresh = {};
	struct tls_session *session = bpf_map_lookup_elem(&tls_sessions, key);

	if (session)
		return session;
	bpf_map_update_elem(&tls_sessions, key, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&tls_sessions, key);
}

/* The session that a connection is known to carry, and which it is; 0 where none is. */
static __always_inline struct tls_session *tls_carried(__u64 connection, __u64 *owner)
{
	struct tls_session_key *key = bpf_map_lookup_elem(&tls_owners, &connection);
	struct tls_session *session = key ? bpf_map_lookup_elem(&tls_sessions, key) : 0;

	*owner = session ? key->session : 0;
	return session;
}

#endif
