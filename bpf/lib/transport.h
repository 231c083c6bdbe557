/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* What kind of socket it is, and where its streams stand. */
#ifndef AFTERTRACE_TRANSPORT_H
#define AFTERTRACE_TRANSPORT_H

#include "../maps.h"
#include "emit.h"

enum transport {
	TRANSPORT_NONE, /* not recorded */
	TRANSPORT_TCP,
	TRANSPORT_UNIX, /* stream sockets only */
	TRANSPORT_DNS,  /* UDP connected to port 53 */
};

static __always_inline bool is_tcp(const struct sock *sk)
{
	__u16 family = sk->__sk_common.skc_family;

	return sk->sk_protocol == IPPROTO_TCP && (family == AF_INET || family == AF_INET6);
}

static __always_inline enum transport transport_of(const struct sock *sk)
{
	if (is_tcp(sk))
		return TRANSPORT_TCP;
	if (sk->__sk_common.skc_family == AF_UNIX)
		return sk->sk_type == SOCK_STREAM ? TRANSPORT_UNIX : TRANSPORT_NONE;
	if (sk->sk_protocol == IPPROTO_UDP && sk->__sk_common.skc_dport == bpf_htons(DNS_PORT))
		return TRANSPORT_DNS;
	return TRANSPORT_NONE;
}

static __always_inline const struct tcp_sock *tcp_part(const struct sock *sk)
{
	return bpf_rdonly_cast(sk, bpf_core_type_id_kernel(struct tcp_sock));
}

static __always_inline const struct unix_sock *unix_part(const struct sock *sk)
{
	return bpf_rdonly_cast(sk, bpf_core_type_id_kernel(struct unix_sock));
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

	if (sk->__sk_common.skc_flags & 1UL << SOCK_DONE && copied == tcp->rcv_nxt)
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

/* Rare: apart from the path of every call. */
static __noinline struct socket_state *new_silent_state(__u64 cookie)
{
	static const struct socket_state fresh;

	bpf_map_update_elem(&silent_sockets, &cookie, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&silent_sockets, &cookie);
}

/* The state of a TCP socket. */
static __always_inline struct socket_state *socket_state(const struct sock *sk, bool create)
{
	struct socket_state *state = bpf_sk_storage_get(&sockets, (void *)sk, 0,
							create ? BPF_SK_STORAGE_GET_F_CREATE : 0);

	if (!state && create)
		count_loss(LOSS_SOCKET_STATE);
	return state;
}

/* Of any socket. Null, and counted, when there is no room. */
static __always_inline struct socket_state *state_of(struct sock *sk, enum transport transport,
						     __u64 cookie)
{
	struct socket_state *state;

	if (transport == TRANSPORT_TCP)
		return socket_state(sk, true);
	state = bpf_map_lookup_elem(&silent_sockets, &cookie);
	if (!state)
		state = new_silent_state(cookie);
	if (!state)
		count_loss(LOSS_SOCKET_STATE);
	return state;
}

#endif
