/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* Hints of goroutines: who calls, for whom, and who started that one. */
#ifndef AFTERTRACE_GO_H
#define AFTERTRACE_GO_H

#include "go-births.h"
#include "go-callers.h"

/*
 * Fills in what is known of the goroutine in this call, but for its age: lease->time is when the creator started what led
 * to the caller, 0 unknown. Returns false when nothing is known.
 * @serves: this end accepted the connection
 */
__noinline int go_hints(struct event_hints *hints, struct lease *lease, __u32 tgid,
			enum direction direction, bool serves)
{
	const struct go_layout *layout = bpf_map_lookup_elem(&go_layouts, &tgid);
	__u64 g, caller, m = 0;

	if (!layout || !hints || !lease)
		return false;
	lease->time = 0;
	g = go_running(layout, &hints->goroutine, &m);
	if (!g)
		return false;
	if (!layout->g_parent)
		hints->slice = go_slice(layout, m);
	if (serves && !layout->g_parent)
		go_serves(layout, hints->goroutine);
	if (direction != DIRECTION_SEND)
		return true;
	if (serves) {
		/* The goroutine that reads ahead on this connection began just before the handler's own. */
		hints->caller = layout->g_parent ? 0 : lease->goroutine;
		return true;
	}
	caller = go_caller(layout, g, hints->goroutine, tgid);
	if (caller)
		hints->caller = user_word(caller + layout->g_goid);
	if (layout->g_parent)
		hints->creator = user_word((caller ? caller : g) + layout->g_parent);
	else /* The line of a writer leads to whom its connection was opened for. */
		hints->creator = go_creator(layout, caller ? hints->caller : hints->goroutine, caller, &lease->time);
	return true;
}

/* A receive found nothing: on which goroutine, where later answers on the connection need it. */
__noinline int go_found_empty(struct lease *lease, __u32 tgid)
{
	const struct go_layout *layout = bpf_map_lookup_elem(&go_layouts, &tgid);
	__u32 id = 0;
	__u64 m;

	if (!lease || !layout || layout->g_parent)
		return 0;
	go_running(layout, &id, &m);
	lease->goroutine = id;
	return 0;
}

#endif
