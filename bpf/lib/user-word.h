/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* What runtimes keep in memory of their own, read without faulting. */
#ifndef AFTERTRACE_USER_WORD_H
#define AFTERTRACE_USER_WORD_H

#include "../kernel.h"

/* The word at an address of the current process; 0 if it cannot be read. */
static __always_inline __u64 user_word(__u64 address)
{
	__u64 value = 0;

	bpf_probe_read_user(&value, sizeof(value), (const void *)address);
	return value;
}

#endif
