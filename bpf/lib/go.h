/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/*
 * Goroutines, read from the Go runtime's own structures while a goroutine is in a system call.
 *
 * net/http writes a request on a goroutine of the connection (writeLoop), whose stack holds the channel
 * on which the caller already waits for the outcome. Where it holds it is learned: the
 * compiler keeps it at one distance from the top of the stack in one build. Any goroutine
 * that writes for others is learned the same way, by the function it began with.
 *
 * All of it is the process's own memory, read without faulting; a wrong value gives a wrong id, no more.
 */
#ifndef AFTERTRACE_GO_H
#define AFTERTRACE_GO_H

#include "../maps.h"

/* Words from the top of the stack that are searched. */
#define GO_WORDS 128
/* After so many sends, and again after four times as many, it is seen which word it is. */
#define GO_LEARN_FIRST 64
#define GO_LEARN_LAST 4096
#define GO_WRITERS_MAX 2048

/* g begins with stack.lo, stack.hi in every version; m is read together with them. */
#define GO_STACK_HI 8

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, HINTED_MAX);
	__type(key, __u32); /* tgid */
	__type(value, struct go_layout);
} go_layouts SEC(".maps");

struct go_writer_key {
	__u64 begin; /* address of the function that the goroutine began with */
	__u32 tgid;
	__u32 life;
};

struct go_writer {
	__u32 sends;     /* seen while learning */
	__u32 next;      /* look at the counts after this many */
	__u32 word;      /* 1..GO_WORDS from the top of the stack, 0 not known */
	__u32 given_up;
	__u16 hits[GO_WORDS];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GO_WRITERS_MAX);
	__type(key, struct go_writer_key);
	__type(value, struct go_writer);
} go_writers SEC(".maps");

/* A value of this size does not fit the stack of a program: new writers are copied from here. */
static const struct go_writer go_new_writer = { .next = GO_LEARN_FIRST };

static __always_inline __u64 go_word(__u64 address)
{
	__u64 value = 0;

	bpf_probe_read_user(&value, sizeof(value), (const void *)address);
	return value;
}

/* Go's heap: the arenas the runtime asks for on x86-64. */
static __always_inline bool go_heap(__u64 address)
{
	return address >> 36 == 0xc && !(address & 7);
}

/* The goroutine that waits longest to receive from a channel; 0 if this is none, or none waits. */
static __always_inline __u64 go_receiver(const struct go_layout *layout, __u64 channel)
{
	__u64 waiting, goroutine;

	if (!go_heap(channel))
		return 0;
	waiting = go_word(channel + layout->hchan_recvq);
	if (!go_heap(waiting))
		return 0;
	goroutine = go_word(waiting + layout->sudog_g);
	return go_heap(goroutine) ? goroutine : 0;
}

struct go_search {
	const struct go_layout *layout;
	struct go_writer *writer;
	__u64 top;
	__u32 most;
	__u32 best; /* the word that hit most so far, 1.. */
};

static long go_try_word(__u32 index, struct go_search *search)
{
	__u64 goroutine = go_receiver(search->layout, go_word(search->top - 8 * (index + 1)));
	__u64 at = index;
	__u32 hits;

	/* The compiler knows this bound, the verifier has to see it. */
	asm volatile("" : "+r"(at));
	if (at >= GO_WORDS)
		return 1;
	hits = search->writer->hits[at];
	if (goroutine && go_word(goroutine + search->layout->g_goid))
		search->writer->hits[at] = ++hits;
	if (hits > search->most) {
		search->most = hits;
		search->best = at + 1;
	}
	return 0;
}

/*
 * Counts in which words of its stack this writer has the caller's channel, and decides for the one that
 * had it in more than 98 of 100 sends. Others that hit now and then are left-overs of earlier sends.
 * A global function, as others here: verified once, not in every path that calls it.
 */
__noinline int go_learn(struct go_writer *writer, const struct go_layout *layout, __u64 top)
{
	struct go_search search = { .layout = layout, .writer = writer, .top = top };

	if (!writer || !layout)
		return 0;
	bpf_loop(GO_WORDS, go_try_word, &search, 0);
	if (++writer->sends < writer->next)
		return 0;
	writer->word = search.most * 100 > writer->sends * 98 ? search.best : 0;
	if (writer->next >= GO_LEARN_LAST)
		writer->given_up = !writer->word;
	writer->next *= 4;
	return 0;
}

/* For whom this goroutine writes; 0 if it is not known. */
static __always_inline __u64 go_caller(const struct go_layout *layout, __u64 g, __u32 tgid)
{
	struct go_writer_key key = {
		.begin = go_word(g + layout->g_startpc),
		.tgid = tgid,
		.life = layout->life,
	};
	__u64 top = go_word(g + GO_STACK_HI);
	struct go_writer *writer = bpf_map_lookup_elem(&go_writers, &key);

	if (!writer) {
		bpf_map_update_elem(&go_writers, &key, &go_new_writer, BPF_NOEXIST);
		return 0;
	}
	if (writer->word)
		return go_receiver(layout, go_word(top - 8 * writer->word));
	if (!writer->given_up)
		go_learn(writer, layout, top);
	return 0;
}

/*
 * Which P runs it, and how often that P has switched: a goroutine that another one readied and ran next
 * inherits the time slice. In a system call m.p is 0 and m.oldp has it.
 */
static __always_inline __u32 go_slice(const struct go_layout *layout, __u64 m)
{
	__u64 p = go_word(m + layout->m_p);

	if (!p)
		p = go_word(m + layout->m_oldp);
	if (!p)
		return 0;
	return (__u32)go_word(p + layout->p_id) << 20 | ((__u32)go_word(p + layout->p_schedtick) & 0xfffff);
}

static __always_inline __u64 go_current(const struct go_layout *layout)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return go_word(task->thread.fsbase + (long)layout->tls);
}

/* The goroutine in this call, and its id: on a thread that runs the scheduler, the one it runs for. */
static __always_inline __u64 go_running(const struct go_layout *layout, __u32 *id, __u64 *m)
{
	__u64 g = go_current(layout);

	if (!g)
		return 0;
	*id = go_word(g + layout->g_goid);
	*m = go_word(g + layout->g_m);
	if (!*id && *m) {
		g = go_word(*m + layout->m_curg);
		*id = g ? go_word(g + layout->g_goid) : 0;
	}
	return *id ? g : 0;
}

/*
 * Fills in what is known of the goroutine in this call. Returns false when nothing is.
 * @serves: this end accepted the connection
 */
__noinline int go_hints(struct event_hints *hints, struct hint_state *state, __u32 tgid,
			enum direction direction, bool serves)
{
	const struct go_layout *layout = bpf_map_lookup_elem(&go_layouts, &tgid);
	__u64 g, caller, m = 0;

	if (!layout || !hints || !state)
		return false;
	g = go_running(layout, &hints->goroutine, &m);
	if (!g)
		return false;
	if (!layout->g_parent)
		hints->slice = go_slice(layout, m);
	if (direction != DIRECTION_SEND)
		return true;
	if (serves) {
		/* The goroutine that reads ahead on this connection began just before the handler's own. */
		hints->caller = layout->g_parent ? 0 : state->lease_goroutine;
		return true;
	}
	caller = go_caller(layout, g, tgid);
	if (caller)
		hints->caller = go_word(caller + layout->g_goid);
	if (layout->g_parent)
		hints->creator = go_word((caller ? caller : g) + layout->g_parent);
	return true;
}

/* A receive found nothing: on which goroutine, where later answers on the connection need it. */
__noinline int go_found_empty(struct hint_state *state, __u32 tgid)
{
	const struct go_layout *layout = bpf_map_lookup_elem(&go_layouts, &tgid);
	__u32 id = 0;
	__u64 m;

	if (!state || !layout || layout->g_parent)
		return 0;
	go_running(layout, &id, &m);
	state->lease_goroutine = id;
	return 0;
}

#endif
