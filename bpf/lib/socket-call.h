/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/*
 * Sends and receives seen as system calls that return, for kernels whose socket calls have no
 * tracepoints: the descriptor leads to the socket. Looked at only when the call is over: that halves
 * the price that every system call of the host pays, and the stream's position behind the
 * call less what it moved is where the call began, as the tracepoints have it.
 * What moves bytes without a system call of its own (io_uring) is not seen; the position shows how many.
 */
#ifndef AFTERTRACE_SOCKET_CALL_H
#define AFTERTRACE_SOCKET_CALL_H

#ifdef CAPTURE_SYSCALL

#include "io.h"
#include "messages.h"
#include "registers.h"

/* Most messages that a call moves (UIO_MAXIOV). */
#define MESSAGES_MAX 1024

/* Null unless the descriptor is one of a socket. */
static __always_inline struct sock *socket_of(const struct task_struct *task, __u32 descriptor)
{
	const struct fdtable *table = task->files->fdt;
	struct socket *socket;
	struct file *file = 0;

	if (descriptor >= table->max_fds ||
	    bpf_probe_read_kernel(&file, sizeof(file), table->fd + descriptor) || !file)
		return 0;
	if ((__u64)BPF_CORE_READ(file, f_op) != socket_files)
		return 0;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

/* A global function: verified once, not for every kind of call. @address: of a struct sock */
__noinline int socket_io(__u64 address, int result, int flags, enum direction direction)
{
	stream_io((struct sock *)address, result, flags, direction & 1);
	return 0;
}

/* Bytes that the call moved. A global function, lest every number of messages is verified with every other. */
__noinline __u32 messages_bytes(__u64 messages, __u32 count)
{
	__u32 sum = 0;

	for (__u32 i = 0; i < MESSAGES_MAX && i < count; i++)
		sum += message_bytes(messages, i);
	return sum;
}

/* Each message is a call of its own, as it is for the kernel. @count: how many were moved */
static __always_inline void messages_io(__u64 sk, __u64 messages, __u32 count, int flags,
					enum direction direction)
{
	struct told_message *told = told_message();
	__u32 behind;

	if (!told)
		return;
	behind = messages_bytes(messages, count);
	for (__u32 i = 0; i < MESSAGES_MAX && i < count; i++) {
		__u32 moved = message_bytes(messages, i);

		behind -= moved;
		told->address = (__u64)((const struct counted_message *)messages + i);
		told->behind = behind;
		socket_io(sk, moved, flags, direction);
	}
	told->behind = 0;
}

/* May a call with this result tell anything? */
static __always_inline bool result_tells(long result, enum direction direction)
{
	if (direction == DIRECTION_SEND)
		return result > 0;
	return result >= 0 || (hint_kinds && result == -EAGAIN);
}

static __always_inline void call_io(const struct pt_regs *regs, long result, int descriptor, int flags,
				    enum direction direction)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct sock *sk;

	if (!result_tells(result, direction) || is_compat(task))
		return;
	sk = socket_of(task, call_argument(regs, descriptor));
	if (sk)
		socket_io((__u64)sk, result, flags, direction);
}

static __always_inline void call_messages(const struct pt_regs *regs, long result, int flags,
					  enum direction direction)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct sock *sk;

	if (result <= 0 || is_compat(task))
		return;
	sk = socket_of(task, call_argument(regs, 0));
	if (sk)
		messages_io((__u64)sk, call_argument(regs, 1), result, flags, direction);
}

static __always_inline void io_returned(const struct pt_regs *regs, long result)
{
	switch (call_number(regs)) {
	case SYSCALL_READ:
	case SYSCALL_READV:
	case SYSCALL_PREADV2:
		call_io(regs, result, 0, 0, DIRECTION_RECEIVE);
		break;
	case SYSCALL_RECVFROM:
		call_io(regs, result, 0, call_argument(regs, 3), DIRECTION_RECEIVE);
		break;
	case SYSCALL_RECVMSG:
		call_io(regs, result, 0, call_argument(regs, 2), DIRECTION_RECEIVE);
		break;
	case SYSCALL_WRITE:
	case SYSCALL_WRITEV:
	case SYSCALL_PWRITEV2:
	case SYSCALL_SENDTO:
	case SYSCALL_SENDMSG:
	case SYSCALL_SENDFILE:
		call_io(regs, result, 0, 0, DIRECTION_SEND);
		break;
	case SYSCALL_SENDMMSG:
		call_messages(regs, result, 0, DIRECTION_SEND);
		break;
	case SYSCALL_RECVMMSG:
		call_messages(regs, result, call_argument(regs, 3), DIRECTION_RECEIVE);
		break;
	case SYSCALL_SPLICE:
		/* One of the two is a pipe. */
		call_io(regs, result, 0, 0, DIRECTION_RECEIVE);
		call_io(regs, result, 2, 0, DIRECTION_SEND);
		break;
	}
}

#endif

#endif
