/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/*
 * Tasks of Python's thread pools. ThreadPoolExecutor.submit() puts an object, the work item, into a queue;
 * a thread of the pool takes it out and calls its run(). User space probes where an object is put, which
 * tells who gave the task and when. While it runs, the item is the first local variable of a frame of the
 * thread that runs it, so a call's thread tells whose task it works on.
 */
#ifndef AFTERTRACE_EXECUTOR_H
#define AFTERTRACE_EXECUTOR_H

#include "../maps.h"
#include "registers.h"
#include "tasks.h"
#include "user-word.h"

#define WORK_ITEMS_MAX 16384
/* Frames of a thread that are looked through, the innermost first; run() stands near the outermost. */
#define PYTHON_FRAMES_SEEN 256
/* PyObject.ob_type, PyTypeObject.tp_name: in all versions. */
#define PYTHON_OBJECT_TYPE 8
#define PYTHON_TYPE_NAME 24
/* _PyInterpreterFrame.owner of what the interpreter has on its own stack: it has no local variables. */
#define PYTHON_FRAME_IS_NATIVE 3

struct work_item_key {
	__u64 item; /* address */
	__u64 tgid;
};

struct work_item {
	__u64 time; /* when it was put into the queue */
	__u64 type; /* address of its class: another object may be there by now */
	__u32 tid;  /* the thread that gave the task */
	__u32 task; /* the task of asyncio that gave it, the one that made that, and the first of the line; 0 none */
	__u32 creator;
	__u32 root;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, WORK_ITEMS_MAX);
	__type(key, struct work_item_key);
	__type(value, struct work_item);
} work_items SEC(".maps");

/* When a thread last read what was sent to the process as a server. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PYTHON_THREADS_MAX);
	__type(key, __u64); /* process and thread */
	__type(value, __u64);
} python_readers SEC(".maps");

static __always_inline __u32 saturate(__u64 value)
{
	return value > 0xffffffff ? 0xffffffff : value;
}

static __always_inline __u64 innermost_frame(const struct python_layout *layout, __u64 state)
{
	__u64 frame = user_word(state + layout->thread_frame);

	return layout->is_indirect && frame ? user_word(frame + layout->indirect_frame) : frame;
}

static __always_inline bool is_native(const struct python_layout *layout, __u64 frame)
{
	__u8 owner = 0;

	if (!layout->frame_owner)
		return false;
	bpf_probe_read_user(&owner, sizeof(owner), (const void *)(frame + layout->frame_owner));
	return owner == PYTHON_FRAME_IS_NATIVE;
}

/* The address of the work item that a thread runs; 0 if it runs none. */
static __noinline __u64 running_item(const struct python_layout *layout, __u64 state, __u64 tgid)
{
	struct work_item_key key = { .tgid = tgid };
	struct work_item *item;
	__u64 frame;

	if (!layout)
		return 0;
	frame = innermost_frame(layout, state);
	for (int i = 0; i < PYTHON_FRAMES_SEEN && frame; i++) {
		key.item = user_word(frame + layout->frame_locals);
		if (key.item && !is_native(layout, frame)) {
			item = bpf_map_lookup_elem(&work_items, &key);
			if (item && user_word(key.item + PYTHON_OBJECT_TYPE) == item->type)
				return key.item;
		}
		frame = user_word(frame + layout->frame_previous);
	}
	return 0;
}

static __always_inline struct work_item *current_item(const struct python_layout *layout,
						      const struct python_thread *thread, __u64 id)
{
	struct work_item_key key = { .tgid = id >> 32 };

	key.item = running_item(layout, thread->state, key.tgid);
	return key.item ? bpf_map_lookup_elem(&work_items, &key) : 0;
}

static __always_inline bool is_work_item(__u64 type)
{
	static const char name[] = "_WorkItem";
	char own[sizeof(name)] = {};

	bpf_probe_read_user(own, sizeof(own), (const void *)user_word(type + PYTHON_TYPE_NAME));
	for (int i = 0; i < (int)sizeof(name); i++)
		if (own[i] != name[i])
			return false;
	return true;
}

/* SimpleQueue.put(item) begins: its second argument are the objects that it is called with. */
static __always_inline void object_put(const struct pt_regs *regs, __u32 expected)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct work_item_key key = { .tgid = id >> 32 };
	const struct python_layout *layout;
	struct python_thread *thread;
	struct work_item item = {};
	struct python_task *task;
	struct work_item *outer;
	__u32 tgid = id >> 32;

	/* A child inherits the breakpoint until it first comes by. */
	if (tgid != expected || hints_paused)
		return;
	key.item = user_word(function_argument(regs, 1));
	item.type = user_word(key.item + PYTHON_OBJECT_TYPE);
	if (!is_work_item(item.type))
		return;
	item.time = bpf_ktime_get_ns();
	item.tid = (__u32)id;
	layout = bpf_map_lookup_elem(&python_layouts, &tgid);
	thread = layout ? current_thread(layout, id) : 0;
	outer = thread ? current_item(layout, thread, id) : 0;
	task = thread ? task_of(current_context(layout, thread), id) : 0;
	/* A task that a task gives is for whoever gave the first. */
	if (outer) {
		item.time = outer->time;
		item.tid = outer->tid;
		item.task = outer->task;
		item.creator = outer->creator;
		item.root = outer->root;
	} else if (task) {
		item.task = task->id;
		item.creator = task->creator;
		item.root = task->root;
	}
	bpf_map_update_elem(&work_items, &key, &item, BPF_ANY);
}

/* This thread reads a request: what it does from now on may be for that one. */
static __always_inline void request_read(__u64 now)
{
	__u64 id = bpf_get_current_pid_tgid();

	bpf_map_update_elem(&python_readers, &id, &now, BPF_ANY);
}

/* Fills in who gave the task that makes this call. Returns false where it is none of a pool, or a request was read in it. */
__noinline int executor_hints(struct event_hints *hints, __u64 now)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tgid = id >> 32;
	const struct python_layout *layout = bpf_map_lookup_elem(&python_layouts, &tgid);
	struct python_thread *thread;
	struct work_item *item;
	__u64 *read;

	if (!layout || !hints)
		return false;
	thread = current_thread(layout, id);
	item = thread ? current_item(layout, thread, id) : 0;
	if (!item)
		return false;
	read = bpf_map_lookup_elem(&python_readers, &id);
	if (read && *read > item->time)
		return false;
	hints->lease_tid = item->tid;
	/* Another processor's clock may be a little ahead. */
	hints->lease_age = now > item->time ? saturate(now - item->time) : 0;
	if (item->task) {
		hints->goroutine = item->task;
		hints->creator = item->creator;
		hints->caller = item->root;
	}
	return true;
}

#endif
