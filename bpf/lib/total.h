/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* Calls that carry no head, summed per direction and told as one record. */
#ifndef AFTERTRACE_TOTAL_H
#define AFTERTRACE_TOTAL_H

#include "../maps.h"
#include "emit.h"

/* A total is told after this long even where the direction does not turn, ns. */
#define TOTAL_AGE 1000000000ULL
/* On connections that are not worth a record per turn. */
#define TOTAL_QUIET_AGE 10000000000ULL
/* More would make positions in the stream ambiguous. */
#define TOTAL_BYTES (1U << 30)

static __always_inline bool total_lock(struct total *total)
{
	return __sync_lock_test_and_set(&total->busy, 1) == 0;
}

static __always_inline void total_unlock(struct total *total)
{
#if defined(__TARGET_ARCH_x86)
	/* Stores are not reordered with what came before them. */
	asm volatile("" ::: "memory");
	*(volatile __u32 *)&total->busy = 0;
#else
	__sync_lock_test_and_set(&total->busy, 0);
#endif
}

static __always_inline void note_silent_held(void)
{
	if (!silent_held)
		silent_held = 1;
}

struct hinted_io {
	struct event_io event;
	struct event_hints hints;
};

/* Room for a call without payload, with its hints in place if it has any. */
static __always_inline struct event_io *reserve_io_hinted(bool hinted, const struct event_hints *hints)
{
	struct hinted_io *record;

	if (!hinted)
		return reserve(sizeof(struct event_io));
	record = reserve(sizeof(*record));
	if (!record)
		return 0;
	record->hints = *hints;
	return &record->event;
}

static __always_inline void total_emit(const struct total *total, const struct event_hints *hints,
				       __u64 connection, enum direction direction)
{
	__u32 size = total->hinted ? sizeof(struct hinted_io) : sizeof(struct event_io);
	struct event_io *event = reserve_io_hinted(total->hinted, hints);

	if (!event)
		return;
	event->header.time_ns = total->time_ns;
	event->header.connection = connection;
	event->header.tgid = total->tgid;
	event->header.tid = total->tid;
	event->header.kind = direction == DIRECTION_SEND ? EVENT_SEND : EVENT_RECEIVE;
	event->header.flags = total->flags | (total->calls > 1 ? EVENT_FLAG_TOTAL : 0) |
			      (total->hinted ? EVENT_FLAG_HINTS : 0);
	event->header.size = size;
	event->sequence = total->sequence;
	event->peer_sequence = total->peer_sequence;
	event->bytes = total->bytes;
	event->offset = 0;
	submit(event);
}

/* Tells what a direction holds back. Does nothing when another thread is at it. */
static __noinline int total_flush(struct socket_state *state, __u64 connection,
				  enum direction direction)
{
	struct total *total = &state->totals[direction & 1];
	struct event_hints hints = {};
	struct total taken;

	if (!total_lock(total))
		return 0;
	taken = *total;
	if (taken.hinted)
		hints = state->total_hints[direction & 1];
	total->bytes = 0;
	state->streams[direction & 1].held = 0;
	total_unlock(total);
	if (taken.bytes)
		total_emit(&taken, &hints, connection, direction);
	return 0;
}

static __always_inline void totals_flush(struct socket_state *state, __u64 connection)
{
	if (state->streams[DIRECTION_RECEIVE].held)
		total_flush(state, connection, DIRECTION_RECEIVE);
	if (state->streams[DIRECTION_SEND].held)
		total_flush(state, connection, DIRECTION_SEND);
}

#endif
