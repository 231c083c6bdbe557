/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/*
 * Go's own structures, read while a goroutine is in a system call or the scheduler runs for it.
 *
 * All of it is the process's own memory, read without faulting; a wrong value gives a wrong id, no more.
 */
#ifndef AFTERTRACE_GO_RUNTIME_H
#define AFTERTRACE_GO_RUNTIME_H

#include "../maps.h"
#include "registers.h"
#include "user-word.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HINTED_MAX);
	__type(key, __u32); /* tgid */
	__type(value, struct go_layout);
} go_layouts SEC(".maps");

static __always_inline __u64 go_current(const struct go_layout *layout)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return user_word(thread_pointer(task) + layout->tls);
}

/* The goroutine in this call, and its id: on a thread that runs the scheduler, the one it runs for. */
static __always_inline __u64 go_running(const struct go_layout *layout, __u32 *id, __u64 *m)
{
	__u64 g = go_current(layout);

	if (!g)
		return 0;
	*id = user_word(g + layout->g_goid);
	*m = user_word(g + layout->g_m);
	if (!*id && *m) {
		g = user_word(*m + layout->m_curg);
		*id = g ? user_word(g + layout->g_goid) : 0;
	}
	return *id ? g : 0;
}

/*
 * Which P runs it, and how often that P has switched: a goroutine that another one readied and ran next
 * inherits the time slice. In a system call m.p is 0 and m.oldp has it.
 */
static __always_inline __u32 go_slice(const struct go_layout *layout, __u64 m)
{
	__u64 p = user_word(m + layout->m_p);

	if (!p)
		p = user_word(m + layout->m_oldp);
	if (!p)
		return 0;
	return (__u32)user_word(p + layout->p_id) << 20 | ((__u32)user_word(p + layout->p_schedtick) & 0xfffff);
}

#endif
