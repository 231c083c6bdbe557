/* SPDX-License-Identifier: (GPL-2.0 OR Apache-2.0) */
/*
 * The socket side of TLS: what threads that use a TLS library do with sockets. A socket call within
 * a library call is its own (curl, nginx, Python). Libraries that work on memory (Node) are
 * joined by neighbourhood: plaintext that was read came with the thread's last receive, and
 * plaintext that was written leaves with its next send that could hold it.
 */
#ifndef AFTERTRACE_TLS_SOCKET_H
#define AFTERTRACE_TLS_SOCKET_H

#include "budget.h"
#include "connection.h"
#include "emit.h"
#include "filter.h"
#include "tls-state.h"
#include "user-buffer.h"

/* TLS records: RFC 8446, section 5.1. */
#define TLS_HEADER_BYTES 5
#define TLS_FIRST_TYPE 20
#define TLS_APPLICATION_DATA 23
#define TLS_RECORD_MAX 16384
/* What encryption adds to the plaintext of a record: tag, nonce, content type, padding of CBC. */
#define TLS_ADDED_LEAST 16
#define TLS_ADDED_MOST 112
/* Records of one send that are looked at. */
#define TLS_RECORDS_MAX 8

static __always_inline void tls_where(struct tls_place *place, const struct sock *sk, int result,
				      enum direction direction)
{
	place->connection = socket_cookie(sk);
	place->wanted = 0;
	place->sent = place->received = place->first = 0;
	if (!is_tcp(sk))
		return;
	place->sent = send_position(sk, tcp_part(sk));
	place->received = receive_position(sk, tcp_part(sk));
	place->first = direction == DIRECTION_SEND ? place->sent - result : 0;
	place->wanted = ports_wanted(sk) && (!sampling() || sample_key(sk) < sample_limit);
}

/* From now on the session's connection is this one. */
static __always_inline void tls_settle(const struct tls_session_key *key, struct tls_session *session,
				       const struct tls_place *place)
{
	if (session->place.connection && session->place.connection != place->connection) {
		__u64 old = session->place.connection;

		bpf_map_delete_elem(&tls_owners, &old);
	}
	if (session->place.connection != place->connection) {
		__u64 connection = place->connection;

		bpf_map_update_elem(&tls_owners, &connection, key, BPF_ANY);
	}
	session->place = *place;
	session->votes = 1;
	session->closed = 0;
}

/* Sends off what waited for this session's connection. */
static __always_inline void tls_send_waiting(struct tls_thread *thread, __u64 name,
					     const struct tls_place *place)
{
	struct tls_waiting_key key = { .tid = (__u32)bpf_get_current_pid_tgid() };

	for (__u32 slot = 0; slot < TLS_WAITING_MAX; slot++) {
		struct tls_waiting_record *record;
		__u64 kept;

		if (thread->waiting.slots[slot].session != name)
			continue;
		thread->waiting.slots[slot].session = 0;
		if (thread->waiting_count)
			thread->waiting_count--;
		key.slot = slot;
		record = bpf_map_lookup_elem(&tls_waiting_records, &key);
		if (!record) {
			count_loss(LOSS_TLS_UNJOINED);
			continue;
		}
		record->event.header.connection = place->connection;
		record->event.sequence = place->first;
		kept = record->event.header.size - sizeof(record->event);
		asm volatile("" : "+r"(kept));
		if (place->wanted && kept <= TLS_WAITING_BYTES)
			emit(record, sizeof(record->event) + kept);
		bpf_map_delete_elem(&tls_waiting_records, &key);
	}
}

/* Bit i: a record of this length could hold the plaintext in slot i. A global function: verified once. */
__noinline __u32 tls_fitting(const struct tls_waiting_list *waiting, __u32 length)
{
	__u32 fits = 0;

	if (!waiting)
		return 0;
	for (__u32 slot = 0; slot < TLS_WAITING_MAX; slot++) {
		__u32 plain = waiting->slots[slot].bytes;

		if (plain > TLS_RECORD_MAX)
			plain = TLS_RECORD_MAX;
		if (waiting->slots[slot].session && length >= plain + TLS_ADDED_LEAST &&
		    length <= plain + TLS_ADDED_MOST)
			fits |= 1 << slot;
	}
	return fits;
}

/* The slots whose plaintext could be in the TLS records of a buffer; 0 where it holds anything else. */
__noinline __u32 tls_carried_slots(const struct tls_waiting_list *waiting, __u64 base, __u32 left)
{
	__u32 fits = 0;

	for (int i = 0; i < TLS_RECORDS_MAX; i++) {
		__u8 header[TLS_HEADER_BYTES];
		__u32 length;

		if (left < sizeof(header))
			break;
		if (bpf_probe_read_user(header, sizeof(header), (const void *)base) || header[1] != 3 ||
		    header[0] < TLS_FIRST_TYPE || header[0] > TLS_APPLICATION_DATA)
			return 0;
		length = (__u32)header[3] << 8 | header[4];
		if (header[0] == TLS_APPLICATION_DATA)
			fits |= tls_fitting(waiting, length);
		length += sizeof(header);
		if (length >= left)
			break;
		base += length;
		left -= length;
	}
	return fits;
}

/* A send outside any library call, on a thread with plaintext that waits: does it carry that? */
static __always_inline void tls_offer_send(struct tls_thread *thread, const struct tls_place *place,
					   __u32 bytes)
{
	struct tls_session_key key = { .tgid = bpf_get_current_pid_tgid() >> 32 };
	struct tls_session *session;
	struct user_buffer buffer;
	__u32 fits, left;

	find_buffer(&buffer, bytes);
	if (buffer.kind != BUFFER_PLAIN && buffer.kind != BUFFER_PIECES)
		return;
	left = buffer.plain.length < bytes ? buffer.plain.length : bytes;
	fits = tls_carried_slots(&thread->waiting, (__u64)buffer.plain.base, left);
	for (__u32 slot = 0; slot < TLS_WAITING_MAX && !key.session; slot++)
		if (fits >> slot & 1)
			key.session = thread->waiting.slots[slot].session;
	session = bpf_map_lookup_elem(&tls_sessions, &key);
	if (!session)
		return;
	tls_settle(&key, session, place);
	tls_send_waiting(thread, key.session, place);
}

/* A socket call of a thread that uses a TLS library. */
static __noinline int tls_thread_io(struct tls_thread *thread, const struct sock *sk, int result,
				    enum direction direction)
{
	struct tls_session *session;
	struct tls_place place;
	__u64 owner;

	tls_where(&place, sk, result, direction);
	if (thread->session) {
		if (direction != thread->direction)
			return 0;
		if (direction == DIRECTION_SEND && thread->nested.connection == place.connection)
			place.first = thread->nested.first;
		thread->nested = place;
		return 0;
	}
	session = tls_carried(place.connection, &owner);
	if (session) {
		session->place.sent = place.sent;
		session->place.received = place.received;
	}
	if (direction == DIRECTION_RECEIVE) {
		thread->received = place;
		thread->received_owner = owner;
	} else if (thread->waiting_count && !owner) {
		tls_offer_send(thread, &place, result);
	}
	return 0;
}

/*
 * Every socket call of every thread, filters or not: a call on a socket that is not recorded must
 * not be taken for none.
 */
static __always_inline void tls_socket_io(const struct sock *sk, int result, int flags,
					  enum direction direction)
{
	struct tls_thread *thread;

	if (!tls_enabled || result <= 0 || flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE))
		return;
	thread = tls_thread(false);
	if (unlikely(thread))
		tls_thread_io(thread, sk, result, direction);
}

/* Its sessions may go on to read what they hold; a new connection with this session is another one. */
static __always_inline void tls_socket_closed(const struct sock *sk)
{
	struct tls_session *session;
	__u64 connection, owner;

	if (!tls_enabled)
		return;
	connection = socket_cookie(sk);
	session = tls_carried(connection, &owner);
	if (session)
		session->closed = 1;
	bpf_map_delete_elem(&tls_owners, &connection);
}

#endif
