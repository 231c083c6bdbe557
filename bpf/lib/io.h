/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* One send or receive on a TCP socket: describe the socket once, keep message heads, count the rest. */
#ifndef AFTERTRACE_IO_H
#define AFTERTRACE_IO_H

#include "../maps.h"
#include "budget.h"
#include "connection.h"
#include "emit.h"
#include "filter.h"
#include "hints.h"
#include "http.h"
#include "tls-socket.h"
#include "user-buffer.h"

/*
 * Describes the socket as it was before this call, so that the record reads well in front of
 * the call's own. Marked done only when the record is in the ring: a loss is repaired
 * by the next call.
 */
static __always_inline void describe(const struct sock *sk, struct socket_state *state,
				     const struct event_io *io, enum direction direction)
{
	struct event_connection event;

	__u64 id = (__u64)io->header.tgid << 32 | io->header.tid;

	fill_connection(&event, EVENT_CONNECTION, sk, id);
	event.header.time_ns = io->header.time_ns;
	event.header.flags = state->role;
	event.sequence = direction == DIRECTION_SEND ? io->sequence : io->peer_sequence;
	event.peer_sequence = direction == DIRECTION_SEND ? io->peer_sequence : io->sequence;
	event.error = 0;
	event.cgroup = bpf_get_current_cgroup_id();
	if (!state->tgid)
		remember_user(state, id);
	if (emit(&event, sizeof(event)))
		state->described = state->recorded = 1;
}

/*
 * Do these bytes begin a message? Bytes that follow a beginning too short to tell are joined to it:
 * then @joined is set, and the head is already being kept.
 */
static __always_inline enum head_match match_start(struct stream_state *stream, __u64 word,
						   __u32 length, bool *joined)
{
	__u32 before = stream->start_length;
	enum head_match match = HEAD_NO;

	*joined = false;
	if (before > 0 && before < HEAD_WORD) {
		__u64 both = stream->start | word << (8 * (before & 7));
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
	stream->start = word;
	stream->start_length = match == HEAD_MAYBE ? length : 0;
	return match;
}

/* True when the bytes kept so far end with the blank line that ends a head. */
static __always_inline bool head_ended(struct stream_state *stream, const struct io_scratch *scratch,
				       __u32 kept)
{
	__u32 tail;

	if (kept >= 4 && kept <= EVENT_PAYLOAD_MAX) {
		__builtin_memcpy(&tail, &scratch->payload[kept - 4], 4);
	} else {
		tail = stream->tail;
		if (kept >= 1)
			tail = tail >> 8 | (__u32)scratch->payload[0] << 24;
		if (kept >= 2)
			tail = tail >> 8 | (__u32)scratch->payload[1] << 24;
		if (kept == 3)
			tail = tail >> 8 | (__u32)scratch->payload[2] << 24;
	}
	stream->tail = tail;
	return tail == CRLF_CRLF;
}

static __always_inline __u64 mask_word(__u64 word, __u32 length)
{
	return length >= HEAD_WORD ? word : word & ((1ULL << (8 * (length & 7))) - 1);
}

/* First bytes of the data, zeros behind; length is how many are valid. */
static __always_inline __u64 first_word(const struct user_buffer *buffer, __u32 bytes, __u32 *length)
{
	__u64 word = 0;
	__u32 size = bytes < HEAD_WORD ? bytes : HEAD_WORD;

	if (buffer->plain.length < size)
		size = buffer->plain.length;
	asm volatile("" : "+r"(size));
	*length = 0;
	if (size == 0 || size > HEAD_WORD)
		return 0;
	if (bpf_probe_read_user(&word, size, buffer->plain.base))
		return 0;
	*length = size;
	return word;
}

/* Keeps what the head may still use of these bytes. Returns the payload length. */
static __always_inline __u32 keep_head(struct io_scratch *scratch, struct stream_state *stream,
				       const struct user_buffer *buffer, __u32 bytes)
{
	__u32 wanted = bytes < stream->budget ? bytes : stream->budget;
	__u32 kept = read_buffer(scratch, buffer, wanted);

	if (kept < wanted) {
		stream->budget = 0;
		scratch->event.header.flags |= EVENT_FLAG_UNREADABLE;
		count_unreadable();
	} else if (kept < bytes) {
		stream->budget = 0;
		scratch->event.header.flags |= EVENT_FLAG_TRUNCATED;
	} else if (head_ended(stream, scratch, kept)) {
		stream->budget = 0;
	} else {
		stream->budget -= kept;
	}
	return kept;
}

/* Decides whether these bytes belong to a message head and keeps them if so. Returns the payload length. */
static __always_inline __u32 inspect(struct io_scratch *scratch, struct socket_state *state,
				     struct stream_state *stream, __u32 bytes)
{
	struct user_buffer buffer;
	enum head_match match;
	bool pending, joined;
	__u32 length;
	__u64 word;

	find_buffer(&buffer, bytes);
	if (buffer.kind == BUFFER_NONE)
		return 0;
	if (buffer.kind == BUFFER_UNKNOWN) {
		scratch->event.header.flags |= EVENT_FLAG_UNREADABLE;
		stream->budget = 0;
		count_unreadable();
		return 0;
	}
	word = first_word(&buffer, bytes, &length);
	if (length < HEAD_WORD && length < bytes) {
		/* The first piece is short: gather enough to decide. */
		length = read_buffer(scratch, &buffer, bytes < HEAD_WORD ? bytes : HEAD_WORD);
		__builtin_memcpy(&word, scratch->payload, HEAD_WORD);
		word = mask_word(word, length);
	}
	pending = stream->start_length > 0;
	match = match_start(stream, word, length, &joined);
	if (match == HEAD_YES)
		state->http = 1;
	if (match == HEAD_NO && pending)
		stream->budget = 0;
	if (match != HEAD_NO && !joined) {
		stream->budget = head_budget(&buffer, word);
		stream->tail = 0;
		scratch->event.header.flags |= EVENT_FLAG_HEAD;
	}
	if (stream->budget == 0 && match == HEAD_NO)
		return 0;
	return keep_head(scratch, stream, &buffer, bytes);
}

static __always_inline void fill_io(struct event_io *event, const struct sock *sk,
				    __u64 id, __u32 bytes, int flags, enum direction direction)
{
	const struct tcp_sock *tcp = tcp_part(sk);
	__u32 sent = send_position(sk, tcp);
	__u32 received = receive_position(sk, tcp);

	fill_header(&event->header, direction == DIRECTION_SEND ? EVENT_SEND : EVENT_RECEIVE,
		    socket_cookie(sk), id, sizeof(*event));
	event->bytes = bytes;
	event->offset = 0;
	if (direction == DIRECTION_SEND) {
		event->sequence = sent - bytes;
		event->peer_sequence = received;
	} else {
		event->sequence = flags & MSG_PEEK ? received : received - bytes;
		event->peer_sequence = sent;
	}
}

/* Not bytes of the stream: urgent data, and reports on the error queue. */
static __always_inline bool is_stream_io(const struct sock *sk, int result, int flags,
					 enum direction direction)
{
	if (direction == DIRECTION_SEND)
		return result > 0;
	if (result < 0 || flags & (MSG_OOB | MSG_ERRQUEUE))
		return false;
	return result > 0 || (sk->sk_shutdown & RCV_SHUTDOWN && !(flags & MSG_PEEK));
}

static __always_inline struct socket_state *state_or_spare(const struct sock *sk,
							   struct io_scratch *scratch)
{
	struct socket_state *state = socket_state(sk, true);

	if (state)
		return state;
	__builtin_memset(&scratch->spare, 0, sizeof(scratch->spare));
	return &scratch->spare;
}

static __always_inline void stream_io(struct sock *sk, int result, int flags, enum direction direction)
{
	__u32 slot = direction;
	struct io_scratch *scratch;
	struct socket_state *state;
	__u32 kept = 0, size;
	void *record;
	__u64 id;

	tls_socket_io(sk, result, flags, direction);
	if (!is_tcp(sk))
		return;
	id = bpf_get_current_pid_tgid();
	if (hint_kinds && direction == DIRECTION_RECEIVE && result == -EAGAIN)
		found_empty(sk, id);
	if (!is_stream_io(sk, result, flags, direction))
		return;
	if (!current_wanted(id) || !ports_wanted(sk))
		return;
	scratch = bpf_map_lookup_elem(&io_scratches, &slot);
	if (!scratch)
		return;
	state = state_or_spare(sk, scratch);
	if (result == 0 && state->ended)
		return;
	if (!in_sample(sk, state))
		return;
	fill_io(&scratch->event, sk, id, result, flags, direction);
	if (!state->described)
		describe(sk, state, &scratch->event, direction);
	if (flags & MSG_PEEK)
		scratch->event.header.flags |= EVENT_FLAG_PEEK;
	else if (result > 0 && !(flags & MSG_TRUNC))
		kept = inspect(scratch, state, &state->streams[direction], result);
	if (!state->http && !kept)
		scratch->event.header.flags |= EVENT_FLAG_OPAQUE;
	size = sizeof(struct event_io) + kept;
	scratch->event.header.size = size;
	record = add_hints(scratch, state, direction, &size);
	asm volatile("" : "+r"(size));
	if (size > sizeof(struct event_hints) + sizeof(struct event_io) + EVENT_PAYLOAD_MAX)
		return;
	if (emit(record, size) && result == 0)
		state->ended = 1;
}

#endif
