/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/*
 * The programs: where they attach. What they do is in lib/. Built twice: kernels before 6.3 have
 * no tracepoints in socket calls, there CAPTURE_SYSCALL takes system calls instead.
 */
#include "kernel.h"
#include "events.h"
#include "maps.h"
#include "lib/connection.h"
#include "lib/describe.h"
#include "lib/io.h"
#include "lib/loop.h"
#include "lib/posts.h"
#include "lib/process.h"
#include "lib/socket-call.h"
#include "lib/sweep.h"
#include "lib/tasks.h"
#include "lib/tls.h"
#include "lib/wake.h"

char LICENSE[] SEC("license") = "GPL";

#ifdef CAPTURE_SYSCALL

SEC("tp_btf/sys_exit")
int BPF_PROG(on_io, struct pt_regs *regs, long result)
{
	io_returned(regs, result);
	return 0;
}

#else

SEC("tp_btf/sock_send_length")
int BPF_PROG(on_send, struct sock *sk, int result, int flags)
{
	stream_io(sk, result, 0, DIRECTION_SEND);
	return 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(on_receive, struct sock *sk, int result, int flags)
{
	stream_io(sk, result, flags, DIRECTION_RECEIVE);
	return 0;
}

#endif

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(on_state, const struct sock *sk, int old_state, int new_state)
{
	if (CAPTURE_BY_SYSCALL && is_tcp(sk) && (new_state == TCP_SYN_SENT || new_state == TCP_ESTABLISHED))
		make_cookie((struct sock *)sk);
	state_changed(sk, old_state, new_state);
	if (hint_kinds & HINT_ASYNC && is_tcp(sk) && new_state == TCP_SYN_SENT)
		give_root();
	if (CAPTURE_BY_SYSCALL && is_tcp(sk) && new_state == TCP_ESTABLISHED)
		track_new(sk);
	if (new_state == TCP_CLOSE)
		tls_socket_closed(sk);
	return 0;
}

/* Says again that a socket closed when the first time had no room in the ring. */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(on_destroy, struct sock *sk)
{
	if (is_tcp(sk)) {
		connection_closed(sk);
		forget_socket(sk);
	}
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	if (life_wanted(child) && (task_wanted(parent) || task_wanted(child)))
		process_event(child, parent, EVENT_FORK);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_pid, struct linux_binprm *binary)
{
	forget_hints(task->tgid);
	program_started();
	if (task_wanted(task))
		process_event(task, 0, EVENT_EXEC);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	if (life_wanted(task) && task_wanted(task))
		process_event(task, 0, EVENT_EXIT);
	return 0;
}

/* Attached only while a process gives this hint: it runs at every wake-up on the host. */
SEC("tp_btf/sched_waking")
int BPF_PROG(on_waking, struct task_struct *task)
{
	task_waking(task);
	return 0;
}

/* Attached by hand to the C library of processes that give this hint, and of no others; the cookie is their tgid. */
SEC("uprobe")
int on_loop_turn(struct pt_regs *regs)
{
	loop_turned(bpf_get_attach_cookie(regs));
	return 0;
}

/* Attached by hand where tasks of asyncio get their context, in the same processes; the cookie tells also where they keep it. */
SEC("uprobe")
int on_task_made(struct pt_regs *regs)
{
	task_made(regs, bpf_get_attach_cookie(regs));
	return 0;
}

/* Attached by hand where V8 begins and ends to collect garbage, in processes that give this hint; the cookie is their tgid. */
SEC("uprobe")
int on_collection_begins(struct pt_regs *regs)
{
	collection_begins(bpf_get_attach_cookie(regs));
	return 0;
}

SEC("uprobe")
int on_collection_ends(struct pt_regs *regs)
{
	collection_ends(bpf_get_attach_cookie(regs), function_argument(regs, 1));
	return 0;
}

/* Attached by hand where Node makes connections ready for a request, and where libuv connects, in the same processes. */
SEC("uprobe")
int on_wrap_reset(struct pt_regs *regs)
{
	wrap_reset(function_argument(regs, 0), bpf_get_attach_cookie(regs));
	return 0;
}

SEC("uprobe")
int on_handle_connects(struct pt_regs *regs)
{
	handle_connects(function_argument(regs, 1), bpf_get_attach_cookie(regs));
	return 0;
}

/* Attached by hand where Node puts a posted message into a queue and takes it out, likewise; the cookie is the tgid. */
SEC("uprobe")
int on_posted(struct pt_regs *regs)
{
	message_posted(function_argument(regs, 1), bpf_get_attach_cookie(regs));
	return 0;
}

SEC("uprobe")
int on_taken(struct pt_regs *regs)
{
	message_taken(function_argument(regs, 0), bpf_get_attach_cookie(regs));
	return 0;
}

/* Attached by hand where Python's SimpleQueue is given an object, in processes that give this hint; the cookie is their tgid. */
SEC("uprobe")
int on_object_put(struct pt_regs *regs)
{
	object_put(regs, bpf_get_attach_cookie(regs));
	return 0;
}

/* Attached by hand where Go, before 1.21, queues a new goroutine, in processes that give hints; the cookie is their tgid. */
SEC("uprobe")
int on_goroutine(struct pt_regs *regs)
{
	goroutine_started(second_go_argument(regs), bpf_get_attach_cookie(regs));
	return 0;
}

/* Attached by hand where TLS libraries take and give plaintext; the cookie says what the function is. */
SEC("uprobe")
int on_tls_call(struct pt_regs *regs)
{
	tls_called(regs, bpf_get_attach_cookie(regs));
	return 0;
}

SEC("uretprobe")
int on_tls_return(struct pt_regs *regs)
{
	tls_returned(function_result(regs), bpf_get_attach_cookie(regs));
	return 0;
}

SEC("uprobe")
int on_tls_forget(struct pt_regs *regs)
{
	tls_forget(function_argument(regs, 0));
	return 0;
}

SEC("iter/task_file")
int snapshot(struct bpf_iter__task_file *context)
{
	struct task_struct *task = context->task;
	struct file *file = context->file;

	if (task && file)
		snapshot_file(task, file);
	return 0;
}

/* Run about once a second. */
SEC("syscall")
int sweep_silent(void *context)
{
	bpf_for_each_map_elem(&silent_sockets, expire_silent, 0, 0);
	return 0;
}

/* Run every few seconds, for it visits the open files of the host. */
SEC("iter/task_file")
int sweep_files(struct bpf_iter__task_file *context)
{
	struct file *file = context->file;

	if (file)
		sweep_file(file);
	return 0;
}

/* Run after sweep_files: what that did not find is closed. */
SEC("syscall")
int forget_closed(void *context)
{
	bpf_for_each_map_elem(&silent_sockets, forget_silent, 0, 0);
	return 0;
}

/* Run once by the recorder: learns the number of its process in the initial pid namespace. */
SEC("syscall")
int identify(void *context)
{
	own_tgid = bpf_get_current_pid_tgid() >> 32;
	return 0;
}
