/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* The life of tasks: processes and threads alike. */
#ifndef AFTERTRACE_PROCESS_H
#define AFTERTRACE_PROCESS_H

#include "../maps.h"
#include "emit.h"
#include "filter.h"
#include "hints.h"

/* Threads come and go unrecorded where that hint is off; processes do not. */
static __always_inline bool life_wanted(const struct task_struct *task)
{
	return hint_kinds & HINT_THREADS || task->pid == task->tgid;
}

static __always_inline void process_event(struct task_struct *task, struct task_struct *creator,
					  __u16 kind)
{
	struct event_process event;

	__builtin_memset(&event, 0, sizeof(event));
	fill_header(&event.header, kind, 0, (__u64)task->tgid << 32 | (__u32)task->pid, sizeof(event));
	if (creator) {
		event.parent = creator->pid;
		event.parent_tgid = creator->tgid;
	}
	bpf_probe_read_kernel_str(event.name, sizeof(event.name), task->comm);
	emit(&event, sizeof(event));
}

#endif
