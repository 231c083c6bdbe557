/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* sendmmsg() and recvmmsg(): several messages in one call. */
#ifndef AFTERTRACE_MESSAGES_H
#define AFTERTRACE_MESSAGES_H

#include "../maps.h"

/* struct iovec */
struct user_piece {
	const void *base;
	__u64 length;
};

/* The beginning of struct msghdr. */
struct user_message {
	const void *name;
	__u32 name_length;
	__u32 padding;
	const struct user_piece *pieces;
	__u64 count;
};

/* struct mmsghdr */
struct counted_message {
	struct user_message message;
	__u64 unused[3]; /* control data and flags */
	__u32 moved;     /* bytes, written when the message was moved */
	__u32 padding;
};

_Static_assert(sizeof(struct counted_message) == 64, "mmsghdr");

/* Messages of one call that are looked at to find the one at hand. */
#define MESSAGES_SEARCHED 16

static __always_inline __u32 message_bytes(__u64 messages, __u32 index)
{
	const struct counted_message *message = (const struct counted_message *)messages + index;
	__u32 moved = 0;

	bpf_probe_read_user(&moved, sizeof(moved), &message->moved);
	return moved;
}

#ifdef CAPTURE_SYSCALL

/* A call is looked at when it is over. */
#define CALLS_ARE_OVER 1

/* The message that is told of now; programs at the same place do not interrupt each other. */
struct told_message {
	__u64 address;
	__u32 behind; /* bytes of the messages after it, which were moved as well; 0 outside of such calls */
	__u32 padding;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct told_message);
} told_messages SEC(".maps");

static __always_inline struct told_message *told_message(void)
{
	__u32 slot = 0;

	return bpf_map_lookup_elem(&told_messages, &slot);
}

static __always_inline __u64 current_message(__u64 messages, __u32 count)
{
	const struct told_message *told = told_message();

	return told ? told->address : 0;
}

static __always_inline __u32 bytes_behind(void)
{
	const struct told_message *told = told_message();

	return told ? told->behind : 0;
}

#else

#define CALLS_ARE_OVER 0

/* Each message is told when it was moved and the next one was not. */
static __always_inline __u32 bytes_behind(void)
{
	return 0;
}

/*
 * The message at hand is the first whose count is not written yet; 0 where that cannot be told:
 * the caller uses an array of messages again without clearing the counts.
 */
static __always_inline __u64 current_message(__u64 messages, __u32 count)
{
	if (count == 1)
		return messages;
	for (__u32 i = 0; i < MESSAGES_SEARCHED; i++) {
		if (i >= count)
			break;
		if (!message_bytes(messages, i))
			return (__u64)((const struct counted_message *)messages + i);
	}
	return 0;
}

#endif

#endif
