/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/* The library side of TLS: calls that take or give plaintext. */
#ifndef AFTERTRACE_TLS_H
#define AFTERTRACE_TLS_H

#include "io.h"
#include "tls-socket.h"
#include "tls-state.h"

/* "PRI * HT", how a connection of HTTP/2 begins (RFC 9113, section 3.4). */
#define HTTP2_PREFACE 0x5448202a20495250ULL
#define HTTP2_PREFACE_BYTES 24

static __always_inline bool tls_is_send(__u64 cookie)
{
	return cookie & TLS_COOKIE_SEND;
}

/* Remembers the arguments, which are gone when the call returns. */
static __always_inline void tls_called(struct pt_regs *regs, __u64 cookie)
{
	struct tls_thread *thread;

	if (!current_wanted(bpf_get_current_pid_tgid()))
		return;
	thread = tls_thread(true);
	if (!thread)
		return;
	/* A function that calls another one that is probed: the inner one counts. */
	thread->session = function_argument(regs, 0);
	thread->buffer = function_argument(regs, 1);
	thread->moved =
		cookie >> TLS_COOKIE_RESULT_SHIFT == TLS_RESULT_OUT ? function_argument(regs, 3) : 0;
	thread->direction = tls_is_send(cookie) ? DIRECTION_SEND : DIRECTION_RECEIVE;
	thread->nested.connection = 0;
}

/* Plaintext bytes that the call moved; 0 if none. */
static __always_inline __u32 tls_moved(const struct tls_thread *thread, long result, __u64 cookie)
{
	__u64 moved = 0;

	switch (cookie >> TLS_COOKIE_RESULT_SHIFT) {
	case TLS_RESULT_INT:
		return (int)result > 0 ? (int)result : 0;
	case TLS_RESULT_LONG:
		return result > 0 ? result : 0;
	}
	if ((int)result != 1 || bpf_probe_read_user(&moved, sizeof(moved), (const void *)thread->moved))
		return 0;
	return moved;
}

/* First bytes of the plaintext, zeros behind; length is how many are valid. */
static __always_inline __u64 tls_first_word(struct io_scratch *scratch, const struct user_buffer *buffer,
					    __u32 bytes, __u32 *length)
{
	__u64 word = 0;

	if (bytes >= HEAD_WORD) {
		*length = bpf_probe_read_user(&word, sizeof(word), buffer->plain.base) ? 0 : HEAD_WORD;
		return word;
	}
	*length = read_buffer(scratch, buffer, bytes);
	__builtin_memcpy(&word, scratch->payload, HEAD_WORD);
	return mask_word(word, *length);
}

/* Keeps what the head may still use of these bytes. Returns the payload length. */
static __always_inline __u32 tls_keep(struct io_scratch *scratch, struct stream_state *stream,
				      const struct user_buffer *buffer, __u32 bytes)
{
	__u32 wanted = bytes < stream->budget ? bytes : stream->budget;
	__u32 kept = read_buffer(scratch, buffer, wanted);

	stream->tail = tail_of(stream, scratch->payload, kept);
	if (kept < wanted) {
		stream->budget = 0;
		scratch->event.header.flags |= EVENT_FLAG_UNREADABLE;
		count_unreadable();
	} else if (kept < bytes) {
		stream->budget = 0;
		scratch->event.header.flags |= EVENT_FLAG_TRUNCATED;
	} else {
		stream->budget = stream->tail == CRLF_CRLF ? 0 : stream->budget - kept;
	}
	return kept;
}

/* The bytes of a message head, as inspect() keeps those of a socket; of the rest, none. */
static __always_inline __u32 tls_keep_head(struct io_scratch *scratch, struct tls_session *session,
					   enum direction direction, const void *base, __u32 bytes)
{
	struct stream_state *stream = &session->streams[direction];
	struct user_buffer buffer = { .kind = BUFFER_PLAIN, .plain = { .base = base, .length = bytes } };
	bool pending = stream->start_length > 0, joined;
	enum head_match match;
	__u32 length;
	__u64 word = tls_first_word(scratch, &buffer, bytes, &length);

	match = match_start(stream, &session->starts[direction], word, length, &joined);
	if (match == HEAD_YES)
		session->http = 1;
	if (word == HTTP2_PREFACE && bytes >= HTTP2_PREFACE_BYTES) {
		/* Not read any further, but said: user space names it and forgets the bytes. */
		scratch->event.header.flags |= EVENT_FLAG_TURN;
		return read_buffer(scratch, &buffer, HTTP2_PREFACE_BYTES);
	}
	if (match == HEAD_NO && pending)
		stream->budget = 0;
	if (match != HEAD_NO && !joined) {
		length = read_buffer(scratch, &buffer, bytes <= STATUS_AT ? bytes : STATUS_AT + 1);
		stream->budget = head_budget(word, scratch->payload, length);
		stream->tail = 0;
		scratch->event.header.flags |= EVENT_FLAG_HEAD;
	}
	if (stream->budget == 0 && match == HEAD_NO)
		return 0;
	return tls_keep(scratch, stream, &buffer, bytes);
}

/* Puts the record together. Returns its payload length. */
static __always_inline __u32 tls_fill(struct io_scratch *scratch, const struct tls_thread *thread,
				      struct tls_session *session, enum direction direction, __u32 bytes)
{
	struct event_io *event = &scratch->event;
	__u32 kept;

	fill_header(&event->header, direction == DIRECTION_SEND ? EVENT_SEND : EVENT_RECEIVE,
		    session->place.connection, bpf_get_current_pid_tgid(), sizeof(*event));
	event->header.flags = EVENT_FLAG_TLS;
	event->bytes = bytes;
	event->offset = session->plain[direction];
	event->peer_sequence = session->plain[!direction];
	if (direction == DIRECTION_RECEIVE)
		event->sequence = session->place.received;
	else if (session->is_unfinished)
		event->sequence = session->unfinished;
	else
		event->sequence = thread->nested.connection ? thread->nested.first : session->place.sent;
	session->is_unfinished = 0;
	session->plain[direction] += bytes;
	kept = tls_keep_head(scratch, session, direction,
			     (const void *)thread->buffer, bytes);
	if (!session->http && (!kept || event->header.flags & EVENT_FLAG_TURN))
		event->header.flags |= EVENT_FLAG_OPAQUE;
	return kept;
}

/* Keeps a record until a send shows whose it is. */
static __always_inline void tls_wait(struct io_scratch *scratch, struct tls_thread *thread, __u64 name,
				     __u32 kept)
{
	struct tls_waiting_key key = { .tid = (__u32)bpf_get_current_pid_tgid() };

	if (kept > TLS_WAITING_BYTES) {
		kept = TLS_WAITING_BYTES;
		scratch->event.header.flags |= EVENT_FLAG_TRUNCATED;
	}
	scratch->event.header.size = sizeof(struct event_io) + kept;
	for (__u32 slot = 0; slot < TLS_WAITING_MAX; slot++) {
		if (thread->waiting.slots[slot].session)
			continue;
		key.slot = slot;
		if (bpf_map_update_elem(&tls_waiting_records, &key, &scratch->event, BPF_ANY))
			break;
		thread->waiting.slots[slot].session = name;
		thread->waiting.slots[slot].bytes = scratch->event.bytes;
		thread->waiting_count++;
		return;
	}
	count_loss(LOSS_TLS_UNJOINED);
}

/* The last receive of this thread, if its socket is not known to carry another session. */
static __always_inline void tls_vote(const struct tls_session_key *key, struct tls_session *session,
				     struct tls_thread *thread)
{
	const struct tls_place *place = &thread->received;

	if (!place->connection || (thread->received_owner && thread->received_owner != key->session))
		return;
	if (session->place.connection == place->connection) {
		if (session->votes < TLS_VOTES_MAX)
			session->votes++;
		return;
	}
	if (session->place.connection && !session->closed && session->votes > 1) {
		session->votes--;
		return;
	}
	tls_settle(key, session, place);
	/* What this session wrote was sent by then, who knows where. */
	if (thread->waiting_count)
		tls_send_waiting(thread, key->session, place);
}

/* Finds out which connection the call was about, from the socket calls within it or around it. */
static __always_inline void tls_join(const struct tls_session_key *key, struct tls_session *session,
				     struct tls_thread *thread, enum direction direction)
{
	if (thread->nested.connection) {
		tls_settle(key, session, &thread->nested);
		session->nested = 1;
	} else if (direction == DIRECTION_RECEIVE && !session->nested) {
		tls_vote(key, session, thread);
	}
}

/* A write that was not finished is called again: its first bytes may be on their way. */
static __always_inline void tls_note_unfinished(const struct tls_session_key *key,
						struct tls_thread *thread)
{
	struct tls_session *session = tls_session(key);

	if (!session)
		return;
	tls_settle(key, session, &thread->nested);
	session->nested = 1;
	if (!session->is_unfinished)
		session->unfinished = thread->nested.first;
	session->is_unfinished = 1;
}

static __always_inline void tls_returned(long result, __u64 cookie)
{
	struct tls_session_key key = {};
	__u64 id = bpf_get_current_pid_tgid();
	struct tls_thread *thread = tls_thread(false);
	struct tls_session *session;
	struct io_scratch *scratch;
	enum direction direction;
	__u32 slot = 0, bytes, kept;

	if (!thread || !thread->session)
		return;
	key.session = thread->session;
	key.tgid = id >> 32;
	thread->session = 0;
	direction = thread->direction & 1;
	bytes = tls_moved(thread, result, cookie);
	if (!bytes) {
		if (direction == DIRECTION_SEND && thread->nested.connection)
			tls_note_unfinished(&key, thread);
		return;
	}
	session = tls_session(&key);
	scratch = bpf_map_lookup_elem(&tls_scratches, &slot);
	if (!session || !scratch)
		return;
	tls_join(&key, session, thread, direction);
	kept = tls_fill(scratch, thread, session, direction, bytes);
	asm volatile("" : "+r"(kept));
	if (kept > EVENT_PAYLOAD_MAX)
		return;
	scratch->event.header.size = sizeof(struct event_io) + kept;
	if (session->place.connection && !session->closed) {
		if (session->place.wanted)
			emit(&scratch->event, sizeof(struct event_io) + kept);
	} else if (direction == DIRECTION_SEND) {
		tls_wait(scratch, thread, key.session, kept);
	} else {
		count_loss(LOSS_TLS_UNJOINED);
	}
}

/* The library's object is gone, or begins again: its address says nothing any more. */
static __always_inline void tls_forget(__u64 name)
{
	struct tls_session_key key = { .session = name, .tgid = bpf_get_current_pid_tgid() >> 32 };
	struct tls_session *session = bpf_map_lookup_elem(&tls_sessions, &key);
	__u64 connection;

	if (!session)
		return;
	connection = session->place.connection;
	bpf_map_delete_elem(&tls_owners, &connection);
	bpf_map_delete_elem(&tls_sessions, &key);
}

#endif
