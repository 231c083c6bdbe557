/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* Records into the ring, losses into the counters. */
#ifndef AFTERTRACE_EMIT_H
#define AFTERTRACE_EMIT_H

#include "../maps.h"
#include "registers.h"

/* Returns the count before. */
static __always_inline __u64 count_one(void *counters, __u32 index)
{
	__u64 *counter = bpf_map_lookup_elem(counters, &index);

	/* Atomic: a program on this CPU may be interrupted by another one that counts. */
	return counter ? __sync_fetch_and_add(counter, 1) : 0;
}

static __always_inline void count_loss(__u32 cause)
{
	count_one(&losses, cause);
}

/* Payload that was wanted and could not be read, by the system call that moved it. */
static __noinline int count_unreadable(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 call = CALL_NONE;

	count_loss(LOSS_PAYLOAD_UNREADABLE);
	if (!(task->flags & (PF_KTHREAD | PF_IO_WORKER | PF_USER_WORKER)))
		call = call_number((struct pt_regs *)bpf_task_pt_regs(task));
	count_one(&unreadable_calls, call < CALLS_MAX ? call : CALL_NONE);
	return 0;
}

/* Records of one processor after which it looks how full the ring is, a power of two. */
#define WAKE_CHECK 8

/*
 * Counts a record, and says whether it wakes the reader: that looks at the ring a few times a second,
 * which costs a fraction of a wake-up per record. It is woken, once, only where the ring would be
 * full before that.
 */
static __always_inline __u64 count_record(void)
{
	if (likely(count_one(&produced, 0) % WAKE_CHECK) || !reader_sleeping ||
	    bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) < wake_bytes)
		return BPF_RB_NO_WAKEUP;
	reader_sleeping = 0;
	return BPF_RB_FORCE_WAKEUP;
}

static __always_inline bool emit(void *record, __u64 size)
{
	if (likely(!bpf_ringbuf_output(&ring, record, size, count_record())))
		return true;
	count_loss(LOSS_RING_FULL);
	return false;
}

static __noinline int refused(void)
{
	count_one(&produced, 0);
	count_loss(LOSS_RING_FULL);
	return 0;
}

/* Room for a record, to be filled in place and given to submit(). @size: a constant. 0 when the ring is full. */
static __always_inline void *reserve(__u64 size)
{
	void *record = bpf_ringbuf_reserve(&ring, size, 0);

	if (unlikely(!record))
		refused();
	return record;
}

static __always_inline void submit(void *record)
{
	bpf_ringbuf_submit(record, count_record());
}

/* @id: tgid and tid as bpf_get_current_pid_tgid() gives them */
static __always_inline void fill_header(struct event_header *header, __u16 kind, __u64 connection,
					__u64 id, __u32 size)
{
	header->time_ns = bpf_ktime_get_ns();
	header->connection = connection;
	header->tgid = id >> 32;
	header->tid = (__u32)id;
	header->kind = kind;
	header->flags = 0;
	header->size = size;
}

#endif
