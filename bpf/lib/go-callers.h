/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/*
 * For whom a goroutine writes.
 *
 * net/http writes a request on a goroutine of the connection (writeLoop), whose stack holds the channel
 * on which the caller already waits for the outcome. Where it holds it is learned: the
 * compiler keeps it at one distance from the top of the stack in one build. Any goroutine
 * that writes for others is learned the same way, by the function it began with.
 */
#ifndef AFTERTRACE_GO_CALLERS_H
#define AFTERTRACE_GO_CALLERS_H

#include "go-runtime.h"

/* Words from the top of the stack that are searched. */
#define GO_WORDS 128
/* From so many sends on it is decided which word it is; after so many it is given up. */
#define GO_LEARN_FIRST 64
#define GO_LEARN_LAST 4096
/* Two times the same goroutine must have written for another one: once may be an id used again. */
#define GO_LEARN_VARIED 2
#define GO_WRITERS_MAX 512
/* A goroutine that was picked as a sample and does not write again is replaced after so many sends. */
#define GO_SAMPLE_AGE 64

/* g begins with stack.lo, stack.hi in every version; m is read together with them. */
#define GO_STACK_HI 8

struct go_writer_key {
	__u64 begin; /* address of the function that the goroutine began with */
	__u32 tgid;
	__u32 life;
};

struct go_writer {
	__u32 sends;     /* seen while learning */
	__u32 word;      /* 1..GO_WORDS from the top of the stack, 0 not known */
	__u32 given_up;
	__u32 padding;
	__u32 sample;    /* one goroutine of this kind, by id, and when it was picked */
	__u32 sample_at;
	__u16 hits[GO_WORDS];
	__u16 varied[GO_WORDS]; /* the sample wrote again, for another one */
	__u32 callers[GO_WORDS]; /* for whom the sample wrote, if this is the word */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, GO_WRITERS_MAX);
	__type(key, struct go_writer_key);
	__type(value, struct go_writer);
} go_writers SEC(".maps");

/* A value of this size does not fit the stack of a program: new writers are copied from here. */
static const struct go_writer go_new_writer = {};

/* May it be an object on Go's heap? That lies in one stretch, at a random place since Go 1.26; every g is in it. */
static __always_inline bool go_heap(__u64 address, __u64 g)
{
	return address - g + (1ULL << 36) < 1ULL << 37 && !(address & 7);
}

/* The goroutine that waits longest to receive from a channel; 0 if this is none, or none waits. */
static __always_inline __u64 go_receiver(const struct go_layout *layout, __u64 channel, __u64 g)
{
	__u64 waiting, receiver;

	if (!go_heap(channel, g))
		return 0;
	waiting = user_word(channel + layout->hchan_recvq);
	if (!go_heap(waiting, g))
		return 0;
	receiver = user_word(waiting + layout->sudog_g);
	return go_heap(receiver, g) ? receiver : 0;
}

/*
 * A channel of errors with room for one: on such a one net/http tells the caller the outcome of writing
 * its request (Transport, persistConn.roundTrip), and the reader of the connection waits on none. Runtimes keep
 * capacity and size of an element at the same place in all versions.
 */
static __always_inline bool go_tells_outcome(__u64 channel)
{
	return user_word(channel + 8) == 1 && (__u16)user_word(channel + 24) == 16;
}

struct go_search {
	const struct go_layout *layout;
	struct go_writer *writer;
	__u64 g;
	__u64 top;
	bool again; /* the sample writes again */
	bool pick;  /* it becomes the sample */
	__u32 most;
	__u32 best;    /* the word that varied most so far of those that hit, 1.. */
	bool differs;  /* not all such channels have the same goroutine waiting */
	__u64 waiting; /* the goroutine that waits on a channel for an outcome, 0 none */
};

static long go_try_word(__u32 index, struct go_search *search)
{
	__u64 channel = user_word(search->top - 8 * (index + 1));
	__u64 g = go_receiver(search->layout, channel, search->g);
	__u32 caller = g ? user_word(g + search->layout->g_goid) : 0;
	struct go_writer *writer = search->writer;
	__u64 at = index;

	/* The compiler knows this bound, the verifier has to see it. */
	asm volatile("" : "+r"(at));
	if (at >= GO_WORDS)
		return 1;
	writer->hits[at] += caller != 0;
	writer->varied[at] += search->again && caller && caller != writer->callers[at];
	if (search->again || search->pick)
		writer->callers[at] = caller;
	if (caller && go_tells_outcome(channel)) {
		search->differs |= search->waiting && search->waiting != g;
		search->waiting = g;
	}
	if (writer->varied[at] > search->most && writer->hits[at] * 100 > writer->sends * 98) {
		search->most = writer->varied[at];
		search->best = at + 1;
	}
	return 0;
}

/*
 * Counts in which words of its stack this writer has a channel on which another goroutine waits. The word
 * is the one that has it in more than 98 of 100 sends, and most often for another caller when one
 * goroutine writes again: the goroutine that reads the same connection waits always, and is always the same.
 * Of equals the one nearest to the top, where the writer's own frame is. Words that hit now and then are
 * left-overs of earlier sends.
 * Returns for whom it writes now, if the channel's form alone tells; else 0.
 * A global function, as others here: verified once, not in every path that calls it.
 */
__noinline __u64 go_learn(struct go_writer *writer, const struct go_layout *layout, __u64 g, __u32 id)
{
	struct go_search search = { .layout = layout, .writer = writer, .g = g };

	if (!writer || !layout)
		return 0;
	writer->sends++;
	search.top = user_word(g + GO_STACK_HI);
	search.again = writer->sample == id;
	search.pick = !writer->sample || writer->sends - writer->sample_at > GO_SAMPLE_AGE;
	if (search.again || search.pick) {
		writer->sample = id;
		writer->sample_at = writer->sends;
	}
	/* Since Linux 5.17: before, nothing is learned. */
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop))
		bpf_loop(GO_WORDS, go_try_word, &search, 0);
	if (writer->sends >= GO_LEARN_FIRST && search.most >= GO_LEARN_VARIED)
		writer->word = search.best;
	else if (writer->sends >= GO_LEARN_LAST)
		writer->given_up = 1;
	return search.differs ? 0 : search.waiting;
}

/* For whom this goroutine writes; 0 if it is not known. */
static __always_inline __u64 go_caller(const struct go_layout *layout, __u64 g, __u32 id, __u32 tgid)
{
	struct go_writer_key key = {
		.begin = user_word(g + layout->g_startpc),
		.tgid = tgid,
		.life = layout->life,
	};
	struct go_writer *writer = bpf_map_lookup_elem(&go_writers, &key);

	if (!writer) {
		bpf_map_update_elem(&go_writers, &key, &go_new_writer, BPF_NOEXIST);
		return 0;
	}
	if (writer->word)
		return go_receiver(layout, user_word(user_word(g + GO_STACK_HI) - 8 * writer->word), g);
	/* Older kernels allow less stack than learning needs behind a system call: callers stay unknown there. */
	if (!CAPTURE_BY_SYSCALL && !writer->given_up)
		return go_learn(writer, layout, g, id);
	return 0;
}

#endif
