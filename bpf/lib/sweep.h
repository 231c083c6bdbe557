/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/*
 * What user space starts from time to time: totals that were held back long enough are told, and
 * so are the ends of sockets that no tracepoint tells (Unix, UDP). Those are found by the
 * descriptors of all processes: one that nobody holds and nobody used meanwhile is closed.
 */
#ifndef AFTERTRACE_SWEEP_H
#define AFTERTRACE_SWEEP_H

#include "../maps.h"
#include "emit.h"
#include "total.h"
#include "transport.h"

static long sweep_totals(struct bpf_map *map, const __u64 *cookie, struct socket_state *state,
			 void *context)
{
	__u64 age = state->quiet ? sweep_quiet_age : sweep_age;

	for (int direction = 0; direction < 2; direction++) {
		struct total *total = &state->streams[direction].total;

		if (total->bytes && bpf_ktime_get_ns() - total->since_ns >= age)
			total_flush(total, *cookie, direction);
	}
	return 0;
}

static __always_inline void mark_open(struct file *file)
{
	struct socket *socket = bpf_sock_from_file(file);
	struct socket_state *state;
	struct sock *sk;

	if (!socket)
		return;
	sk = socket->sk;
	if (!sk || is_tcp(sk))
		return;
	state = known_state(sk->__sk_common.skc_cookie.counter);
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

static long forget_closed(struct bpf_map *map, const __u64 *key, struct socket_state *state,
			  void *context)
{
	__u64 cookie = *key;

	if (!state->silent)
		return 0;
	if (state->active || state->seen == search_number) {
		state->active = 0;
		return 0;
	}
	totals_flush(state, cookie);
	if (state->recorded)
		tell_silent_close(state, cookie);
	bpf_map_delete_elem(&sockets, &cookie);
	return 0;
}

#endif
