/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/*
 * Hints: what tells whose work a send or receive is where the bytes cannot. Which of them a
 * process gives depends on its runtime; user space, which knows that, says so in `hinted`.
 */
#ifndef AFTERTRACE_HINTS_H
#define AFTERTRACE_HINTS_H

#include "../maps.h"
#include "connection.h"
#include "emit.h"
#include "go.h"

/* Kinds that may be used at all: HINT_ bits. What is off costs nothing. */
const volatile __u32 hint_kinds = 0;

/* While set no process gives hints: the budget is short. */
__u32 hints_paused = 0;

/* Moves whenever `hinted` changes: what sockets remember of it no longer holds. */
__u32 hints_generation = 0;

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HINTED_MAX);
	__type(key, __u32); /* tgid */
	__type(value, struct hinted_process);
} hinted SEC(".maps");

static __always_inline struct hinted_process *hinted_process(__u32 tgid)
{
	return hints_paused ? 0 : bpf_map_lookup_elem(&hinted, &tgid);
}

/* Another program runs in the process now: what was known of its runtime no longer holds. */
static __always_inline void forget_hints(__u32 tgid)
{
	if (hint_kinds && !bpf_map_delete_elem(&hinted, &tgid))
		__sync_fetch_and_add(&hints_generation, 1);
}

/* HINT_ bits of the process that uses this socket now. */
static __always_inline __u32 hints_of(struct hint_state *state, __u32 tgid)
{
	__u16 generation = hints_generation;
	struct hinted_process *process;

	if (hints_paused)
		return 0;
	if (state->generation != generation || state->tgid != tgid) {
		process = hinted_process(tgid);
		state->kinds = process ? process->kinds : 0;
		state->tgid = tgid;
		state->generation = generation;
	}
	return state->kinds;
}

/*
 * A receive found nothing. Clients with a pool of connections do this when they take one, to see
 * whether it was closed meanwhile: on the thread whose work the next request on it is, even
 * where another thread writes it.
 */
static __always_inline void found_empty(const struct sock *sk, __u64 id)
{
	struct socket_state *state = socket_state(sk, false);

	__u32 kinds = state ? hints_of(&state->hints, id >> 32) : 0;

	if (kinds & HINT_LEASE) {
		state->hints.lease_time = bpf_ktime_get_ns();
		state->hints.lease_tid = (__u32)id;
	}
	if (hint_kinds & HINT_GO && kinds & HINT_GO)
		go_found_empty(&state->hints, id >> 32);
}

static __always_inline __u32 saturate(__u64 value)
{
	return value > 0xffffffff ? 0xffffffff : value;
}

/* Puts the lease into the hints of a send; the next one has to be taken again. */
static __always_inline bool use_lease(struct event_hints *hints, struct hint_state *state, __u64 now)
{
	if (!state->lease_tid)
		return false;
	hints->lease_tid = state->lease_tid;
	/* Another processor's clock may be a little ahead. */
	hints->lease_age = now > state->lease_time ? saturate(now - state->lease_time) : 0;
	state->lease_tid = 0;
	return true;
}

/*
 * The hints of this call, if its process gives any.
 * Returns whether there is something to tell: then @hints is filled.
 */
static __always_inline bool gather_hints(struct event_hints *hints, const struct event_io *event,
					 struct socket_state *state, enum direction direction)
{
	__u32 kinds = hints_of(&state->hints, event->header.tgid);
	bool serves = state->role == EVENT_FLAG_PASSIVE;
	bool any = false;

	if (!kinds)
		return false;
	__builtin_memset(hints, 0, sizeof(*hints));
	/* A server waits for its next request the same way: that says nothing about its answers. */
	if (kinds & HINT_LEASE && direction == DIRECTION_SEND && !serves)
		any |= use_lease(hints, &state->hints, event->header.time_ns);
	if (hint_kinds & HINT_GO && kinds & HINT_GO)
		any |= go_hints(hints, &state->hints, event->header.tgid, direction, serves);
	return any;
}

#endif
