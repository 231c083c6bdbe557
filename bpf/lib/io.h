/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/*
 * One send or receive: describe the socket once, keep message heads and the first bytes of other
 * protocols' turns, sum the rest. Nothing here knows which kernel event told of the call.
 *
 * Between two calls that are recorded a service does its work, so the caches are cold: every line of
 * code or data that is touched costs more than what is done with it. What is rare is therefore in functions of
 * its own, away from the path of most calls, and what most calls need of a socket in one line.
 */
#ifndef AFTERTRACE_IO_H
#define AFTERTRACE_IO_H

#include "../maps.h"
#include "call.h"
#include "describe.h"
#include "filter.h"
#include "hints.h"
#include "payload.h"
#include "tls-socket.h"
#include "total.h"
#include "transport.h"

/* Turns after which user space is asked again whether the connection is worth them, a power of two. */
#define QUIET_CHECK 16

/* Not bytes of the stream: urgent data, and reports on the error queue. */
static __always_inline bool is_stream_io(const struct sock *sk, int result, int flags,
					 enum direction direction)
{
	if (direction == DIRECTION_SEND)
		return result > 0;
	if (result < 0 || flags & (MSG_OOB | MSG_ERRQUEUE))
		return false;
	return result > 0 || (FIELD(sk, sk_shutdown) & RCV_SHUTDOWN && !(flags & MSG_PEEK));
}

/* Where both directions stood before the call. */
static __always_inline void locate(struct io_call *call, enum transport transport, bool peek)
{
	const struct stream_state *other = &call->state->streams[!call->direction];

	if (transport == TRANSPORT_TCP) {
		const struct tcp_sock *tcp = tcp_part(call->sk);
		__u32 sent = send_position(call->sk, tcp);
		__u32 received = receive_position(call->sk, tcp);

		call->sequence = call->direction == DIRECTION_SEND ? sent : received;
		call->peer_sequence = call->direction == DIRECTION_SEND ? received : sent;
		if (!peek)
			call->sequence -= call->bytes + bytes_behind();
	} else {
		call->sequence = call->stream->next;
		call->peer_sequence = other->next;
	}
	if (unlikely(!call->state->tracked)) {
		call->stream->next = call->sequence;
		call->state->streams[!call->direction].next = call->peer_sequence;
		call->state->tracked = 1;
	}
}

/* Now and then: is the connection worth a record per turn? */
static __noinline int ask_quiet(struct socket_state *state, __u64 cookie)
{
	if (bpf_map_lookup_elem(&quiet_connections, &cookie))
		state->quiet = 1;
	return 0;
}

/* The direction turned: what the other one held back is whole. */
static __always_inline void turn(struct io_call *call)
{
	struct socket_state *state = call->state;

	call->turned = state->direction != 1 + call->direction;
	if (!call->turned)
		return;
	state->direction = 1 + call->direction;
	if (state->streams[!call->direction].held)
		total_flush(state, call->cookie, !call->direction);
	if (state->opaque && ++state->turns % QUIET_CHECK == 0)
		ask_quiet(state, call->cookie);
}

static __noinline int stream_end(struct io_call *call)
{
	struct socket_state *state = call->state;

	if (state->ended)
		return 0;
	totals_flush(state, call->cookie);
	state->ended = tell_call(call, opaque_flag(state));
	return 0;
}

static __always_inline void move_bytes(struct io_call *call, enum transport transport, int flags)
{
	struct socket_state *state = call->state;

	if (unlikely(transport == TRANSPORT_DNS)) {
		datagram(call);
		return;
	}
	if (unlikely(call->stream->next != call->sequence)) {
		const struct unseen jump = {
			.cookie = call->cookie,
			.id = call->id,
			.position = call->sequence,
			.peer_sequence = call->peer_sequence,
			.direction = call->direction,
		};

		tell_unseen(state, &jump);
	}
	call->stream->next = call->sequence + call->bytes;
	if (state->quiet) {
		sum_call(call, 0);
		return;
	}
	turn(call);
	if (unlikely(flags & MSG_TRUNC))
		sum_call(call, 0);
	else
		inspect(call);
}

static __always_inline void stream_io(struct sock *sk, int result, int flags, enum direction direction)
{
	enum transport transport = transport_of(sk);
	struct io_call call = {};

	tls_socket_io(sk, result, flags, direction);
	if (transport == TRANSPORT_NONE)
		return;
	call.id = bpf_get_current_pid_tgid();
	if (hint_kinds && direction == DIRECTION_RECEIVE && result == -EAGAIN && transport == TRANSPORT_TCP)
		found_empty(sk, call.id);
	if (!is_stream_io(sk, result, flags, direction))
		return;
	if (!current_wanted(call.id) || !socket_wanted(sk, transport == TRANSPORT_UNIX))
		return;
	call.sk = sk;
	call.bytes = result;
	call.direction = direction;
	call.cookie = socket_cookie(sk);
	call.now = bpf_ktime_get_ns();
	call.state = state_of(sk, transport, call.cookie);
	if (unlikely(!call.state)) {
		tell_call(&call, EVENT_FLAG_OPAQUE | EVENT_FLAG_UNREADABLE);
		return;
	}
	if (transport == TRANSPORT_TCP && !in_sample(sk, call.state))
		return;
	call.stream = &call.state->streams[direction];
	call.state->active = 1;
	locate(&call, transport, flags & MSG_PEEK);
	if (unlikely(!call.state->described))
		describe(sk, transport, call.state, call.id, 0, bpf_get_current_cgroup_id());
	if (hint_kinds && transport == TRANSPORT_TCP && hints_of(&call.state->hinted, call.id >> 32))
		call.hinted = gather_hints(&call.hints, call.state, call.id >> 32, call.now, direction);
	if (unlikely(result == 0))
		stream_end(&call);
	else if (unlikely(flags & MSG_PEEK))
		tell_call(&call, EVENT_FLAG_PEEK | opaque_flag(call.state));
	else
		move_bytes(&call, transport, flags);
}

#endif
