/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/*
 * Async roots of Node: the outermost promise that waits for the code that sends. V8 remembers the microtask
 * that it runs. From there the way is the one by which V8 writes asynchronous stack traces: from a reaction to the
 * async function that it resumes, to that function's promise, to the reaction that waits for this one, and so on.
 * Two calls with the same root were made by the same chain of async functions.
 *
 * Objects move: all that are young at each collection of the young generation. What is known of a root
 * then moves with it: where it was stands where it went, until the next collection reuses the place. A root that
 * cannot be followed gets another number when it is seen again.
 *
 * All of it is the process's own memory, read without faulting; every object is checked for its type.
 */
#ifndef AFTERTRACE_ASYNC_ROOTS_H
#define AFTERTRACE_ASYNC_ROOTS_H

#include "../maps.h"
#include "registers.h"
#include "user-word.h"

/* Async functions that wait for each other, promises between them included. */
#define ASYNC_STEPS_MAX 24
/* Roots of a thread that are known at a time; a power of two. */
#define ASYNC_ROOTS_MAX 1024
#define ASYNC_THREADS_MAX 256
#define ASYNC_PLACES_MAX 32768

/* Objects are told from small integers by the lowest bit of their address; fields are counted in words. */
#define V8_TAG 1
#define V8_FIELD(object, index) ((object) - V8_TAG + 8 * (index))

/* Fields of PromiseReactionJobTask, PromiseResolveThenableJobTask, PromiseReaction (these behind v8_layout.preserved) ... */
#define V8_JOB_HANDLER 3
#define V8_JOB_NEXT 4
#define V8_THENABLE_JOB_PROMISE 2
#define V8_REACTION_OTHERS 1
#define V8_REACTION_FULFILL 3
#define V8_REACTION_NEXT 4
#define V8_CAPABILITY_PROMISE 1
#define V8_PROMISE_REACTIONS 3
#define V8_GENERATOR_PROMISE 10 /* of async functions; of async generators their first request */
#define V8_REQUEST_PROMISE 4
#define V8_CONTEXT_LENGTH 1
#define V8_CONTEXT_SLOTS 4

/* Length of the context of a promise's own resolve(): promise, whether it was called, whether to tell debuggers. */
#define V8_RESOLVE_CONTEXT 5

/* GCType of v8-callbacks.h */
#define V8_SCAVENGE 1

/* Pages of the heap are aligned to their size. */
#define V8_PAGE_MASK (~0x3ffffULL)

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HINTED_MAX);
	__type(key, __u32); /* tgid */
	__type(value, struct v8_layout);
} v8_layouts SEC(".maps");

struct async_root {
	__u64 promise; /* tagged address */
	__u32 number;
	__u32 padding;
};

struct given_root {
	__u32 number;
	__u32 life; /* v8_layout.life under which it was noted */
};

struct v8_thread {
	__u64 isolate;
	__u32 begun;   /* collections */
	__u32 settled; /* of those, how many roots have been followed through */
	__u32 count;   /* of roots */
	__u32 life;    /* v8_layout.life under which they were noted */
	__u64 connecting; /* uv_tcp_t for which this thread is about to call connect(), 0 none, and */
	struct given_root connecting_root; /* its root */
	struct async_root roots[ASYNC_ROOTS_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, ASYNC_THREADS_MAX);
	__type(key, __u64); /* process and thread */
	__type(value, struct v8_thread);
} v8_threads SEC(".maps");

struct async_place {
	__u64 promise;
	__u64 thread; /* process and thread */
};

/* Which of its thread's roots a promise is, if that says so too. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, ASYNC_PLACES_MAX);
	__type(key, struct async_place);
	__type(value, __u32);
} async_places SEC(".maps");

/* A value of this size does not fit the stack of a program: new threads are copied from here. */
static const struct v8_thread v8_new_thread = {};

__u32 last_root = 0;

static __always_inline __u64 v8_field(__u64 object, int index)
{
	return user_word(V8_FIELD(object, index));
}

/* Instance type of what this may point to; 0, a type of strings, where it is no object. */
static __always_inline __u16 v8_type(const struct v8_layout *layout, __u64 object)
{
	__u64 map;

	if (!(object & V8_TAG))
		return 0;
	map = v8_field(object, 0);
	return map & V8_TAG ? user_word(map - V8_TAG + layout->instance_type) : 0;
}

static __always_inline bool is_promise(const struct v8_layout *layout, __u64 object)
{
	return v8_type(layout, object) == layout->promise;
}

/* The promise that is settled with this PromiseCapability or promise; 0 if it is none. */
static __always_inline __u64 settled_promise(const struct v8_layout *layout, __u64 object)
{
	__u16 type = v8_type(layout, object);

	if (type == layout->capability) {
		object = v8_field(object, V8_CAPABILITY_PROMISE);
		type = v8_type(layout, object);
	}
	return type == layout->promise ? object : 0;
}

struct async_walk {
	__u64 handler; /* what runs with the outcome, and */
	__u64 next;    /* what is settled with what it returns */
	__u64 root;    /* the outermost promise so far */
};

/* What waits for a promise is told in a field of it. Returns false where nothing does, or several do. */
static __always_inline bool go_outwards(struct async_walk *walk, const struct v8_layout *layout,
					__u64 promise)
{
	__u64 fields[V8_REACTION_NEXT] = {};
	__u64 reaction;

	walk->root = promise;
	reaction = v8_field(promise, V8_PROMISE_REACTIONS);
	if (v8_type(layout, reaction) != layout->reaction)
		return false;
	bpf_probe_read_user(fields, sizeof(fields),
			    (const void *)V8_FIELD(reaction, V8_REACTION_OTHERS + layout->preserved));
	if (fields[0] & V8_TAG)
		return false;
	walk->handler = fields[V8_REACTION_FULFILL - V8_REACTION_OTHERS];
	walk->next = fields[V8_REACTION_NEXT - V8_REACTION_OTHERS];
	return true;
}

/* The promise of an async function, or the one for which an async generator runs now. */
static __always_inline __u64 generator_promise(const struct v8_layout *layout, __u64 generator, __u16 type)
{
	__u64 promise = v8_field(generator, V8_GENERATOR_PROMISE);

	if (type == layout->async_generator && v8_type(layout, promise) == layout->generator_request)
		promise = v8_field(promise, V8_REQUEST_PROMISE);
	return is_promise(layout, promise) ? promise : 0;
}

/*
 * The promise that this handler goes on with, if it is one of V8's own: await (its context holds the
 * generator), an element of Promise.all() (a capability behind a counter), or a promise's resolve().
 */
static __always_inline __u64 closure_promise(const struct v8_layout *layout, __u64 handler)
{
	__u64 words[V8_CONTEXT_SLOTS + 2] = {};
	__u64 context, first, second;
	__u16 type;

	if (v8_type(layout, handler) != layout->function)
		return 0;
	context = user_word(handler - V8_TAG + layout->context);
	if (!(context & V8_TAG) ||
	    bpf_probe_read_user(words, sizeof(words), (const void *)V8_FIELD(context, 0)))
		return 0;
	first = words[V8_CONTEXT_SLOTS];
	second = words[V8_CONTEXT_SLOTS + 1];
	type = v8_type(layout, first);
	if (type == layout->async_function || type == layout->async_generator)
		return generator_promise(layout, first, type);
	if (v8_type(layout, second) == layout->capability)
		return settled_promise(layout, second);
	if (type == layout->promise && words[V8_CONTEXT_LENGTH] == (__u64)V8_RESOLVE_CONTEXT << 32)
		return first;
	return 0;
}

/* One step outwards. Returns false at the end. A global function: verified once, not for every step. */
__noinline int async_step(struct async_walk *walk, const struct v8_layout *layout)
{
	__u64 promise;

	if (!walk || !layout)
		return false;
	promise = closure_promise(layout, walk->handler);
	if (!promise)
		promise = settled_promise(layout, walk->next);
	return promise ? go_outwards(walk, layout, promise) : false;
}

/* The outermost promise that waits for the microtask which this thread runs; 0 if there is none. */
static __always_inline __u64 find_async_root(const struct v8_layout *layout, __u64 isolate)
{
	__u64 job = user_word(isolate + layout->microtask);
	__u16 type = v8_type(layout, job);
	struct async_walk walk = {};

	if (type == layout->fulfill_job || type == layout->reject_job) {
		walk.handler = v8_field(job, V8_JOB_HANDLER + layout->preserved);
		walk.next = v8_field(job, V8_JOB_NEXT + layout->preserved);
	} else if (type == layout->thenable_job) {
		walk.next = v8_field(job, V8_THENABLE_JOB_PROMISE + layout->preserved);
	} else {
		return 0;
	}
	for (int i = 0; i < ASYNC_STEPS_MAX; i++) {
		if (!async_step(&walk, layout))
			return walk.root;
	}
	/* Where a longer chain ends is not known: another call's end may lie elsewhere. */
	return 0;
}

static __always_inline struct v8_thread *known_thread(const struct v8_layout *layout, __u64 id,
						     __u64 isolate)
{
	struct v8_thread *thread = bpf_map_lookup_elem(&v8_threads, &id);

	if (!thread) {
		bpf_map_update_elem(&v8_threads, &id, &v8_new_thread, BPF_NOEXIST);
		thread = bpf_map_lookup_elem(&v8_threads, &id);
	}
	/* It is another one of the same number, or a collection was missed. */
	if (thread && (thread->isolate != isolate || thread->life != layout->life ||
		       thread->settled != thread->begun)) {
		thread->isolate = isolate;
		thread->life = layout->life;
		thread->settled = thread->begun;
		thread->count = 0;
	}
	return thread;
}

/* Notes that a thread's root is there. Returns false where there is no room. */
static __always_inline bool place_root(struct v8_thread *thread, __u64 id, __u64 promise, __u32 number)
{
	struct async_place place = { .promise = promise, .thread = id };
	__u32 at = thread->count;
	struct async_root *root = &thread->roots[at & (ASYNC_ROOTS_MAX - 1)];

	if (at >= ASYNC_ROOTS_MAX || bpf_map_update_elem(&async_places, &place, &at, BPF_ANY))
		return false;
	root->promise = promise;
	root->number = number;
	thread->count = at + 1;
	return true;
}

static __always_inline __u32 root_number(struct v8_thread *thread, __u64 id, __u64 promise)
{
	struct async_place place = { .promise = promise, .thread = id };
	const __u32 *at = bpf_map_lookup_elem(&async_places, &place);
	__u32 number;

	if (at && *at < thread->count) {
		const struct async_root *root = &thread->roots[*at & (ASYNC_ROOTS_MAX - 1)];

		if (root->promise == promise)
			return root->number;
	}
	number = TASK_UNKNOWN | (__sync_fetch_and_add(&last_root, 1) + 1);
	return place_root(thread, id, promise, number) ? number : 0;
}

/* Number of the root of the microtask that this thread runs; 0: there is none, or it is not known. A global function. */
__noinline __u32 running_root(void)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tgid = id >> 32;
	const struct v8_layout *layout = bpf_map_lookup_elem(&v8_layouts, &tgid);
	struct v8_thread *thread;
	__u64 isolate, promise;

	if (!layout)
		return 0;
	isolate = user_word(thread_pointer(bpf_get_current_task_btf()) + layout->isolate);
	/* Threads without JavaScript have none. */
	promise = isolate ? find_async_root(layout, isolate) : 0;
	thread = promise ? known_thread(layout, id, isolate) : 0;
	return thread ? root_number(thread, id, promise) : 0;
}

/* A collection begins. Between here and its end the thread runs no JavaScript. */
static __always_inline void collection_begins(__u32 tgid)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct v8_thread *thread;

	/* A child inherits the breakpoint until it first comes by. */
	if (id >> 32 != tgid)
		return;
	thread = bpf_map_lookup_elem(&v8_threads, &id);
	if (thread)
		thread->begun++;
}

struct async_follow {
	const struct v8_layout *layout;
	struct v8_thread *thread;
	__u64 id;
	__u32 before;  /* how many roots there were */
	bool scavenge; /* what is old stayed */
};

/*
 * Where a root is after a collection; 0: it is gone, or that cannot be told. An object that moved left its new
 * address, without tag, in place of its map.
 */
static __always_inline __u64 promise_after(const struct async_follow *follow, __u64 promise)
{
	const struct v8_layout *layout = follow->layout;
	__u64 word = v8_field(promise, 0);

	if (word && !(word & V8_TAG))
		promise = word | V8_TAG;
	else if (!follow->scavenge || user_word((promise & V8_PAGE_MASK) + layout->page_flags) & layout->young)
		return 0;
	return is_promise(layout, promise) ? promise : 0;
}

static long follow_root(__u32 index, struct async_follow *follow)
{
	const struct async_root *root = &follow->thread->roots[index & (ASYNC_ROOTS_MAX - 1)];
	__u32 number = root->number;
	__u64 promise;

	if (index >= follow->before)
		return 1;
	promise = promise_after(follow, root->promise);
	if (promise)
		place_root(follow->thread, follow->id, promise, number);
	return 0;
}

/* A collection is over, JavaScript not yet resumed. @type: GCType, what was collected */
static __always_inline void collection_ends(__u32 tgid, __u32 type)
{
	struct async_follow follow = { .id = bpf_get_current_pid_tgid(), .scavenge = type == V8_SCAVENGE };

	if (follow.id >> 32 != tgid)
		return;
	follow.layout = bpf_map_lookup_elem(&v8_layouts, &tgid);
	follow.thread = bpf_map_lookup_elem(&v8_threads, &follow.id);
	/* Of two collections at once, where the first put things is overwritten. */
	if (!follow.layout || !follow.thread || follow.thread->begun != follow.thread->settled + 1)
		return;
	follow.before = follow.thread->count;
	follow.thread->count = 0;
	/* Since Linux 5.17: before, roots are told anew after each collection. */
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop))
		bpf_loop(ASYNC_ROOTS_MAX, follow_root, &follow, 0);
	follow.thread->settled = follow.thread->begun;
}

#endif
