/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* Finds the caller's buffers from the arguments of the system call it is in, and reads them. */
#ifndef AFTERTRACE_USER_BUFFER_H
#define AFTERTRACE_USER_BUFFER_H

#include "../maps.h"
#include "messages.h"
#include "registers.h"

/* Pieces of a vectored call that are looked at. */
#define PIECES_MAX 8

enum buffer_kind {
	BUFFER_UNKNOWN, /* not to be found from here: io_uring, 32-bit tasks, rare calls */
	BUFFER_NONE,    /* never in user memory, and no heads: sendfile, splice, the kernel's own traffic */
	BUFFER_PLAIN,
	BUFFER_PIECES,
};

struct user_buffer {
	enum buffer_kind kind;
	struct user_piece plain;          /* the buffer, or the first piece that is not empty */
	const struct user_piece *pieces;
	__u64 count;
};

static __always_inline void open_pieces(struct user_buffer *buffer, const struct user_piece *pieces,
					__u64 count)
{
	buffer->pieces = pieces;
	buffer->count = count;
	buffer->kind = BUFFER_PIECES;
	if (bpf_probe_read_user(&buffer->plain, sizeof(buffer->plain), pieces))
		buffer->kind = BUFFER_UNKNOWN;
}

static __always_inline void open_message(struct user_buffer *buffer, __u64 address)
{
	struct user_message message;

	if (!bpf_probe_read_user(&message, sizeof(message), (const void *)address))
		open_pieces(buffer, message.pieces, message.count);
}

/* @bytes: how many bytes the call moved: a plain buffer is at least as long */
static __always_inline void find_buffer(struct user_buffer *buffer, __u32 bytes)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs;
	__u64 message;

	buffer->kind = BUFFER_UNKNOWN;
	buffer->pieces = 0;
	buffer->count = 0;
	if (task->flags & PF_KTHREAD) {
		buffer->kind = BUFFER_NONE;
		return;
	}
	if (task->flags & (PF_IO_WORKER | PF_USER_WORKER) || is_compat(task))
		return;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	/* Once the call has returned (deferred io_uring work) the arguments mean nothing. */
	if (!CALLS_ARE_OVER && !is_in_call(regs))
		return;
	switch (call_number(regs)) {
	case SYSCALL_READ:
	case SYSCALL_WRITE:
	case SYSCALL_SENDTO:
	case SYSCALL_RECVFROM:
		buffer->kind = BUFFER_PLAIN;
		buffer->plain.base = (const void *)call_argument(regs, 1);
		buffer->plain.length = bytes;
		break;
	case SYSCALL_READV:
	case SYSCALL_WRITEV:
	case SYSCALL_PREADV2:
	case SYSCALL_PWRITEV2:
		open_pieces(buffer, (const void *)call_argument(regs, 1), call_argument(regs, 2));
		break;
	case SYSCALL_SENDMSG:
	case SYSCALL_RECVMSG:
		open_message(buffer, call_argument(regs, 1));
		break;
	case SYSCALL_SENDMMSG:
	case SYSCALL_RECVMMSG:
		message = current_message(call_argument(regs, 1), call_argument(regs, 2));
		if (message)
			open_message(buffer, message);
		break;
	case SYSCALL_SENDFILE:
	case SYSCALL_SPLICE:
		buffer->kind = BUFFER_NONE;
		break;
	}
}

/* Reads up to @wanted bytes of one piece to payload[at..]. Returns how many, or a negative error. */
static __always_inline long read_piece(struct io_scratch *scratch, __u32 at,
				       const struct user_piece *piece, __u32 wanted)
{
	__u64 size = piece->length < wanted ? piece->length : wanted;

	/* The compiler knows these bounds, the verifier has to see them. */
	asm volatile("" : "+r"(size));
	asm volatile("" : "+r"(at));
	if (size == 0)
		return 0;
	if (size > EVENT_PAYLOAD_MAX || at >= EVENT_PAYLOAD_MAX)
		return -1;
	if (bpf_probe_read_user(&scratch->payload[at], size, piece->base))
		return -1;
	return size;
}

/*
 * Copies the first bytes the call moved to scratch->payload.
 * @wanted: 1..EVENT_PAYLOAD_MAX, at most the bytes moved
 * Returns the number of bytes copied: fewer than wanted when memory is unreadable or in too many pieces.
 * A global function: verified once, not in every path that calls it.
 */
__noinline __u32 read_buffer(struct io_scratch *scratch, const struct user_buffer *buffer,
			     __u32 wanted)
{
	struct user_piece piece;
	__u32 done = 0;
	long got;

	if (!scratch || !buffer)
		return 0;
	piece = buffer->plain;
	got = read_piece(scratch, 0, &piece, wanted);
	if (got < 0)
		return 0;
	done = got;
	if (buffer->kind != BUFFER_PIECES)
		return done;
	for (__u32 i = 1; i < PIECES_MAX; i++) {
		if (done >= wanted || i >= buffer->count)
			break;
		if (bpf_probe_read_user(&piece, sizeof(piece), buffer->pieces + i))
			break;
		got = read_piece(scratch, done, &piece, wanted - done);
		if (got < 0)
			break;
		done += got;
	}
	return done;
}

#endif
