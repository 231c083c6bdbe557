/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* Turns of an event loop: what a turn sends was decided in it or in turns before. */
#ifndef AFTERTRACE_LOOP_H
#define AFTERTRACE_LOOP_H

#include "../maps.h"
#include "emit.h"
#include "filter.h"
#include "hints.h"

/* A thread of process @tgid is about to wait for events. */
static __always_inline void loop_turned(__u32 tgid)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct hinted_process *process;
	struct event_wake event;

	/* A child inherits the breakpoint until it first comes by. */
	if (id >> 32 != tgid || !current_wanted(id))
		return;
	process = hinted_process(tgid);
	if (!process || !(process->kinds & HINT_LOOP))
		return;
	__builtin_memset(&event, 0, sizeof(event));
	fill_header(&event.header, EVENT_LOOP, 0, id, sizeof(event));
	emit(&event, sizeof(event));
}

#endif
