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
#include "executor.h"
#include "given-roots.h"
#include "go.h"
#include "tasks.h"

/* Kinds that may be used at all: HINT_ bits. What is off costs nothing. */
const volatile __u32 hint_kinds = 0;

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

static __noinline int look_up_hints(struct known_hints *known, __u32 tgid)
{
	struct hinted_process *process = hinted_process(tgid);

	known->kinds = process ? process->kinds : 0;
	known->tgid = tgid;
	known->generation = hints_generation;
	return 0;
}

/* HINT_ bits of the process that uses this socket now. */
static __always_inline __u32 hints_of(struct known_hints *known, __u32 tgid)
{
	if (hints_paused)
		return 0;
	if (unlikely(known->generation != (__u16)hints_generation || known->tgid != tgid))
		look_up_hints(known, tgid);
	return known->kinds;
}

/*
 * A receive found nothing. Clients with a pool of connections do this when they take one, to see
 * whether it was closed meanwhile: on the thread whose work the next request on it is, even
 * where another thread writes it.
 */
static __always_inline void found_empty(const struct sock *sk, __u64 id)
{
	struct socket_state *state = socket_state(sk, false);
	__u32 kinds = state ? hints_of(&state->hinted, id >> 32) : 0;

	if (kinds & HINT_LEASE) {
		state->lease.time = bpf_ktime_get_ns();
		state->lease.tid = (__u32)id;
	}
	if (hint_kinds & HINT_GO && kinds & HINT_GO)
		go_found_empty(&state->lease, id >> 32);
}

/* ns from a moment to now. */
static __always_inline __u32 age_of(__u64 moment, __u64 now)
{
	/* Another processor's clock may be a little ahead. */
	return now > moment ? saturate(now - moment) : 0;
}

/* Puts the lease into the hints of a send; the next one has to be taken again. */
static __always_inline bool use_lease(struct event_hints *hints, struct lease *lease, __u64 now)
{
	if (!lease->tid)
		return false;
	hints->lease_tid = lease->tid;
	hints->lease_age = age_of(lease->time, now);
	lease->tid = 0;
	return true;
}

/*
 * The hints of a call of a process that gives these kinds.
 * Returns whether there is something to tell: then @hints is filled.
 */
static __noinline int gather_hints(struct event_hints *hints, struct socket_state *state,
				   __u32 tgid, __u64 now, enum direction direction)
{
	bool serves = state->role == EVENT_FLAG_PASSIVE;
	__u32 kinds = state->hinted.kinds;
	bool any = false;

	__builtin_memset(hints, 0, sizeof(*hints));
	/* A server waits for its next request the same way: that says nothing about its answers. */
	if (kinds & HINT_LEASE && direction == DIRECTION_SEND && !serves)
		any |= use_lease(hints, &state->lease, now);
	if (hint_kinds & HINT_GO && kinds & HINT_GO) {
		any |= go_hints(hints, &state->lease, tgid, direction, serves);
		if (state->lease.time)
			hints->lease_age = age_of(state->lease.time, now);
	}
	if (hint_kinds & HINT_LOOP && kinds & HINT_LOOP && direction == DIRECTION_SEND)
		any |= task_hints(hints);
	/* state->direction is still the last call's: what goes on with a message has no other root than its beginning. */
	if (hint_kinds & HINT_ASYNC && kinds & HINT_ASYNC && direction == DIRECTION_SEND &&
	    state->direction != 1 + DIRECTION_SEND)
		any |= async_hints(hints, tgid, serves);
	if (hint_kinds & HINT_EXECUTOR && kinds & HINT_EXECUTOR) {
		if (direction == DIRECTION_SEND && !serves)
			any |= executor_hints(hints, now);
		else if (direction == DIRECTION_RECEIVE && serves)
			request_read(now);
	}
	return any;
}

#endif
