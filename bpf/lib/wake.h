/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* Who woke whom inside one process: work that goes from thread to thread, and answers that come back. */
#ifndef AFTERTRACE_WAKE_H
#define AFTERTRACE_WAKE_H

#include "../maps.h"
#include "emit.h"
#include "hints.h"
#include "registers.h"

/*
 * A lock that the whole process shares (Python's interpreter lock, a heap lock) wakes whoever is next: that
 * tells nothing of work. Such a word is known by what it did in the last window of wake-ups of its
 * process: more than one in twenty of them, and at least five threads woken.
 */
#define WAKE_WINDOW 1024
#define WAKE_SHARE 20
#define WAKE_THREADS 5
#define WAKE_WORDS_MAX 8192

struct wake_word_key {
	__u64 word; /* first argument of the call the wakee was blocked in */
	__u32 tgid;
	__u32 call;
};

struct wake_word {
	__u32 window;  /* the window counted here */
	__u32 count;   /* wake-ups in it */
	__u32 threads; /* the threads woken in it: bit tid % 32 */
	__u32 common;  /* in the window before it was a lock of the whole process */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, WAKE_WORDS_MAX);
	__type(key, struct wake_word_key);
	__type(value, struct wake_word);
} wake_words SEC(".maps");

static __always_inline __u32 count_bits(__u32 bits)
{
	bits -= bits >> 1 & 0x55555555;
	bits = (bits & 0x33333333) + (bits >> 2 & 0x33333333);
	return ((bits + (bits >> 4)) & 0x0f0f0f0f) * 0x01010101 >> 24;
}

/* Counts are not exact: threads on two processors may count at once, and nothing here needs more. */
static __always_inline bool is_common_lock(struct hinted_process *process, const struct event_wake *event)
{
	struct wake_word_key key = {
		.word = event->wait_word,
		.tgid = event->header.tgid,
		.call = event->wait_call,
	};
	__u32 window = ++process->wakes / WAKE_WINDOW;
	struct wake_word *word = bpf_map_lookup_elem(&wake_words, &key);

	if (!word) {
		struct wake_word first = { .window = window, .count = 1, .threads = 1U << (event->wakee % 32) };

		bpf_map_update_elem(&wake_words, &key, &first, BPF_ANY);
		return false;
	}
	if (word->window != window) {
		word->common = word->window + 1 == window && word->count * WAKE_SHARE > WAKE_WINDOW &&
			       count_bits(word->threads) >= WAKE_THREADS;
		word->window = window;
		word->count = 0;
		word->threads = 0;
	}
	word->count++;
	word->threads |= 1U << (event->wakee % 32);
	return word->common;
}

/* Registers of a task inside a system call; 0 outside of one, and for tasks that never are in user mode. */
static __always_inline struct pt_regs *call_registers(struct task_struct *task)
{
	struct pt_regs *regs;

	if (task->flags & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER))
		return 0;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	/* -1: it came by an interrupt or an exception. */
	return call_number(regs) < 0 ? 0 : regs;
}

static __always_inline void task_waking(struct task_struct *wakee)
{
	struct task_struct *waker = bpf_get_current_task_btf();
	struct pt_regs *waker_regs, *wakee_regs;
	struct hinted_process *process;
	struct event_wake event;

	if (waker->tgid != wakee->tgid || waker == wakee)
		return;
	process = hinted_process(waker->tgid);
	if (!process || !(process->kinds & HINT_WAKES))
		return;
	waker_regs = call_registers(waker);
	wakee_regs = call_registers(wakee);
	if (!waker_regs || !wakee_regs)
		return;
	__builtin_memset(&event, 0, sizeof(event));
	fill_header(&event.header, EVENT_WAKE, 0, (__u64)waker->tgid << 32 | (__u32)waker->pid,
		    sizeof(event));
	event.wakee = wakee->pid;
	event.call = call_number(waker_regs);
	event.wait_call = call_number(wakee_regs);
	event.wait_word = call_argument(wakee_regs, 0);
	if (!is_common_lock(process, &event))
		emit(&event, sizeof(event));
}

#endif
