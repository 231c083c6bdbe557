/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* One send or receive as a record of its own without payload, or as part of a sum. */
#ifndef AFTERTRACE_CALL_H
#define AFTERTRACE_CALL_H

#include "../maps.h"
#include "emit.h"
#include "total.h"
#include "transport.h"

struct io_call {
	const struct sock *sk;
	struct socket_state *state;
	struct stream_state *stream; /* the direction of the call */
	__u64 id;
	__u64 now;
	__u64 cookie;
	__u32 bytes;
	__u32 sequence;
	__u32 peer_sequence;
	bool turned; /* the call before went the other way */
	bool hinted;
	enum direction direction;
	struct event_hints hints;
};

static __always_inline void fill_io(struct event_io *event, const struct io_call *call, __u16 flags,
				    __u32 kept)
{
	event->header.time_ns = call->now;
	event->header.connection = call->cookie;
	event->header.tgid = call->id >> 32;
	event->header.tid = (__u32)call->id;
	event->header.kind = call->direction == DIRECTION_SEND ? EVENT_SEND : EVENT_RECEIVE;
	event->header.flags = flags | (call->hinted ? EVENT_FLAG_HINTS : 0);
	event->header.size = sizeof(*event) + (call->hinted ? sizeof(call->hints) : 0) + kept;
	event->sequence = call->sequence;
	event->peer_sequence = call->peer_sequence;
	event->bytes = call->bytes;
	event->offset = 0;
}

/* The call as a record of its own, without payload. Returns whether it is in the ring. */
static __noinline int tell_call(const struct io_call *call, __u16 flags)
{
	struct event_io *event = reserve_io_hinted(call->hinted, &call->hints);

	if (!event)
		return false;
	fill_io(event, call, flags, 0);
	submit(event);
	return true;
}

static __always_inline __u16 opaque_flag(const struct socket_state *state)
{
	return state->http ? 0 : EVENT_FLAG_OPAQUE;
}

/* Adds the call to what is held back, or begins anew with it. */
static __always_inline void hold_back(const struct io_call *call, struct total *total, __u32 bytes,
				      __u32 flags)
{
	if (!bytes) {
		total->sequence = call->sequence;
		total->since_ns = call->now;
		total->calls = 0;
		total->flags = 0;
		total->hinted = 0;
	}
	if (call->hinted) {
		total->hinted = 1;
		call->state->total_hints[call->direction & 1] = call->hints;
	}
	total->bytes = bytes + call->bytes;
	total->calls++;
	total->flags |= flags;
	total->time_ns = call->now;
	total->tgid = call->id >> 32;
	total->tid = (__u32)call->id;
	total->peer_sequence = call->peer_sequence;
}

/* The call as part of a total. */
static __noinline int sum_call(const struct io_call *call, __u32 flags)
{
	struct socket_state *state = call->state;
	struct total *total = &state->totals[call->direction & 1];
	bool follows, full;

	flags |= opaque_flag(state);
	if (state->closed || call->bytes >= TOTAL_BYTES || !total_lock(total)) {
		tell_call(call, flags);
		return 0;
	}
	follows = total->sequence + total->bytes == call->sequence &&
		  total->tgid == call->id >> 32 && total->bytes + call->bytes < TOTAL_BYTES;
	if (unlikely(total->bytes && !follows)) {
		total_emit(total, &state->total_hints[call->direction & 1], call->cookie, call->direction);
		total->bytes = 0;
	}
	hold_back(call, total, total->bytes, flags);
	call->stream->held = 1;
	/* After what it tells of: the sweep clears it before it looks. */
	if (!is_tcp(call->sk))
		note_silent_held();
	full = call->now - total->since_ns >= (state->quiet ? TOTAL_QUIET_AGE : TOTAL_AGE);
	total_unlock(total);
	/* Whoever closed the socket meanwhile found the total locked. */
	if (unlikely(full || *(volatile __u8 *)&state->closed))
		total_flush(state, call->cookie, call->direction);
	return 0;
}

#endif
