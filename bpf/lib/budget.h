/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* What the programs do to keep the recorder's budget: shorter heads, and a sample of the connections. */
#ifndef AFTERTRACE_BUDGET_H
#define AFTERTRACE_BUDGET_H

#include "../maps.h"
#include "emit.h"
#include "http.h"
#include "total.h"
#include "transport.h"

#define SAMPLE_ALL 0xffffffffU

/* Where the status of a response stands: behind "HTTP/1.1 ". */
#define STATUS_AT 9

static __always_inline bool sampling(void)
{
	return sample_limit != SAMPLE_ALL;
}

/* The finaliser of MurmurHash3 (Appleby, public domain): every bit of the input moves every bit of the key. */
static __always_inline __u32 mix_bits(__u32 value)
{
	value ^= value >> 16;
	value *= 0x85ebca6b;
	value ^= value >> 13;
	value *= 0xc2b2ae35;
	return value ^ value >> 16;
}

static __always_inline __u32 end_key(const __u32 address[4], __u16 port)
{
	return mix_bits(mix_bits(mix_bits(mix_bits(mix_bits(address[0]) ^ address[1]) ^ address[2]) ^
				 address[3]) ^ port);
}

/*
 * The same at both ends, on any host, and without a secret: so that a sample holds whole hops, and
 * a smaller one is part of every larger one. Mirrored by src/model/sample.ts. Not 0.
 */
static __always_inline __u32 sample_key(const struct sock *sk)
{
	const struct sock_common *common = &sk->__sk_common;
	__u16 local_port = FIELD(common, skc_num);
	__u32 local[4] = { 0, 0, bpf_htonl(0xffff), 0 };
	__u32 remote[4] = { 0, 0, bpf_htonl(0xffff), 0 };
	__u32 key;

	if (FIELD(common, skc_family) == AF_INET) {
		local[3] = FIELD(common, skc_rcv_saddr);
		remote[3] = FIELD(common, skc_daddr);
	} else {
		bpf_probe_read_kernel(local, sizeof(local), &common->skc_v6_rcv_saddr);
		bpf_probe_read_kernel(remote, sizeof(remote), &common->skc_v6_daddr);
	}
	/* Closing gives the port back before the state changes. */
	if (!local_port)
		local_port = bpf_ntohs(FIELD(AS(struct inet_connection_sock, sk), icsk_inet.inet_sport));
	key = mix_bits(end_key(local, local_port) + end_key(remote, bpf_ntohs(FIELD(common, skc_dport))));
	return key ? key : 1;
}

/*
 * Whether a connection is recorded now. One that is not will be described again when it is: what
 * passed meanwhile is no hole in its streams, nor the rest of a head.
 */
static __always_inline bool in_sample(const struct sock *sk, struct socket_state *state)
{
	__u16 family = FIELD(sk, __sk_common.skc_family);

	if (!sampling() || (family != AF_INET && family != AF_INET6))
		return true;
	if (!state->sample_key)
		state->sample_key = sample_key(sk);
	if (state->sample_key < sample_limit)
		return true;
	totals_flush(state, FIELD(sk, __sk_common.skc_cookie.counter));
	__builtin_memset(state->streams, 0, sizeof(state->streams));
	state->described = 0;
	state->tracked = 0;
	count_loss(LOSS_SAMPLED);
	return false;
}

/* True for a response of status 4xx or 5xx. */
static __always_inline bool tells_failure(__u64 word, const __u8 *payload, __u32 got)
{
	__u8 digit;

	if ((word & 0xffffffff) != 0x50545448 || got <= STATUS_AT)
		return false;
	digit = payload[STATUS_AT];
	return digit == '4' || digit == '5';
}

/* Bytes that may be kept of the head that begins with @word; @got of them are at @payload. */
static __always_inline __u32 head_budget(__u64 word, const __u8 *payload, __u32 got)
{
	__u32 limit = head_limit;

	if (limit >= snaplen || tells_failure(word, payload, got))
		return snaplen;
	return limit;
}

#endif
