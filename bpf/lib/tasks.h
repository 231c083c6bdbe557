/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/*
 * Tasks of asyncio. Whatever a task does, it does in a context of its own (PEP 567), a copy made when the
 * task is: the thread's current context says which task makes a call. User space probes where a new task
 * has the context copied that is current: the one of the task that makes it. That place is a call, which
 * the kernel emulates, and so cheaper than the one behind it; the copy is read from the task at the next occasion.
 *
 * Contexts are freed and made again at the same address, for callbacks of the loop too. So a task is believed
 * only while the very field in which it was stored still holds it. A context that is none of a known task's, as of
 * tasks made before recording began, is told by its address: it is the same one while its task lives.
 */
#ifndef AFTERTRACE_TASKS_H
#define AFTERTRACE_TASKS_H

#include "../maps.h"
#include "registers.h"
#include "user-word.h"

#define TASKS_MAX 16384
#define PYTHON_THREADS_MAX 4096
/* Threads of a process that are looked through for the current one: the newest stand first. */
#define PYTHON_THREADS_SEEN 1024

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HINTED_MAX);
	__type(key, __u32); /* tgid */
	__type(value, struct python_layout);
} python_layouts SEC(".maps");

struct task_key {
	__u64 context; /* address */
	__u64 tgid;
};

struct python_task {
	__u64 field; /* address at which the task keeps its context */
	__u32 id;
	__u32 creator;
	__u32 root;  /* the first of its line that is known */
	__u32 padding;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TASKS_MAX);
	__type(key, struct task_key);
	__type(value, struct python_task);
} python_tasks SEC(".maps");

struct python_thread {
	__u64 state;             /* address of its PyThreadState */
	struct python_task made; /* the last task that it made, field 0 once that is in python_tasks */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PYTHON_THREADS_MAX);
	__type(key, __u64); /* process and thread */
	__type(value, struct python_thread);
} python_threads SEC(".maps");

__u32 last_task = 0;

/* The state of the current thread; 0 if it runs no Python. */
static __noinline __u64 find_thread_state(const struct python_layout *layout)
{
	__u64 self = thread_pointer(bpf_get_current_task_btf());
	__u64 state;

	if (!layout)
		return 0;
	state = user_word(user_word(layout->interpreters) + layout->threads);
	for (int i = 0; i < PYTHON_THREADS_SEEN && state; i++) {
		if (user_word(state + layout->thread_id) == self)
			break;
		state = user_word(state + layout->thread_next);
	}
	return state;
}

/* The task that this thread made last is one that can be found from now on. */
static __always_inline void settle_task(struct python_thread *thread, __u64 id)
{
	struct task_key key = { .tgid = id >> 32 };

	if (!thread->made.field)
		return;
	key.context = user_word(thread->made.field);
	if (key.context)
		bpf_map_update_elem(&python_tasks, &key, &thread->made, BPF_ANY);
	thread->made.field = 0;
}

static __always_inline struct python_thread *current_thread(const struct python_layout *layout, __u64 id)
{
	struct python_thread *thread = bpf_map_lookup_elem(&python_threads, &id);
	struct python_thread begun = {};

	/* It may be another one of the same number by now, with its state elsewhere. */
	if (!thread || user_word(thread->state + layout->thread_id) !=
			       thread_pointer(bpf_get_current_task_btf())) {
		begun.state = find_thread_state(layout);
		if (!begun.state)
			return 0;
		bpf_map_update_elem(&python_threads, &id, &begun, BPF_ANY);
		thread = bpf_map_lookup_elem(&python_threads, &id);
	}
	if (thread)
		settle_task(thread, id);
	return thread;
}

/* Address of the context that is current on a thread; 0 if there is none. */
static __always_inline __u64 current_context(const struct python_layout *layout,
					     const struct python_thread *thread)
{
	return user_word(thread->state + layout->thread_context);
}

/* The task whose context this is; 0 if it is not known. */
static __always_inline struct python_task *task_of(__u64 context, __u64 id)
{
	struct task_key key = { .context = context, .tgid = id >> 32 };
	struct python_task *task = bpf_map_lookup_elem(&python_tasks, &key);

	return task && user_word(task->field) == context ? task : 0;
}

static __always_inline __u32 context_number(__u64 context)
{
	return context ? TASK_UNKNOWN | (__u32)(context >> 4) : 0;
}

/* A new task is about to get its context. */
static __always_inline void task_made(const struct pt_regs *regs, __u64 cookie)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tgid = id >> 32;
	const struct python_layout *layout;
	struct python_thread *thread;
	struct python_task *creator;
	__u64 context;

	/* A child inherits the breakpoint until it first comes by. */
	if (tgid != (__u32)cookie || hints_paused)
		return;
	layout = bpf_map_lookup_elem(&python_layouts, &tgid);
	thread = layout ? current_thread(layout, id) : 0;
	if (!thread)
		return;
	context = current_context(layout, thread);
	creator = task_of(context, id);
	thread->made.field = saved_register(regs, cookie >> TASK_PROBE_REGISTER_SHIFT & 0xff) +
			     (cookie >> TASK_PROBE_OFFSET_SHIFT);
	thread->made.id = (__sync_fetch_and_add(&last_task, 1) + 1) & ~TASK_UNKNOWN;
	thread->made.creator = creator ? creator->id : context_number(context);
	thread->made.root = creator ? creator->root : thread->made.id;
}

/* Fills in which task makes this call. Returns false when none does. */
__noinline int task_hints(struct event_hints *hints)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tgid = id >> 32;
	const struct python_layout *layout = bpf_map_lookup_elem(&python_layouts, &tgid);
	struct python_thread *thread;
	struct python_task *task;
	__u64 context;

	if (!layout || !hints)
		return false;
	thread = current_thread(layout, id);
	if (!thread)
		return false;
	context = current_context(layout, thread);
	task = task_of(context, id);
	hints->goroutine = task ? task->id : context_number(context);
	if (!task)
		return context != 0;
	hints->creator = task->creator;
	hints->caller = task->root;
	return true;
}

#endif
