/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/*
 * Given roots of Node: the async root under which a connection was made for a request, or given to it. http.Agent writes
 * requests in ticks of their own, where no microtask runs, and undici's first request on a new connection is sent by
 * the function that connected. But both took the connection in the async function that makes the request: there a TCPWrap
 * is constructed, or an open one that is idle is reset for its next use.
 *
 * Until a connection has a descriptor its wrap is known by address. libuv connects in a later turn.
 */
#ifndef AFTERTRACE_GIVEN_ROOTS_H
#define AFTERTRACE_GIVEN_ROOTS_H

#include "async-roots.h"

#define NEW_WRAPS_MAX 4096
#define GIVEN_ROOTS_MAX 16384

/* libuv 1 keeps these as they are: a handle begins with what it is for (here its wrap), and has a type. */
#define UV_HANDLE_TYPE 16
#define UV_STREAM_DESCRIPTOR 184
#define UV_TCP 12

/* Words of a TCPWrap in which its uv_tcp_t must begin, its type included. */
#define WRAP_WORDS 32

struct new_wrap {
	__u64 address;
	__u32 tgid;
	__u32 padding;
};

struct open_file {
	__u32 tgid;
	__u32 descriptor;
};

/* Of TCPWraps that have no descriptor yet. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, NEW_WRAPS_MAX);
	__type(key, struct new_wrap);
	__type(value, struct given_root);
} new_wraps SEC(".maps");

/* Of connections that have not sent since. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GIVEN_ROOTS_MAX);
	__type(key, struct open_file);
	__type(value, struct given_root);
} given_roots SEC(".maps");

static __always_inline int handle_descriptor(__u64 handle)
{
	return user_word(handle + UV_STREAM_DESCRIPTOR);
}

/* Descriptor of the open uv_tcp_t in a wrap; -1 if it has none. A global function, for its stack. */
__noinline int wrap_descriptor(__u64 wrap)
{
	__u64 words[WRAP_WORDS] = {};

	if (bpf_probe_read_user(words, sizeof(words), (const void *)wrap))
		return -1;
	for (int i = 1; i < WRAP_WORDS - UV_HANDLE_TYPE / 8; i++) {
		if (words[i] == wrap && (__u32)words[i + UV_HANDLE_TYPE / 8] == UV_TCP)
			return handle_descriptor(wrap + 8 * i);
	}
	return -1;
}

static __always_inline void note_root(void *map, const void *key, const struct given_root *root)
{
	if (root->number)
		bpf_map_update_elem(map, key, root, BPF_ANY);
	else
		bpf_map_delete_elem(map, key);
}

/* A wrap is constructed, or made ready for its next use. Where no root is known it keeps none of its past. */
static __always_inline void wrap_reset(__u64 wrap, __u32 tgid)
{
	struct new_wrap key = { .address = wrap, .tgid = tgid };
	struct open_file file = { .tgid = tgid };
	struct given_root root = {};
	const struct v8_layout *layout;
	int descriptor;

	/* A child inherits the breakpoint until it first comes by. */
	if (bpf_get_current_pid_tgid() >> 32 != tgid)
		return;
	layout = bpf_map_lookup_elem(&v8_layouts, &tgid);
	if (!layout)
		return;
	root.number = running_root();
	root.life = layout->life;
	descriptor = wrap_descriptor(wrap);
	file.descriptor = descriptor;
	if (descriptor >= 0)
		note_root(&given_roots, &file, &root);
	else
		note_root(&new_wraps, &key, &root);
}

/* What libuv is about to connect, still in the same call: its thread keeps the root that its wrap was constructed under. */
static __always_inline void handle_connects(__u64 handle, __u32 tgid)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct new_wrap key = { .address = user_word(handle), .tgid = tgid };
	const struct given_root *root;
	struct v8_thread *thread;

	if (id >> 32 != tgid)
		return;
	thread = bpf_map_lookup_elem(&v8_threads, &id);
	if (!thread)
		return;
	root = bpf_map_lookup_elem(&new_wraps, &key);
	thread->connecting = root ? handle : 0;
	if (root)
		thread->connecting_root = *root;
	bpf_map_delete_elem(&new_wraps, &key);
}

/* The descriptor that the running system call is about; -1 if there is none. */
static __always_inline int call_descriptor(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const struct pt_regs *regs;

	if (task->flags & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER))
		return -1;
	regs = (const struct pt_regs *)bpf_task_pt_regs(task);
	return call_number(regs) < 0 ? -1 : (int)call_argument(regs, 0);
}

/* connect(): what was given to an earlier connection of the same descriptor no longer holds. */
static __noinline int give_root(void)
{
	__u64 id = bpf_get_current_pid_tgid();
	int descriptor = call_descriptor();
	struct open_file file = { .tgid = id >> 32, .descriptor = descriptor };
	struct v8_thread *thread = bpf_map_lookup_elem(&v8_threads, &id);

	if (thread && thread->connecting && handle_descriptor(thread->connecting) == descriptor)
		bpf_map_update_elem(&given_roots, &file, &thread->connecting_root, BPF_ANY);
	else
		bpf_map_delete_elem(&given_roots, &file);
	if (thread)
		thread->connecting = 0;
	return 0;
}

/* The root under which the connection of this send was given to its request, once; 0 if there is none. */
static __always_inline __u32 take_given_root(__u32 tgid)
{
	struct open_file file = { .tgid = tgid, .descriptor = call_descriptor() };
	const struct given_root *root = bpf_map_lookup_elem(&given_roots, &file);
	const struct v8_layout *layout;
	__u32 number = 0;

	if (!root)
		return 0;
	layout = bpf_map_lookup_elem(&v8_layouts, &tgid);
	if (layout && layout->life == root->life)
		number = root->number;
	bpf_map_delete_elem(&given_roots, &file);
	return number;
}

/* Fills in for whom this call is made, the beginning of a message. Returns false where that is not known. */
static __always_inline bool async_hints(struct event_hints *hints, __u32 tgid, bool serves)
{
	__u32 number = serves ? 0 : take_given_root(tgid);

	if (!number)
		number = running_root();
	hints->goroutine = number;
	hints->caller = number;
	return number != 0;
}

#endif
