/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* The life of TCP connections: connect, established, peer closed, closed. */
#ifndef AFTERTRACE_CONNECTION_H
#define AFTERTRACE_CONNECTION_H

#include "../maps.h"
#include "budget.h"
#include "emit.h"
#include "filter.h"
#include "total.h"
#include "transport.h"

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

	if (FIELD(common, skc_family) == AF_INET) {
		map_ipv4(event->local_address, FIELD(common, skc_rcv_saddr));
		map_ipv4(event->remote_address, FIELD(common, skc_daddr));
	} else {
		bpf_probe_read_kernel(event->local_address, 16, &common->skc_v6_rcv_saddr);
		bpf_probe_read_kernel(event->remote_address, 16, &common->skc_v6_daddr);
	}
	event->local_port = FIELD(common, skc_num);
	event->remote_port = bpf_ntohs(FIELD(common, skc_dport));
	event->netns = FIELD(common, skc_net.net, ns.inum);
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
		event->local_port = bpf_ntohs(FIELD(tcp, inet_conn.icsk_inet.inet_sport));
	event->error = FIELD(sk, sk_err);
	event->sequence = send_position(sk, tcp);
	event->peer_sequence = receive_position(sk, tcp);
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

/* A jump in a stream. */
struct unseen {
	__u64 cookie;
	__u64 id;
	__u32 position; /* where it goes on */
	__u32 peer_sequence;
	enum direction direction;
};

/*
 * Bytes that left the socket without a call that is traced (splice): told as bytes moved, by whoever
 * moved the next ones.
 */
static __noinline int tell_unseen(struct socket_state *state, const struct unseen *jump)
{
	struct stream_state *stream = &state->streams[jump->direction & 1];
	__u32 unseen = jump->position - stream->next;
	struct event_io *event;

	if (unseen == 0 || unseen >= TOTAL_BYTES)
		return 0;
	if (stream->held)
		total_flush(state, jump->cookie, jump->direction);
	event = reserve(sizeof(*event));
	if (event) {
		fill_header(&event->header, jump->direction == DIRECTION_SEND ? EVENT_SEND : EVENT_RECEIVE,
			    jump->cookie, jump->id, sizeof(*event));
		event->header.flags = EVENT_FLAG_TOTAL | (state->http ? 0 : EVENT_FLAG_OPAQUE);
		event->sequence = stream->next;
		event->peer_sequence = jump->peer_sequence;
		event->bytes = unseen;
		event->offset = 0;
		submit(event);
	}
	stream->next = jump->position;
	return 0;
}

static __always_inline void connection_closed(const struct sock *sk)
{
	const struct tcp_sock *tcp = tcp_part(sk);
	__u64 cookie = FIELD(sk, __sk_common.skc_cookie.counter);
	struct socket_state *state = socket_state(sk, false);

	if (!state || !state->recorded)
		return;
	/* From here on nothing is held back: a call that is under way tells its total itself. */
	state->closed = 1;
	totals_flush(state, cookie);
	if (state->told)
		return;
	if (state->tracked) {
		const struct unseen jump = {
			.cookie = cookie,
			.id = socket_user(state),
			.position = receive_position(sk, tcp),
			.peer_sequence = send_position(sk, tcp),
			.direction = DIRECTION_RECEIVE,
		};

		tell_unseen(state, &jump);
	}
	state->told = connection_changed(sk, state, EVENT_CLOSE);
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

#endif
