/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* Sockets described: at their first I/O, or by the start-up pass. */
#ifndef AFTERTRACE_DESCRIBE_H
#define AFTERTRACE_DESCRIBE_H

#include "../maps.h"
#include "connection.h"
#include "emit.h"
#include "filter.h"
#include "transport.h"

/* Copies the path a Unix socket is bound to. Returns its length, 0 if it is not bound. */
static __always_inline __u16 copy_path(char *path, const struct unix_sock *socket)
{
	const struct unix_address *address = FIELD(socket, addr);
	__u32 length;

	if (!address)
		return 0;
	length = FIELD(address, len);
	if (length <= sizeof(__u16))
		return 0;
	length -= sizeof(__u16);
	asm volatile("" : "+r"(length));
	if (length > EVENT_PATH_LENGTH)
		length = EVENT_PATH_LENGTH;
	if (bpf_probe_read_kernel(path, length, address->name[0].sun_path))
		return 0;
	return length;
}

/*
 * A Unix socket. Which end is bound to a path tells who connected: accepted sockets inherit the
 * listener's, and those that connect rarely have one. It stays unsaid where both or none are bound.
 */
static __noinline int describe_unix(struct sock *sk, struct socket_state *state, __u64 id,
				    __u16 flags, __u64 cgroup)
{
	const struct unix_sock *own = known_unix_part(sk);
	struct event_connection *connection;
	struct event_unix *event;
	struct sock *peer;

	if (!own)
		return 0;
	event = reserve(sizeof(*event));
	if (!event)
		return 0;
	__builtin_memset(event, 0, sizeof(*event));
	connection = &event->connection;
	fill_header(&connection->header, EVENT_CONNECTION, socket_cookie(sk), id, sizeof(*event));
	connection->netns = FIELD(sk, __sk_common.skc_net.net, ns.inum);
	connection->sequence = state->streams[DIRECTION_SEND].next;
	connection->peer_sequence = state->streams[DIRECTION_RECEIVE].next;
	connection->cgroup = cgroup;
	event->local_length = copy_path(event->local_path, own);
	peer = FIELD(own, peer);
	if (peer) {
		connection->peer = socket_cookie(peer);
		event->remote_length = copy_path(event->remote_path, unix_part(peer));
	}
	if (!event->local_length != !event->remote_length)
		state->role = event->local_length ? EVENT_FLAG_PASSIVE : EVENT_FLAG_ACTIVE;
	connection->header.flags = flags | EVENT_FLAG_UNIX | state->role;
	submit(event);
	return 1;
}

static __noinline int describe_inet(struct sock *sk, struct socket_state *state, __u64 id,
				    __u16 flags, __u64 cgroup)
{
	struct event_connection *event = reserve(sizeof(*event));

	if (!event)
		return 0;
	fill_connection(event, EVENT_CONNECTION, sk, id);
	event->header.flags = flags | state->role;
	event->sequence = state->streams[DIRECTION_SEND].next;
	event->peer_sequence = state->streams[DIRECTION_RECEIVE].next;
	event->error = 0;
	event->cgroup = cgroup;
	submit(event);
	return 1;
}

/*
 * Describes the socket as it was before the call at hand, so that the record reads well in front of
 * the call's own. Marked done only when the record is in the ring: a loss is repaired
 * by the next call.
 */
static __always_inline void describe(struct sock *sk, enum transport transport,
				     struct socket_state *state, __u64 id, __u16 flags,
				     __u64 cgroup)
{
	int done;

	if (transport == TRANSPORT_UNIX) {
		done = describe_unix(sk, state, id, flags, cgroup);
	} else {
		if (transport == TRANSPORT_DNS) {
			flags |= EVENT_FLAG_DATAGRAM;
			state->role = EVENT_FLAG_ACTIVE;
		}
		done = describe_inet(sk, state, id, flags, cgroup);
	}
	if (!state->tgid)
		remember_user(state, id);
	if (done)
		state->described = state->recorded = 1;
}

static __always_inline bool carries_data(const struct sock *sk)
{
	__u8 state = FIELD(sk, __sk_common.skc_state);

	return state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT;
}

/* Where the streams of a socket stand that was open before. Unix: bytes from now on. */
static __always_inline void track_open(const struct sock *sk, enum transport transport,
				       struct socket_state *state)
{
	struct stream_state *received = &state->streams[DIRECTION_RECEIVE];

	if (transport == TRANSPORT_TCP) {
		state->streams[DIRECTION_SEND].next = send_position(sk, tcp_part(sk));
		received->next = receive_position(sk, tcp_part(sk));
	} else if (bpf_core_field_exists(((struct unix_sock *)0)->inq_len)) {
		/* What waits to be read was sent before the other end's count began. */
		received->next = -(__u32)FIELD(unix_part(sk), inq_len);
	}
	state->tracked = 1;
}

/* A connection begins: what passes before its first call that is seen counts too. */
static __always_inline void track_new(const struct sock *sk)
{
	struct socket_state *state = socket_state(sk, false);

	if (state && !state->tracked)
		track_open(sk, TRANSPORT_TCP, state);
}

/*
 * Start-up pass: one open file of one process. Only connections that carry data;
 * several processes may hold the same socket, the first one found is named.
 */
static __always_inline void snapshot_file(struct task_struct *task, struct file *file)
{
	enum transport transport;
	struct socket_state *state;
	struct socket *socket;
	struct sock *sk;
	__u64 id;

	if (task->pid != task->tgid)
		return;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return;
	if (CAPTURE_BY_SYSCALL)
		socket_files = (__u64)file->f_op;
	sk = socket->sk;
	if (!sk)
		return;
	transport = transport_of(sk);
	if ((transport != TRANSPORT_TCP && transport != TRANSPORT_UNIX) || !carries_data(sk))
		return;
	if (!task_wanted(task) || !socket_wanted(sk, transport == TRANSPORT_UNIX))
		return;
	state = state_of(sk, transport, make_cookie(sk));
	if (!state || state->described)
		return;
	if (!state->tracked)
		track_open(sk, transport, state);
	id = (__u64)task->tgid << 32 | (__u32)task->pid;
	remember_user(state, id);
	describe(sk, transport, state, id, EVENT_FLAG_SNAPSHOT, task_cgroup(task));
}

#endif
