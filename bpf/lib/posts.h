/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/*
 * Messages that Node's threads post to each other. One is an object on the heap, whose address is the same
 * where it is put into a queue and where it is taken out, and no other's in between: what was posted is
 * remembered by it. One that several receive (BroadcastChannel) is put and taken as often.
 */
#ifndef AFTERTRACE_POSTS_H
#define AFTERTRACE_POSTS_H

#include "../maps.h"
#include "emit.h"
#include "filter.h"
#include "hints.h"
#include "user-word.h"

/* Messages that wait to be taken; beyond that the oldest are forgotten. */
#define POSTS_MAX 16384

struct post_key {
	__u64 message; /* address */
	__u64 tgid;
};

struct post {
	__u64 time;
	__u32 tid;   /* who posted it */
	__u32 count; /* queues in which it is */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, POSTS_MAX);
	__type(key, struct post_key);
	__type(value, struct post);
} posts SEC(".maps");

/* True where the current process, the one that was probed, gives this hint: a child inherits breakpoints. */
static __always_inline bool gives_posts(__u64 id, __u32 tgid)
{
	struct hinted_process *process;

	if (id >> 32 != tgid || !current_wanted(id))
		return false;
	process = hinted_process(tgid);
	return process && process->kinds & HINT_POSTS;
}

/* @pointer: address of a pointer to the message, which the current thread puts into a queue */
static __always_inline void message_posted(__u64 pointer, __u32 tgid)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct post_key key = { .tgid = tgid };
	struct post first = { .tid = id, .count = 1 };
	struct post *known;

	if (!gives_posts(id, tgid))
		return;
	key.message = user_word(pointer);
	if (!key.message)
		return;
	first.time = bpf_ktime_get_ns();
	known = bpf_map_lookup_elem(&posts, &key);
	if (known && known->tid == first.tid)
		first.count += known->count;
	bpf_map_update_elem(&posts, &key, &first, BPF_ANY);
}

/* The current thread is about to look at a message. One of which no posting is known tells nothing. */
static __always_inline void message_taken(__u64 message, __u32 tgid)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct post_key key = { .message = message, .tgid = tgid };
	struct event_wake event;
	struct post *known;

	if (!gives_posts(id, tgid))
		return;
	known = bpf_map_lookup_elem(&posts, &key);
	if (!known)
		return;
	__builtin_memset(&event, 0, sizeof(event));
	fill_header(&event.header, EVENT_POST, 0, id, sizeof(event));
	event.wakee = known->tid;
	/* Another processor's clock may be a little ahead. */
	if (event.header.time_ns > known->time)
		event.wait_word = event.header.time_ns - known->time;
	/* Two threads that take it at once may leave it here: the next message at this address replaces it. */
	if (known->count > 1)
		__sync_fetch_and_sub(&known->count, 1);
	else
		bpf_map_delete_elem(&posts, &key);
	emit(&event, sizeof(event));
}

#endif
