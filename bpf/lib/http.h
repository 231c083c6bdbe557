/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* Recognises the first bytes of an HTTP/1 message. Pure: no maps, no helpers. */
#ifndef AFTERTRACE_HTTP_H
#define AFTERTRACE_HTTP_H

#include "../kernel.h"

/* Bytes that decide: as many as the longest first word has. */
#define HEAD_WORD 8

#define CRLF_CRLF 0x0a0d0a0d

enum head_match {
	HEAD_NO,
	HEAD_MAYBE, /* too few bytes to tell, but a message could begin so */
	HEAD_YES,
};

/*
 * @word: the first bytes of the data, first byte lowest, zeros behind the last one
 * @length: how many bytes are there, 0..8
 */
static __always_inline enum head_match match_word(__u64 word, __u32 length, const char text[9],
						  __u32 text_length)
{
	__u64 expected;
	__u64 mask = ~0ULL >> (64 - 8 * text_length);

	__builtin_memcpy(&expected, text, 8);
	if (!((word ^ expected) & mask))
		return HEAD_YES;
	if (length >= text_length || length == 0)
		return HEAD_NO;
	mask = ~0ULL >> (64 - 8 * (length & 7));
	return (word ^ expected) & mask ? HEAD_NO : HEAD_MAYBE;
}

/* Whether the first byte is one of C D G H O P T: spares most data the closer look. */
static __always_inline bool may_begin_head(__u64 word)
{
	const __u32 letters = 1 << ('C' & 31) | 1 << ('D' & 31) | 1 << ('G' & 31) | 1 << ('H' & 31) |
			      1 << ('O' & 31) | 1 << ('P' & 31) | 1 << ('T' & 31);

	return (word & 0xe0) == 0x40 && letters >> (word & 31) & 1;
}

/* A global function: the verifier walks its many branches once, not in every path that calls it. */
__noinline enum head_match match_head(__u64 word, __u32 length)
{
	enum head_match match;

#define TRY(text, text_length)                                                                     \
	do {                                                                                       \
		match = match_word(word, length, text, text_length);                               \
		if (match != HEAD_NO)                                                              \
			return match;                                                              \
	} while (0)

	switch (word & 0xff) {
	case 'G':
		TRY("GET \0\0\0\0", 4);
		break;
	case 'H':
		TRY("HTTP/1.\0", 7);
		TRY("HEAD \0\0\0", 5);
		break;
	case 'P':
		TRY("POST \0\0\0", 5);
		TRY("PUT \0\0\0\0", 4);
		TRY("PATCH \0\0", 6);
		break;
	case 'D':
		TRY("DELETE \0", 7);
		break;
	case 'O':
		TRY("OPTIONS ", 8);
		break;
	case 'C':
		TRY("CONNECT ", 8);
		break;
	case 'T':
		TRY("TRACE \0\0", 6);
		break;
	}
#undef TRY
	return HEAD_NO;
}

#endif
