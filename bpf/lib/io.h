/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/*
 * One send or receive: describe the socket once, keep message heads and the first bytes of other
 * protocols' turns, sum the rest. Nothing here knows which kernel event told of the call.
 */
#ifndef AFTERTRACE_IO_H
#define AFTERTRACE_IO_H

#include "../maps.h"
#include "describe.h"
#include "emit.h"
#include "filter.h"
#include "head.h"
#include "hints.h"
#include "tls-socket.h"
#include "total.h"
#include "transport.h"
#include "user-buffer.h"

/* Turns after which user space is asked again whether the connection is worth them, a power of two. */
#define QUIET_CHECK 16

/* A turn that begins with so few bytes is a header of its own: the next piece belongs to it. */
#define TURN_HEADER 16

struct io_call {
	const struct sock *sk;
	struct socket_state *state;
	struct stream_state *stream; /* the direction of the call */
	__u64 id;
	__u64 now;
	__u64 cookie;
	__u32 bytes;
	__u32 sequence;
	__u32 peer_sequence;
	bool turned; /* the call before went the other way */
	bool hinted;
	enum direction direction;
	struct event_hints hints;
};

struct io_record {
	struct event_io event;
	__u8 payload[];
};

static __always_inline void fill_io(struct event_io *event, const struct io_call *call, __u16 flags,
				    __u32 kept)
{
	event->header.time_ns = call->now;
	event->header.connection = call->cookie;
	event->header.tgid = call->id >> 32;
	event->header.tid = (__u32)call->id;
	event->header.kind = call->direction == DIRECTION_SEND ? EVENT_SEND : EVENT_RECEIVE;
	event->header.flags = flags | (call->hinted ? EVENT_FLAG_HINTS : 0);
	event->header.size = sizeof(*event) + (call->hinted ? sizeof(call->hints) : 0) + kept;
	event->sequence = call->sequence;
	event->peer_sequence = call->peer_sequence;
	event->bytes = call->bytes;
	event->offset = 0;
}

/* The call as a record of its own, without payload. */
static __always_inline bool tell_call(const struct io_call *call, __u16 flags)
{
	struct event_io *event = reserve_io_hinted(call->hinted, &call->hints);

	if (!event)
		return false;
	fill_io(event, call, flags, 0);
	submit(event);
	return true;
}

static __always_inline __u16 opaque_flag(const struct socket_state *state)
{
	return state->http ? 0 : EVENT_FLAG_OPAQUE;
}

/* Adds the call to what is held back, or begins anew with it. */
static __always_inline void hold_back(const struct io_call *call, struct total *total, __u32 bytes,
				      __u32 flags)
{
	if (!bytes) {
		total->sequence = call->sequence;
		total->since_ns = call->now;
		total->calls = 0;
		total->flags = 0;
		total->hinted = 0;
	}
	if (call->hinted) {
		total->hinted = 1;
		total->hints = call->hints;
	}
	total->bytes = bytes + call->bytes;
	total->calls++;
	total->flags |= flags;
	total->time_ns = call->now;
	total->tgid = call->id >> 32;
	total->tid = (__u32)call->id;
	total->peer_sequence = call->peer_sequence;
}

/* The call as part of a total. */
static __always_inline void sum_call(const struct io_call *call, __u32 flags)
{
	struct socket_state *state = call->state;
	struct total *total = &state->totals[call->direction & 1];
	bool follows, full;

	flags |= opaque_flag(state);
	if (state->closed || call->bytes >= TOTAL_BYTES || !total_lock(total)) {
		tell_call(call, flags);
		return;
	}
	follows = total->sequence + total->bytes == call->sequence &&
		  total->tgid == call->id >> 32 && total->bytes + call->bytes < TOTAL_BYTES;
	if (total->bytes && !follows) {
		total_emit(total, call->cookie, call->direction);
		total->bytes = 0;
	}
	hold_back(call, total, total->bytes, flags);
	call->stream->held = 1;
	full = call->now - total->since_ns >= (state->quiet ? TOTAL_QUIET_AGE : TOTAL_AGE);
	total_unlock(total);
	/* Whoever closed the socket meanwhile found the total locked. */
	if (full || *(volatile __u8 *)&state->closed)
		total_flush(state, call->cookie, call->direction);
}

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

	match = match_start(stream, mask_word(word, length), length, &joined);
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
 * A call whose first bytes lie in several pieces, or that has hints: put together first, then
 * copied. Hints stand between event and payload, so the event begins in the room before its place.
 */
static __always_inline void tell_gathered(const struct io_call *call, const struct user_buffer *buffer,
					  __u32 wanted)
{
	__u32 slot = call->direction;
	struct io_scratch *scratch = bpf_map_lookup_elem(&io_scratches, &slot);
	__u32 got, kept;
	__u16 flags = 0;
	__u64 word;

	if (!scratch)
		return;
	got = read_buffer(scratch, buffer, wanted);
	asm volatile("" : "+r"(got));
	if (got > EVENT_PAYLOAD_MAX)
		return;
	__builtin_memcpy(&word, scratch->payload, HEAD_WORD);
	kept = judge(call, word, scratch->payload, got, wanted, &flags);
	asm volatile("" : "+r"(kept));
	if (kept > EVENT_PAYLOAD_MAX)
		return;
	if (call->hinted) {
		struct hinted_io *record = (void *)scratch;

		fill_io(&record->event, call, flags, kept);
		record->hints = call->hints;
		emit(record, sizeof(*record) + kept);
	} else {
		fill_io(&scratch->event, call, flags, kept);
		emit(&scratch->event, sizeof(struct event_io) + kept);
	}
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
	if (!record) {
		count_one(&produced, 0);
		count_loss(LOSS_RING_FULL);
	}
	return record;
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
static __always_inline void tell_with_payload(const struct io_call *call,
					      const struct user_buffer *buffer, __u32 limit)
{
	struct stream_state *stream = call->stream;
	__u32 wanted = call->bytes < limit ? call->bytes : limit;
	__u32 first = buffer->plain.length < wanted ? buffer->plain.length : wanted;
	struct io_record *record;
	__u16 flags = 0;
	__u32 kept, got;
	__u64 word;

	/* Verifiers of older kernels cannot prove that a record of this size is kept to. */
	if (CAPTURE_BY_SYSCALL && begins_head(buffer, call->bytes))
		wanted = call->bytes < HEAD_BYTES ? call->bytes : HEAD_BYTES;
	if (CAPTURE_BY_SYSCALL && first < wanted && ends_head(buffer, first))
		wanted = first;
	if (CAPTURE_BY_SYSCALL || call->hinted) {
		tell_gathered(call, buffer, wanted);
		return;
	}
	asm volatile("" : "+r"(first));
	record = reserve_io(first);
	if (!record) {
		stream->budget = 0;
		stream->start_length = 0;
		return;
	}
	got = first;
	if (first == 0 || bpf_probe_read_user(record->payload, first, buffer->plain.base))
		got = 0;
	__builtin_memcpy(&word, record->payload, HEAD_WORD);
	/* A head that ends with the piece is whole; so is what the limit does not cut. */
	if ((got < wanted && got == first && !(got >= 4 && tail_of(stream, record->payload, got) == CRLF_CRLF)) ||
	    (call->state->opaque && limit == EVENT_TURN_MAX && wanted < call->bytes && got >= HEAD_WORD &&
	     may_begin_head(word) && match_head(word, HEAD_WORD) == HEAD_YES)) {
		bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
		wanted = call->bytes < snaplen ? call->bytes : snaplen;
		tell_gathered(call, buffer, wanted > limit ? wanted : call->bytes < limit ? call->bytes : limit);
		return;
	}
	kept = judge(call, word, record->payload, got, wanted, &flags);
	fill_io(&record->event, call, flags, kept);
	count_one(&produced, 0);
	submit(record);
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
	} else if (buffer.kind == BUFFER_UNKNOWN) {
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

/* Not bytes of the stream: urgent data, and reports on the error queue. */
static __always_inline bool is_stream_io(const struct sock *sk, int result, int flags,
					 enum direction direction)
{
	if (direction == DIRECTION_SEND)
		return result > 0;
	if (result < 0 || flags & (MSG_OOB | MSG_ERRQUEUE))
		return false;
	return result > 0 || (FIELD(sk, sk_shutdown) & RCV_SHUTDOWN && !(flags & MSG_PEEK));
}

/* Where both directions stood before the call. */
static __always_inline void locate(struct io_call *call, enum transport transport, bool peek)
{
	const struct stream_state *other = &call->state->streams[!call->direction];

	if (transport == TRANSPORT_TCP) {
		const struct tcp_sock *tcp = tcp_part(call->sk);
		__u32 sent = send_position(call->sk, tcp);
		__u32 received = receive_position(call->sk, tcp);

		call->sequence = call->direction == DIRECTION_SEND ? sent : received;
		call->peer_sequence = call->direction == DIRECTION_SEND ? received : sent;
		if (!peek)
			call->sequence -= call->bytes + bytes_behind();
	} else {
		call->sequence = call->stream->next;
		call->peer_sequence = other->next;
	}
	if (!call->state->tracked) {
		call->stream->next = call->sequence;
		call->state->streams[!call->direction].next = call->peer_sequence;
		call->state->tracked = 1;
	}
}

/* The direction turned: what the other one held back is whole. */
static __always_inline void turn(struct io_call *call)
{
	struct socket_state *state = call->state;

	call->turned = state->direction != 1 + call->direction;
	if (!call->turned)
		return;
	state->direction = 1 + call->direction;
	if (state->streams[!call->direction].held)
		total_flush(state, call->cookie, !call->direction);
	if (!state->opaque)
		return;
	if (++state->turns % QUIET_CHECK == 0 && bpf_map_lookup_elem(&quiet_connections, &call->cookie))
		state->quiet = 1;
}

static __always_inline void stream_end(struct io_call *call)
{
	struct socket_state *state = call->state;

	if (state->ended)
		return;
	totals_flush(state, call->cookie);
	state->ended = tell_call(call, opaque_flag(state));
}

/* UDP to port 53: every datagram is a turn. */
static __always_inline void datagram(struct io_call *call)
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
}

static __always_inline void move_bytes(struct io_call *call, enum transport transport, int flags)
{
	struct socket_state *state = call->state;

	if (transport == TRANSPORT_DNS) {
		datagram(call);
		return;
	}
	if (call->stream->next != call->sequence)
		tell_unseen(state, call->sequence, call->cookie, call->id, call->peer_sequence,
			    call->direction);
	call->stream->next = call->sequence + call->bytes;
	if (state->quiet) {
		sum_call(call, 0);
		return;
	}
	turn(call);
	if (flags & MSG_TRUNC)
		sum_call(call, 0);
	else
		inspect(call);
}

static __always_inline void stream_io(struct sock *sk, int result, int flags, enum direction direction)
{
	enum transport transport = transport_of(sk);
	struct io_call call = {};

	tls_socket_io(sk, result, flags, direction);
	if (transport == TRANSPORT_NONE)
		return;
	call.id = bpf_get_current_pid_tgid();
	if (hint_kinds && direction == DIRECTION_RECEIVE && result == -EAGAIN && transport == TRANSPORT_TCP)
		found_empty(sk, call.id);
	if (!is_stream_io(sk, result, flags, direction))
		return;
	if (!current_wanted(call.id) || !socket_wanted(sk, transport == TRANSPORT_UNIX))
		return;
	call.sk = sk;
	call.bytes = result;
	call.direction = direction;
	call.cookie = socket_cookie(sk);
	call.now = bpf_ktime_get_ns();
	call.state = state_of(sk, transport, call.cookie);
	if (!call.state) {
		tell_call(&call, EVENT_FLAG_OPAQUE | EVENT_FLAG_UNREADABLE);
		return;
	}
	if (transport == TRANSPORT_TCP && !in_sample(sk, call.state))
		return;
	call.stream = &call.state->streams[direction];
	call.state->active = 1;
	locate(&call, transport, flags & MSG_PEEK);
	if (!call.state->described)
		describe(sk, transport, call.state, call.id, 0, bpf_get_current_cgroup_id());
	if (hint_kinds && transport == TRANSPORT_TCP) {
		const struct event_io said = { .header = { .time_ns = call.now, .tgid = call.id >> 32 } };

		call.hinted = gather_hints(&call.hints, &said, call.state, direction);
	}
	if (result == 0)
		stream_end(&call);
	else if (flags & MSG_PEEK)
		tell_call(&call, EVENT_FLAG_PEEK | opaque_flag(call.state));
	else
		move_bytes(&call, transport, flags);
}

#endif
