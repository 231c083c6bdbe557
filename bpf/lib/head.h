/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* Where a message head begins and ends in the bytes of one direction. */
#ifndef AFTERTRACE_HEAD_H
#define AFTERTRACE_HEAD_H

#include "../maps.h"
#include "http.h"

/*
 * Do these bytes begin a message? Bytes that follow a beginning too short to tell, kept in @start, are
 * joined to it: then @joined is set, and the head is already being kept.
 */
static __always_inline enum head_match match_start(struct stream_state *stream, __u64 *start,
						   __u64 word, __u32 length, bool *joined)
{
	__u32 before = stream->start_length;
	enum head_match match = HEAD_NO;

	*joined = false;
	if (before > 0 && before < HEAD_WORD) {
		__u64 both = *start | word << (8 * (before & 7));
		__u32 sum = before + length < HEAD_WORD ? before + length : HEAD_WORD;

		match = match_head(both, sum);
		if (match != HEAD_NO) {
			*joined = true;
			word = both;
			length = sum;
		}
	}
	if (!*joined && may_begin_head(word))
		match = match_head(word, length);
	if (unlikely(match == HEAD_MAYBE))
		*start = word;
	stream->start_length = match == HEAD_MAYBE ? length : 0;
	return match;
}

static __always_inline __u64 mask_word(__u64 word, __u32 length)
{
	return length >= HEAD_WORD ? word : word & ((1ULL << (8 * (length & 7))) - 1);
}

/* The last four bytes of the head so far, when @kept more bytes at @payload are added. */
static __always_inline __u32 tail_of(const struct stream_state *stream, const __u8 *payload, __u32 kept)
{
	__u32 tail;

	asm volatile("" : "+r"(kept));
	if (kept >= 4 && kept <= EVENT_PAYLOAD_MAX) {
		__builtin_memcpy(&tail, &payload[kept - 4], 4);
		return tail;
	}
	tail = stream->tail;
	if (kept >= 1)
		tail = tail >> 8 | (__u32)payload[0] << 24;
	if (kept >= 2)
		tail = tail >> 8 | (__u32)payload[1] << 24;
	if (kept == 3)
		tail = tail >> 8 | (__u32)payload[2] << 24;
	return tail;
}

/* A TLS record begins: handshake, alert or data, of version 3.0 to 3.4. */
static __always_inline bool is_tls_record(__u64 word)
{
	__u8 type = word;
	__u8 major = word >> 8;
	__u8 minor = word >> 16;

	return type >= 0x14 && type <= 0x17 && major == 3 && minor <= 4;
}

#endif
