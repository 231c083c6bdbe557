/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* Finds the caller's buffers from the arguments of the system call it is in, and reads them. x86-64. */
#ifndef AFTERTRACE_USER_BUFFER_H
#define AFTERTRACE_USER_BUFFER_H

#include "../maps.h"

#define SYSCALL_READ 0
#define SYSCALL_WRITE 1
#define SYSCALL_READV 19
#define SYSCALL_WRITEV 20
#define SYSCALL_SENDFILE 40
#define SYSCALL_SENDTO 44
#define SYSCALL_RECVFROM 45
#define SYSCALL_SENDMSG 46
#define SYSCALL_RECVMSG 47
#define SYSCALL_SPLICE 275
#define SYSCALL_PREADV2 327
#define SYSCALL_PWRITEV2 328

#define ENOSYS 38

/* Pieces of a vectored call that are looked at. */
#define PIECES_MAX 8

struct user_piece {
	const void *base;
	__u64 length;
};

struct user_message {
	const void *name;
	__u32 name_length;
	__u32 padding;
	const struct user_piece *pieces;
	__u64 count;
};

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

static __always_inline void open_message(struct user_buffer *buffer, const void *address)
{
	struct user_message message;

	if (!bpf_probe_read_user(&message, sizeof(message), address))
		open_pieces(buffer, message.pieces, message.count);
}

/* @bytes: how many bytes the call moved: a plain buffer is at least as long */
static __always_inline void find_buffer(struct user_buffer *buffer, __u32 bytes)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs;

	buffer->kind = BUFFER_UNKNOWN;
	buffer->pieces = 0;
	buffer->count = 0;
	if (task->flags & PF_KTHREAD) {
		buffer->kind = BUFFER_NONE;
		return;
	}
	if (task->flags & (PF_IO_WORKER | PF_USER_WORKER) || task->thread_info.status & TS_COMPAT)
		return;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	/* Until the call returns, ax holds this. Afterwards (deferred io_uring work) the arguments mean nothing. */
	if ((int)regs->ax != -ENOSYS)
		return;
	switch ((int)regs->orig_ax) {
	case SYSCALL_READ:
	case SYSCALL_WRITE:
	case SYSCALL_SENDTO:
	case SYSCALL_RECVFROM:
		buffer->kind = BUFFER_PLAIN;
		buffer->plain.base = (const void *)regs->si;
		buffer->plain.length = bytes;
		break;
	case SYSCALL_READV:
	case SYSCALL_WRITEV:
	case SYSCALL_PREADV2:
	case SYSCALL_PWRITEV2:
		open_pieces(buffer, (const void *)regs->si, regs->dx);
		break;
	case SYSCALL_SENDMSG:
	case SYSCALL_RECVMSG:
		open_message(buffer, (const void *)regs->si);
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
