/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* Calls whose first bytes are looked at: heads are kept, so are the beginnings of other protocols' turns. */
#ifndef AFTERTRACE_PAYLOAD_H
#define AFTERTRACE_PAYLOAD_H

#include "../maps.h"
#include "budget.h"
#include "call.h"
#include "emit.h"
#include "head.h"
#include "user-buffer.h"

/* A turn that begins with so few bytes is a header of its own: the next piece belongs to it. */
#define TURN_HEADER 16

/* Room for hints is always there, so that few sizes do; where there are none the payload begins in it. */
struct io_record {
	struct event_io event;
	struct event_hints hints;
	__u8 payload[];
};

/*
 * What the bytes at hand are, and how many of them to keep.
 * @word: the first of them; @got: how many could be read, from @payload
 * Returns the length of the payload; @flags are those of the record.
 */
static __always_inline __u32 judge(const struct io_call *call, __u64 word, const __u8 *payload,
				   __u32 got, __u32 wanted, __u16 *flags)
{
	struct stream_state *stream = call->stream;
	struct socket_state *state = call->state;
	bool pending = stream->start_length > 0;
	__u32 length = got < HEAD_WORD ? got : HEAD_WORD;
	enum head_match match;
	bool joined;
	__u32 most, tail;

	match = match_start(stream, &state->starts[call->direction & 1], mask_word(word, length), length, &joined);
	if (match == HEAD_YES)
		state->http = 1;
	if (match == HEAD_NO && pending)
		stream->budget = 0;
	if (match != HEAD_NO && !joined) {
		stream->budget = head_budget(word, payload, got);
		stream->tail = 0;
		*flags |= EVENT_FLAG_HEAD;
	} else if (stream->budget == 0 && match == HEAD_NO) {
		stream->unfinished = 0;
		if (state->http)
			return 0;
		stream->unfinished = call->turned && call->bytes <= TURN_HEADER;
		*flags |= EVENT_FLAG_OPAQUE | EVENT_FLAG_TURN;
		state->opaque = 1;
		if (is_tls_record(word))
			state->quiet = 1;
		return got < EVENT_TURN_MAX ? got : EVENT_TURN_MAX;
	}
	most = call->bytes < stream->budget ? call->bytes : stream->budget;
	if (got > most)
		got = most;
	tail = tail_of(stream, payload, got);
	stream->tail = tail;
	if (tail == CRLF_CRLF && got >= 4) {
		stream->budget = 0;
	} else if (got < (wanted < most ? wanted : most)) {
		stream->budget = 0;
		*flags |= EVENT_FLAG_UNREADABLE;
		count_unreadable();
	} else if (got < call->bytes) {
		stream->budget = 0;
		*flags |= EVENT_FLAG_TRUNCATED;
	} else {
		stream->budget -= got;
		if (tail == CRLF_CRLF)
			stream->budget = 0;
	}
	if (!state->http && !got)
		*flags |= EVENT_FLAG_OPAQUE;
	return got;
}

/*
 * A call whose first bytes lie in several pieces: put together first, then copied. Rare. Hints stand between
 * event and payload, so the event begins in the room before its place.
 */
static __noinline int tell_gathered(const struct io_call *call, const struct user_buffer *buffer,
				    __u32 wanted)
{
	__u32 slot = call->direction;
	struct io_scratch *scratch = bpf_map_lookup_elem(&io_scratches, &slot);
	__u32 got, kept;
	__u16 flags = 0;
	__u64 word;

	if (!scratch)
		return 0;
	got = read_buffer(scratch, buffer, wanted);
	asm volatile("" : "+r"(got));
	if (got > EVENT_PAYLOAD_MAX)
		return 0;
	__builtin_memcpy(&word, scratch->payload, HEAD_WORD);
	kept = judge(call, word, scratch->payload, got, wanted, &flags);
	asm volatile("" : "+r"(kept));
	if (kept > EVENT_PAYLOAD_MAX)
		return 0;
	if (call->hinted) {
		struct hinted_io *record = (void *)scratch;

		fill_io(&record->event, call, flags, kept);
		record->hints = call->hints;
		emit(record, sizeof(*record) + kept);
	} else {
		fill_io(&scratch->event, call, flags, kept);
		emit(&scratch->event, sizeof(struct event_io) + kept);
	}
	return 0;
}

/* Room for a record with up to @payload bytes: few sizes, each known to the verifier. */
static __always_inline struct io_record *reserve_io(__u32 payload)
{
	struct io_record *record = 0;

	/* Different instructions behind each, lest the compiler joins them to one call of variable size. */
	if (payload <= 128) {
		record = bpf_ringbuf_reserve(&ring, sizeof(struct io_record) + 128, 0);
		asm volatile("r1 = 1" ::: "r1");
	} else if (payload <= 320) {
		record = bpf_ringbuf_reserve(&ring, sizeof(struct io_record) + 320, 0);
		asm volatile("r1 = 2" ::: "r1");
	} else if (payload <= 1024) {
		record = bpf_ringbuf_reserve(&ring, sizeof(struct io_record) + 1024, 0);
		asm volatile("r1 = 3" ::: "r1");
	} else if (payload <= EVENT_PAYLOAD_MAX) {
		record = bpf_ringbuf_reserve(&ring, sizeof(struct io_record) + EVENT_PAYLOAD_MAX, 0);
		asm volatile("r1 = 4" ::: "r1");
	}
	if (unlikely(!record))
		refused();
	return record;
}

/*
 * Whether what was read into the ring is less than what is there and wanted: a head that does not end with
 * the first piece, or one that begins where another protocol was expected.
 */
static __always_inline bool wants_more(const struct io_call *call, const __u8 *payload, __u64 word,
				       __u32 got, __u32 wanted, __u32 limit)
{
	if (got < wanted)
		return !(got >= 4 && tail_of(call->stream, payload, got) == CRLF_CRLF);
	return call->state->opaque && limit == EVENT_TURN_MAX && wanted < call->bytes &&
	       got >= HEAD_WORD && may_begin_head(word) && match_head(word, HEAD_WORD) == HEAD_YES;
}

/* Whether these bytes, in the midst of a direction, begin a new head. */
static __always_inline bool begins_head(const struct user_buffer *buffer, __u32 bytes)
{
	__u32 length = bytes < HEAD_WORD ? bytes : HEAD_WORD;
	__u64 word = 0;

	if (buffer->plain.length < length)
		length = buffer->plain.length;
	asm volatile("" : "+r"(length));
	if (length == 0 || length > HEAD_WORD)
		return false;
	if (bpf_probe_read_user(&word, length, buffer->plain.base))
		return false;
	return may_begin_head(word) && match_head(word, length) != HEAD_NO;
}

/* Whether the first piece, of @length bytes, ends with the blank line behind a head. */
static __always_inline bool ends_head(const struct user_buffer *buffer, __u32 length)
{
	__u32 tail = 0;

	if (length < sizeof(tail))
		return false;
	bpf_probe_read_user(&tail, sizeof(tail), buffer->plain.base + length - sizeof(tail));
	return tail == CRLF_CRLF;
}

/* Bytes that are read where a head may begin: those kept of it, and no fewer than show what begins. */
#define HEAD_BYTES (snaplen > EVENT_TURN_MAX ? snaplen : EVENT_TURN_MAX)

/* The call as a record with the first bytes that it moved: read once, into the ring. */
static __noinline int tell_with_payload(const struct io_call *call, const struct user_buffer *buffer,
					__u32 limit)
{
	struct stream_state *stream = call->stream;
	__u32 wanted = call->bytes < limit ? call->bytes : limit;
	__u32 first = buffer->plain.length < wanted ? buffer->plain.length : wanted;
	struct io_record *record;
	bool readable = false;
	__u8 *payload;
	__u16 flags = 0;
	__u32 kept;
	__u64 word;

	/* Verifiers of older kernels cannot prove that a record of this size is kept to. */
	if (CAPTURE_BY_SYSCALL) {
		if (begins_head(buffer, call->bytes))
			wanted = call->bytes < HEAD_BYTES ? call->bytes : HEAD_BYTES;
		if (first < wanted && ends_head(buffer, first))
			wanted = first;
		tell_gathered(call, buffer, wanted);
		return 0;
	}
	asm volatile("" : "+r"(first));
	record = reserve_io(first);
	if (!record) {
		stream->budget = 0;
		stream->start_length = 0;
		return 0;
	}
	payload = call->hinted ? record->payload : (__u8 *)&record->hints;
	readable = first && !bpf_probe_read_user(payload, first, buffer->plain.base);
	__builtin_memcpy(&word, payload, HEAD_WORD);
	if (unlikely(!first || (readable && wants_more(call, payload, word, first, wanted, limit)))) {
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
		wanted = call->bytes < snaplen ? call->bytes : snaplen;
		tell_gathered(call, buffer, wanted > limit ? wanted : call->bytes < limit ? call->bytes : limit);
		return 0;
	}
	kept = judge(call, word, payload, readable ? first : 0, wanted, &flags);
	fill_io(&record->event, call, flags, kept);
	if (call->hinted)
		record->hints = call->hints;
	submit(record);
	return 0;
}

/* How many bytes of the call are looked at; 0: none. */
static __always_inline __u32 bytes_to_read(const struct io_call *call)
{
	const struct stream_state *stream = call->stream;

	if (call->turned)
		return call->state->opaque ? EVENT_TURN_MAX : HEAD_BYTES;
	if (stream->unfinished)
		return EVENT_TURN_MAX;
	return stream->budget || stream->start_length ? HEAD_BYTES : 0;
}

static __always_inline void inspect(const struct io_call *call)
{
	struct user_buffer buffer;
	__u32 limit = bytes_to_read(call);

	find_buffer(&buffer, call->bytes);
	if (buffer.kind == BUFFER_NONE) {
		sum_call(call, 0);
	} else if (unlikely(buffer.kind == BUFFER_UNKNOWN)) {
		call->stream->budget = 0;
		count_unreadable();
		sum_call(call, EVENT_FLAG_UNREADABLE);
	} else if (limit || begins_head(&buffer, call->bytes)) {
		if (call->stream->held)
			total_flush(call->state, call->cookie, call->direction);
		tell_with_payload(call, &buffer, limit ? limit : HEAD_BYTES);
	} else {
		sum_call(call, 0);
	}
}

/* UDP to port 53: every datagram is a turn. */
static __noinline int datagram(struct io_call *call)
{
	struct user_buffer buffer;

	call->stream->next += call->bytes;
	call->turned = true;
	call->state->opaque = 1;
	call->stream->budget = 0;
	call->stream->start_length = 0;
	find_buffer(&buffer, call->bytes);
	if (buffer.kind == BUFFER_PLAIN || buffer.kind == BUFFER_PIECES) {
		tell_with_payload(call, &buffer, EVENT_TURN_MAX);
	} else {
		count_unreadable();
		tell_call(call, EVENT_FLAG_OPAQUE | EVENT_FLAG_UNREADABLE);
	}
	return 0;
}

#endif
