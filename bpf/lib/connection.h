/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* The life of TCP connections: described once, then connect, established, peer closed, closed. */
#ifndef AFTERTRACE_CONNECTION_H
#define AFTERTRACE_CONNECTION_H

#include "../maps.h"
#include "budget.h"
#include "emit.h"
#include "filter.h"

static __always_inline bool is_tcp(const struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return sk->sk_protocol == IPPROTO_TCP && (family == AF_INET || family == AF_INET6);
}

static __always_inline const struct tcp_sock *tcp_part(const struct sock *sk)
{
	return bpf_rdonly_cast(sk, bpf_core_type_id_kernel(struct tcp_sock));
}

/* Costs a call only for the first who asks: there is no cookie before. */
static __always_inline __u64 socket_cookie(const struct sock *sk)
{
	__u64 cookie = sk->__sk_common.skc_cookie.counter;

	return cookie ? cookie : bpf_get_socket_cookie((void *)sk);
}

/* Next byte the application will read. A FIN that was read counts as one byte in the kernel, not here. */
static __always_inline __u32 receive_position(const struct sock *sk, const struct tcp_sock *tcp)
{
	__u32 copied = tcp->copied_seq;

	if ((sk->sk_shutdown & RCV_SHUTDOWN) && copied == tcp->rcv_nxt)
		copied -= 1;
	return copied;
}

/* Next byte the application will write. In these states our own FIN is queued and counted by the kernel. */
static __always_inline __u32 send_position(const struct sock *sk, const struct tcp_sock *tcp)
{
	__u8 state = sk->__sk_common.skc_state;
	bool finished = state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2 || state == TCP_CLOSING ||
			state == TCP_LAST_ACK;

	return tcp->write_seq - finished;
}

static __always_inline void map_ipv4(__u8 address[16], __be32 ipv4)
{
	__builtin_memset(address, 0, 10);
	address[10] = 0xff;
	address[11] = 0xff;
	__builtin_memcpy(address + 12, &ipv4, 4);
}

static __always_inline void fill_addresses(struct event_connection *event, const struct sock *sk)
{
	const struct sock_common *common = &sk->__sk_common;

	if (common->skc_family == AF_INET) {
		map_ipv4(event->local_address, common->skc_rcv_saddr);
		map_ipv4(event->remote_address, common->skc_daddr);
	} else {
		bpf_probe_read_kernel(event->local_address, 16, &common->skc_v6_rcv_saddr);
		bpf_probe_read_kernel(event->remote_address, 16, &common->skc_v6_daddr);
	}
	event->local_port = common->skc_num;
	event->remote_port = bpf_ntohs(common->skc_dport);
	event->netns = common->skc_net.net->ns.inum;
}

static __always_inline void fill_connection(struct event_connection *event, __u16 kind,
					    const struct sock *sk, __u64 id)
{
	const struct tcp_sock *tcp = tcp_part(sk);

	__builtin_memset(event, 0, sizeof(*event));
	fill_header(&event->header, kind, socket_cookie(sk), id, sizeof(*event));
	fill_addresses(event, sk);
	/* Closing gives the port back before the state changes; this copy of it stays. */
	if (!event->local_port)
		event->local_port = bpf_ntohs(tcp->inet_conn.icsk_inet.inet_sport);
	event->error = sk->sk_err;
	event->sequence = send_position(sk, tcp);
	event->peer_sequence = receive_position(sk, tcp);
}

static __always_inline struct socket_state *socket_state(const struct sock *sk, bool create)
{
	struct socket_state *state = bpf_sk_storage_get(&sockets, (void *)sk, 0,
							create ? BPF_SK_STORAGE_GET_F_CREATE : 0);

	if (!state && create)
		count_loss(LOSS_SOCKET_STATE);
	return state;
}

static __always_inline void remember_user(struct socket_state *state, __u64 id)
{
	state->tgid = id >> 32;
	state->tid = (__u32)id;
}

/* State changes run on whatever thread the packet interrupted: the socket's user is the better answer. */
static __always_inline __u64 socket_user(const struct socket_state *state)
{
	return state->tgid ? (__u64)state->tgid << 32 | state->tid : bpf_get_current_pid_tgid();
}

/* connect(): the one state change that surely runs on the caller's thread. */
static __always_inline void connect_called(const struct sock *sk)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct event_connection event;
	struct socket_state *state;

	if (!current_wanted(id) || !ports_wanted(sk))
		return;
	state = socket_state(sk, true);
	if (state && sampling()) {
		__builtin_memset(state, 0, sizeof(*state));
		state->role = EVENT_FLAG_ACTIVE;
		remember_user(state, id);
		state->connect_ns = bpf_ktime_get_ns();
		state->connect_cgroup = bpf_get_current_cgroup_id();
		return;
	}
	fill_connection(&event, EVENT_CONNECT, sk, id);
	event.cgroup = bpf_get_current_cgroup_id();
	event.header.flags = EVENT_FLAG_ACTIVE;
	if (!state) {
		emit(&event, sizeof(event));
		return;
	}
	/* A socket may be connected again after a failure: nothing of its past holds. */
	__builtin_memset(state, 0, sizeof(*state));
	state->role = EVENT_FLAG_ACTIVE;
	remember_user(state, id);
	state->recorded = emit(&event, sizeof(event));
}

static __always_inline void connection_accepted(const struct sock *sk)
{
	struct socket_state *state;

	if (!ports_wanted(sk))
		return;
	state = socket_state(sk, true);
	if (state)
		state->role = EVENT_FLAG_PASSIVE;
}

static __always_inline bool connection_changed(const struct sock *sk, struct socket_state *state,
					       __u16 kind)
{
	struct event_connection event;

	fill_connection(&event, kind, sk, socket_user(state));
	event.header.flags = state->role;
	return emit(&event, sizeof(event));
}

static __always_inline void connection_closed(const struct sock *sk)
{
	struct socket_state *state = socket_state(sk, false);

	if (!state || !state->recorded || state->closed)
		return;
	state->closed = connection_changed(sk, state, EVENT_CLOSE);
}

/* The connect() of a time of sampling, told when the port is known and with it whether to tell. */
static __always_inline void tell_connect(const struct sock *sk, struct socket_state *state)
{
	struct event_connection event;
	__u64 connect_ns = state->connect_ns;

	state->connect_ns = 0;
	if (!in_sample(sk, state))
		return;
	fill_connection(&event, EVENT_CONNECT, sk, socket_user(state));
	event.header.time_ns = connect_ns;
	event.header.flags = EVENT_FLAG_ACTIVE;
	event.cgroup = state->connect_cgroup;
	state->recorded = emit(&event, sizeof(event));
}

static __always_inline void state_changed(const struct sock *sk, int old_state, int new_state)
{
	struct socket_state *state;

	if (!is_tcp(sk))
		return;
	if (new_state == TCP_SYN_SENT) {
		connect_called(sk);
	} else if (new_state == TCP_ESTABLISHED && old_state == TCP_SYN_RECV) {
		connection_accepted(sk);
	} else if (new_state == TCP_CLOSE) {
		state = socket_state(sk, false);
		if (state && state->connect_ns)
			tell_connect(sk, state);
		connection_closed(sk);
	} else if (new_state == TCP_ESTABLISHED || new_state == TCP_CLOSE_WAIT) {
		state = socket_state(sk, false);
		if (state && state->connect_ns)
			tell_connect(sk, state);
		if (state && state->recorded)
			connection_changed(sk, state, new_state == TCP_ESTABLISHED ?
						EVENT_ESTABLISHED : EVENT_PEER_CLOSED);
	}
}

/*
 * Start-up pass: one open file of one process. Only connections that carry data;
 * several processes may hold the same socket, the first one found is named.
 */
static __always_inline void snapshot_file(struct task_struct *task, struct file *file)
{
	struct event_connection event;
	struct socket_state *state;
	struct socket *socket;
	struct sock *sk;
	__u8 tcp_state;

	if (task->pid != task->tgid)
		return;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return;
	sk = socket->sk;
	if (!sk || !is_tcp(sk))
		return;
	tcp_state = sk->__sk_common.skc_state;
	if (tcp_state != TCP_ESTABLISHED && tcp_state != TCP_CLOSE_WAIT)
		return;
	if (!task_wanted(task) || !ports_wanted(sk))
		return;
	state = socket_state(sk, true);
	if (!state || state->described)
		return;
	remember_user(state, (__u64)task->tgid << 32 | (__u32)task->pid);
	fill_connection(&event, EVENT_CONNECTION, sk, socket_user(state));
	event.header.flags = EVENT_FLAG_SNAPSHOT | state->role;
	event.cgroup = task_cgroup(task);
	if (emit(&event, sizeof(event)))
		state->described = state->recorded = 1;
}

#endif
