/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* What kind of socket it is, and where its streams stand. */
#ifndef AFTERTRACE_TRANSPORT_H
#define AFTERTRACE_TRANSPORT_H

#include "../maps.h"
#include "emit.h"
#include "field.h"

enum transport {
	TRANSPORT_NONE, /* not recorded */
	TRANSPORT_TCP,
	TRANSPORT_UNIX, /* stream sockets only */
	TRANSPORT_DNS,  /* UDP connected to port 53 */
};

static __always_inline bool is_tcp(const struct sock *sk)
{
	__u16 family = FIELD(sk, __sk_common.skc_family);

	return FIELD(sk, sk_protocol) == IPPROTO_TCP && (family == AF_INET || family == AF_INET6);
}

static __always_inline enum transport transport_of(const struct sock *sk)
{
	if (is_tcp(sk))
		return TRANSPORT_TCP;
	if (FIELD(sk, __sk_common.skc_family) == AF_UNIX)
		return FIELD(sk, sk_type) == SOCK_STREAM ? TRANSPORT_UNIX : TRANSPORT_NONE;
	if (FIELD(sk, sk_protocol) == IPPROTO_UDP &&
	    FIELD(sk, __sk_common.skc_dport) == bpf_htons(DNS_PORT))
		return TRANSPORT_DNS;
	return TRANSPORT_NONE;
}

static __always_inline const struct tcp_sock *tcp_part(const struct sock *sk)
{
	return AS(struct tcp_sock, sk);
}

static __always_inline const struct unix_sock *unix_part(const struct sock *sk)
{
	return AS(struct unix_sock, sk);
}

#ifdef CAPTURE_SYSCALL

/* Nobody can make a cookie for a socket that is only an address: those without TCP go by the number of their inode. */
#define INODE_COOKIE (1ULL << 62)

/* 0: there is none, as long as an end of a Unix connection is not accepted. */
static __always_inline __u64 socket_cookie(const struct sock *sk)
{
	__u64 inode;

	if (is_tcp(sk))
		return FIELD(sk, __sk_common.skc_cookie.counter);
	inode = FIELD(sk, sk_socket, file, f_inode, i_ino);
	return inode ? INODE_COOKIE | inode : 0;
}

static __always_inline __u64 known_cookie(const struct sock *sk)
{
	return socket_cookie(sk);
}

static __always_inline const struct unix_sock *known_unix_part(struct sock *sk)
{
	return unix_part(sk);
}

/* @sk: known to the verifier. Sockets of TCP are given their cookie here. */
static __always_inline __u64 make_cookie(struct sock *sk)
{
	bpf_get_socket_cookie(sk);
	return socket_cookie(sk);
}

#else

/* Costs a call only for the first who asks: there is no cookie before. */
static __always_inline __u64 socket_cookie(const struct sock *sk)
{
	__u64 cookie = sk->__sk_common.skc_cookie.counter;

	return cookie ? cookie : bpf_get_socket_cookie((void *)sk);
}

/* 0: nobody has asked. */
static __always_inline __u64 known_cookie(const struct sock *sk)
{
	return sk->__sk_common.skc_cookie.counter;
}

static __always_inline __u64 make_cookie(struct sock *sk)
{
	return bpf_get_socket_cookie(sk);
}

/* Null where it is none. What it points to is known to the verifier, too. */
static __always_inline const struct unix_sock *known_unix_part(struct sock *sk)
{
	return bpf_skc_to_unix_sock(sk);
}

#endif

/* Next byte the application will read. A FIN that was read counts as one byte in the kernel, not here. */
static __always_inline __u32 receive_position(const struct sock *sk, const struct tcp_sock *tcp)
{
	__u32 copied = FIELD(tcp, copied_seq);

	if (FIELD(sk, __sk_common.skc_flags) & 1UL << SOCK_DONE && copied == FIELD(tcp, rcv_nxt))
		copied -= 1;
	return copied;
}

/* Next byte the application will write. In these states our own FIN is queued and counted by the kernel. */
static __always_inline __u32 send_position(const struct sock *sk, const struct tcp_sock *tcp)
{
	__u8 state = FIELD(sk, __sk_common.skc_state);
	bool finished = state == TCP_FIN_WAIT1 || state == TCP_FIN_WAIT2 || state == TCP_CLOSING ||
			state == TCP_LAST_ACK;

	return FIELD(tcp, write_seq) - finished;
}

/* Rare: apart from the path of every call. */
static __noinline struct socket_state *new_silent_state(__u64 cookie)
{
	static const struct socket_state fresh;

	bpf_map_update_elem(&silent_sockets, &cookie, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&silent_sockets, &cookie);
}

#ifdef CAPTURE_SYSCALL

static __noinline struct socket_state *new_socket_state(__u64 cookie)
{
	static const struct socket_state fresh;

	bpf_map_update_elem(&sockets, &cookie, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&sockets, &cookie);
}

static __always_inline struct socket_state *find_socket_state(const struct sock *sk, bool create)
{
	__u64 cookie = socket_cookie(sk);
	struct socket_state *state;

	if (!cookie)
		return 0;
	state = bpf_map_lookup_elem(&sockets, &cookie);
	return state || !create ? state : new_socket_state(cookie);
}

/* The socket is gone for good. */
static __always_inline void forget_socket(const struct sock *sk)
{
	__u64 cookie = socket_cookie(sk);

	bpf_map_delete_elem(&sockets, &cookie);
}

#else

static __always_inline struct socket_state *find_socket_state(const struct sock *sk, bool create)
{
	return bpf_sk_storage_get(&sockets, (void *)sk, 0, create ? BPF_SK_STORAGE_GET_F_CREATE : 0);
}

/* The kernel drops what a socket keeps. */
static __always_inline void forget_socket(const struct sock *sk)
{
}

#endif

/* The state of a TCP socket. */
static __always_inline struct socket_state *socket_state(const struct sock *sk, bool create)
{
	struct socket_state *state = find_socket_state(sk, create);

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
