/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/*
 * What user space starts from time to time: totals that were held back long enough are told, and
 * so are the ends of silent sockets. Sockets are found by the descriptors of all processes:
 * a silent one that nobody holds and nobody used meanwhile is closed.
 */
#ifndef AFTERTRACE_SWEEP_H
#define AFTERTRACE_SWEEP_H

#include "../maps.h"
#include "emit.h"
#include "total.h"
#include "transport.h"

static __always_inline void expire(struct socket_state *state, __u64 cookie)
{
	__u64 age = state->quiet ? sweep_quiet_age : sweep_age;
	__u64 now = bpf_ktime_get_ns();

	if (state->streams[DIRECTION_RECEIVE].held &&
	    now - state->totals[DIRECTION_RECEIVE].since_ns >= age)
		total_flush(state, cookie, DIRECTION_RECEIVE);
	if (state->streams[DIRECTION_SEND].held && now - state->totals[DIRECTION_SEND].since_ns >= age)
		total_flush(state, cookie, DIRECTION_SEND);
}

static long expire_silent(struct bpf_map *map, const __u64 *cookie, struct socket_state *state,
			  void *context)
{
	expire(state, *cookie);
	if (state->streams[DIRECTION_RECEIVE].held || state->streams[DIRECTION_SEND].held)
		note_silent_held();
	return 0;
}

static __always_inline void sweep_file(struct file *file)
{
	struct socket *socket = bpf_sock_from_file(file);
	struct socket_state *state;
	struct sock *sk;
	__u64 cookie;

	if (!socket)
		return;
	sk = socket->sk;
	if (!sk)
		return;
	cookie = known_cookie(sk);
	if (is_tcp(sk)) {
		state = socket_state(sk, false);
		if (state)
			expire(state, cookie);
		return;
	}
	state = bpf_map_lookup_elem(&silent_sockets, &cookie);
	if (state)
		state->seen = search_number;
}

/* Nobody knows when exactly it closed: the record has the time of the search. */
static __always_inline void tell_silent_close(const struct socket_state *state, __u64 cookie)
{
	struct event_connection *event = reserve(sizeof(*event));

	if (!event)
		return;
	__builtin_memset(event, 0, sizeof(*event));
	fill_header(&event->header, EVENT_CLOSE, cookie, (__u64)state->tgid << 32 | state->tid,
		    sizeof(*event));
	event->header.flags = state->role;
	event->sequence = state->streams[DIRECTION_SEND].next;
	event->peer_sequence = state->streams[DIRECTION_RECEIVE].next;
	submit(event);
}

static long forget_silent(struct bpf_map *map, const __u64 *key, struct socket_state *state,
			  void *context)
{
	__u64 cookie = *key;

	if (state->active || state->seen == search_number) {
		state->active = 0;
		return 0;
	}
	totals_flush(state, cookie);
	if (state->recorded)
		tell_silent_close(state, cookie);
	bpf_map_delete_elem(&silent_sockets, &cookie);
	return 0;
}

#endif
