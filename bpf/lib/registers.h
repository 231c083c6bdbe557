/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* What is read of a task's registers, by architecture: system calls, and functions that are probed. */
#ifndef AFTERTRACE_REGISTERS_H
#define AFTERTRACE_REGISTERS_H

#include "../kernel.h"

#define ENOSYS 38

#if defined(__TARGET_ARCH_x86)

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
#define SYSCALL_RECVMMSG 299
#define SYSCALL_SENDMMSG 307
#define SYSCALL_PREADV2 327
#define SYSCALL_PWRITEV2 328

/* thread_info.status: the task is inside a 32-bit system call. */
#define TS_COMPAT 0x0002

static __always_inline bool is_compat(const struct task_struct *task)
{
	return task->thread_info.status & TS_COMPAT;
}

/* Negative outside of a system call. */
static __always_inline int call_number(const struct pt_regs *regs)
{
	return regs->orig_ax;
}

/* Until the call returns, ax holds this. */
static __always_inline bool is_in_call(const struct pt_regs *regs)
{
	return (int)regs->ax == -ENOSYS;
}

/* @index: 0..3, a constant */
static __always_inline __u64 call_argument(const struct pt_regs *regs, int index)
{
	return index == 0 ? regs->di : index == 1 ? regs->si : index == 2 ? regs->dx : regs->r10;
}

/* At the beginning of a function. @index: 0..3, a constant */
static __always_inline __u64 function_argument(const struct pt_regs *regs, int index)
{
	return index == 0 ? regs->di : index == 1 ? regs->si : index == 2 ? regs->dx : regs->cx;
}

static __always_inline __u64 function_result(const struct pt_regs *regs)
{
	return regs->ax;
}

/* Second argument of a function of Go, whose calling convention is its own (ABIInternal, since Go 1.17). */
static __always_inline __u64 second_go_argument(const struct pt_regs *regs)
{
	return regs->bx;
}

/*
 * Callee-saved registers by their number in instructions, as they are behind a call; 0 for others.
 * Read one by one: a place in the context must be a constant, also to the verifier.
 */
static __always_inline __u64 saved_register(const struct pt_regs *regs, __u32 number)
{
	__u64 bx = regs->bx, bp = regs->bp, r13 = regs->r13, r14 = regs->r14, r15 = regs->r15;

	asm volatile("" : "+r"(bx), "+r"(bp), "+r"(r13), "+r"(r14), "+r"(r15));
	return number == 3 ? bx : number == 5 ? bp : number == 13 ? r13 : number == 14 ? r14 :
	       number == 15 ? r15 : 0;
}

/* What threads of a process differ by: where the storage of their own is. */
static __always_inline __u64 thread_pointer(const struct task_struct *task)
{
	return task->thread.fsbase;
}

#elif defined(__TARGET_ARCH_arm64)

#define SYSCALL_SENDFILE 71
#define SYSCALL_READ 63
#define SYSCALL_WRITE 64
#define SYSCALL_READV 65
#define SYSCALL_WRITEV 66
#define SYSCALL_SPLICE 76
#define SYSCALL_SENDTO 206
#define SYSCALL_RECVFROM 207
#define SYSCALL_SENDMSG 211
#define SYSCALL_RECVMSG 212
#define SYSCALL_RECVMMSG 243
#define SYSCALL_SENDMMSG 269
#define SYSCALL_PREADV2 286
#define SYSCALL_PWRITEV2 287

/* thread_info.flags: a 32-bit task. */
#define TIF_32BIT (1UL << 22)

static __always_inline bool is_compat(const struct task_struct *task)
{
	return task->thread_info.flags & TIF_32BIT;
}

static __always_inline int call_number(const struct pt_regs *regs)
{
	return regs->syscallno;
}

/* The result takes the place of the first argument, of which there is a copy. */
static __always_inline bool is_in_call(const struct pt_regs *regs)
{
	return regs->syscallno >= 0 && regs->regs[0] == regs->orig_x0;
}

static __always_inline __u64 call_argument(const struct pt_regs *regs, int index)
{
	return index == 0 ? regs->orig_x0 : regs->regs[index];
}

static __always_inline __u64 function_argument(const struct pt_regs *regs, int index)
{
	return regs->regs[index];
}

static __always_inline __u64 function_result(const struct pt_regs *regs)
{
	return regs->regs[0];
}

/* User space offers no hints of Go and no tasks here: these are never asked. */
static __always_inline __u64 second_go_argument(const struct pt_regs *regs)
{
	return 0;
}

static __always_inline __u64 saved_register(const struct pt_regs *regs, __u32 number)
{
	return 0;
}

static __always_inline __u64 thread_pointer(const struct task_struct *task)
{
	return 0;
}

#else
#error "no register layout for this architecture"
#endif

#endif
