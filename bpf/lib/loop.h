/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* Turns of an event loop: what a turn sends was decided in it or in turns before. */
#ifndef AFTERTRACE_LOOP_H
#define AFTERTRACE_LOOP_H

#include "../maps.h"
#include "emit.h"
#include "hints.h"
#include "registers.h"

#define SYSCALL_EPOLL_WAIT 232
#define SYSCALL_EPOLL_PWAIT 281
#define SYSCALL_EPOLL_PWAIT2 441

static __always_inline void call_returned(const struct pt_regs *regs, long result)
{
	int call = call_number(regs);
	struct hinted_process *process;
	struct event_wake event;
	__u64 id;

	if (call != SYSCALL_EPOLL_WAIT && call != SYSCALL_EPOLL_PWAIT && call != SYSCALL_EPOLL_PWAIT2)
		return;
	id = bpf_get_current_pid_tgid();
	process = hinted_process(id >> 32);
	if (!process || !(process->kinds & HINT_LOOP) || result < 0)
		return;
	__builtin_memset(&event, 0, sizeof(event));
	fill_header(&event.header, EVENT_LOOP, 0, id, sizeof(event));
	event.ready = result;
	emit(&event, sizeof(event));
}

#endif
