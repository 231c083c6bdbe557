/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/*
 * Which goroutine started which, before Go 1.21: from then on the runtime keeps the id of the parent. User space
 * probes where `go` puts the new goroutine into the queue of its P (runtime.newproc): a call, which the kernel
 * emulates. The new goroutine has its id by then, and the thread runs the scheduler for the one that starts it.
 */
#ifndef AFTERTRACE_GO_BIRTHS_H
#define AFTERTRACE_GO_BIRTHS_H

#include "go-runtime.h"

/* Goroutines whose birth is remembered, the last ones of all such processes together: a power of two. */
#define GO_BIRTHS_MAX 65536
/* From a goroutine so many steps up, the one that serves is looked for. */
#define GO_STEPS_MAX 8

struct go_birth {
	__u32 life;
	__u32 child;
	__u32 parent; /* 0: not seen */
	__u32 serves; /* it has used a connection that the process accepted */
	__u64 time;
};

/* Ids count up, so that what a slot held before is the oldest. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, GO_BIRTHS_MAX);
	__type(key, __u32);
	__type(value, struct go_birth);
} go_births SEC(".maps");

static __always_inline struct go_birth *go_birth_slot(const struct go_layout *layout, __u32 child)
{
	/* Processes begin at different places. */
	__u32 slot = (child + layout->life * 40503) & (GO_BIRTHS_MAX - 1);

	return bpf_map_lookup_elem(&go_births, &slot);
}

static __always_inline struct go_birth *go_birth_of(const struct go_layout *layout, __u32 child)
{
	struct go_birth *birth = go_birth_slot(layout, child);

	return birth && birth->life == layout->life && birth->child == child ? birth : 0;
}

static __always_inline void go_begin(const struct go_layout *layout, __u32 child, __u32 parent)
{
	struct go_birth *birth = go_birth_slot(layout, child);

	if (!birth)
		return;
	birth->child = 0;
	birth->life = layout->life;
	birth->parent = parent;
	birth->serves = 0;
	birth->time = bpf_ktime_get_ns();
	birth->child = child;
}

/* This goroutine uses a connection that the process accepted. */
static __always_inline void go_serves(const struct go_layout *layout, __u32 id)
{
	struct go_birth *birth = go_birth_of(layout, id);

	if (!birth) {
		go_begin(layout, id, 0);
		birth = go_birth_of(layout, id);
	}
	if (birth)
		birth->serves = 1;
}

/*
 * Who started a goroutine: the nearest one above it that serves, else its own parent; and in *when the time at which
 * that one started it, or the one between them. 0 where the goroutine serves itself, or its birth was not seen.
 * @far: those above its parent count too
 */
static __always_inline __u32 go_creator(const struct go_layout *layout, __u32 id, bool far, __u64 *when)
{
	const struct go_birth *birth = go_birth_of(layout, id);
	__u32 creator = 0;

	if (!birth || birth->serves)
		return 0;
	for (int step = 0; step < GO_STEPS_MAX && birth && birth->parent; step++) {
		const struct go_birth *above = go_birth_of(layout, birth->parent);
		bool serves = above && above->serves;

		if (step == 0 || serves) {
			creator = birth->parent;
			*when = birth->time;
		}
		if (serves || !far)
			break;
		birth = above;
	}
	return creator;
}

/* A goroutine is started: @g is the new one. */
static __always_inline void goroutine_started(__u64 g, __u32 tgid)
{
	struct go_layout *layout;
	__u32 child, parent = 0;
	__u64 m;

	/* A child process inherits the breakpoint until it first comes by. */
	if (bpf_get_current_pid_tgid() >> 32 != tgid || hints_paused)
		return;
	layout = bpf_map_lookup_elem(&go_layouts, &tgid);
	if (!layout)
		return;
	__sync_fetch_and_add(&layout->births, 1);
	child = user_word(g + layout->g_goid);
	go_running(layout, &parent, &m);
	if (child)
		go_begin(layout, child, parent);
}

#endif
