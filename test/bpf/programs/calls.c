/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection to itself over loopback, and one exchange on it by the calls that are asked for:
 *
 *   calls PORT vectors|messages|messages-again|partial|uring|uring-worker
 *
 * The request is "GET /KIND HTTP/1.1" with a Host line, the response "HTTP/1.1 200 OK" with two bytes.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
static char request[128], big[8 << 20], buffer[1 << 16];
static int client, server;

static void check(long result, const char *what)
{
	if (result >= 0)
		return;
	perror(what);
	exit(1);
}

static void connect_pair(int port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	check(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), "setsockopt");
	check(bind(listener, (void *)&address, sizeof(address)), "bind");
	check(listen(listener, 1), "listen");
	client = socket(AF_INET, SOCK_STREAM, 0);
	check(connect(client, (void *)&address, sizeof(address)), "connect");
	check(server = accept(listener, 0, 0), "accept");
	for (int i = 0; i < 2; i++)
		setsockopt(i ? client : server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void take(int end, long left)
{
	while (left > 0) {
		long got = recv(end, buffer, sizeof(buffer), 0);

		check(got - 1, "recv");
		left -= got;
	}
}

static void vectors(void)
{
	struct iovec out[] = { { request, 4 }, { request + 4, strlen(request) - 4 } };
	struct iovec in[] = { { buffer, 3 }, { buffer + 3, 100 } };

	check(pwritev2(client, out, 2, -1, 0), "pwritev2");
	check(preadv2(server, in, 2, -1, 0), "preadv2");
	out[0] = (struct iovec){ (void *)response, 17 };
	out[1] = (struct iovec){ (void *)response + 17, strlen(response) - 17 };
	check(writev(server, out, 2), "writev");
	check(readv(client, in, 2), "readv");
}

/* @again: the counts hold what an earlier call left there */
static void messages(int again)
{
	struct iovec pieces[] = { { request, strlen(request) }, { "body one", 8 }, { "body two", 8 } };
	struct mmsghdr out[3] = {}, in[2] = {};
	struct iovec into[] = { { buffer, strlen(request) }, { buffer + 1024, 8 } };

	for (int i = 0; i < 3; i++) {
		out[i].msg_hdr.msg_iov = &pieces[i];
		out[i].msg_hdr.msg_iovlen = 1;
		out[i].msg_len = again;
	}
	for (int i = 0; i < 2; i++) {
		in[i].msg_hdr.msg_iov = &into[i];
		in[i].msg_hdr.msg_iovlen = 1;
		in[i].msg_len = again;
	}
	check(sendmmsg(client, out, 3, 0) - 3, "sendmmsg");
	check(recvmmsg(server, in, 2, 0, 0) - 2, "recvmmsg");
	take(server, 8);
	check(send(server, response, strlen(response), 0), "send");
	take(client, strlen(response));
}

/* A send that takes less than it is offered, and one that takes nothing. */
static void partial(void)
{
	long sent = 0, got;

	memcpy(big, request, strlen(request));
	do {
		got = send(client, big + sent, sizeof(big) - sent, MSG_DONTWAIT);
		if (got > 0)
			sent += got;
	} while (got > 0);
	if (errno != EAGAIN || sent >= (long)sizeof(big))
		exit(1);
	check(recv(server, buffer, 5, MSG_PEEK), "recv");
	take(server, sent);
	check(send(server, response, strlen(response), 0), "send");
	take(client, strlen(response));
}

static struct {
	int fd;
	unsigned *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
} ring;

static void *map_ring(size_t size, off_t what)
{
	void *at = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.fd, what);

	check(at == MAP_FAILED ? -1 : 0, "mmap");
	return at;
}

static void open_ring(void)
{
	struct io_uring_params parameters = {};
	char *sq, *cq;

	ring.fd = syscall(SYS_io_uring_setup, 4, &parameters);
	check(ring.fd, "io_uring_setup");
	sq = map_ring(parameters.sq_off.array + parameters.sq_entries * sizeof(unsigned), IORING_OFF_SQ_RING);
	cq = map_ring(parameters.cq_off.cqes + parameters.cq_entries * sizeof(struct io_uring_cqe),
		      IORING_OFF_CQ_RING);
	ring.sqes = map_ring(parameters.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	ring.sq_tail = (void *)(sq + parameters.sq_off.tail);
	ring.sq_mask = (void *)(sq + parameters.sq_off.ring_mask);
	ring.sq_array = (void *)(sq + parameters.sq_off.array);
	ring.cq_head = (void *)(cq + parameters.cq_off.head);
	ring.cq_tail = (void *)(cq + parameters.cq_off.tail);
	ring.cqes = (void *)(cq + parameters.cq_off.cqes);
}

static long submit(int operation, int end, const void *bytes, unsigned size, int flags)
{
	unsigned tail = *ring.sq_tail, index = tail & *ring.sq_mask;
	struct io_uring_sqe *entry = &ring.sqes[index];
	long result;

	memset(entry, 0, sizeof(*entry));
	entry->opcode = operation;
	entry->flags = flags;
	entry->fd = end;
	entry->addr = (unsigned long)bytes;
	entry->len = size;
	ring.sq_array[index] = index;
	atomic_thread_fence(memory_order_release);
	*ring.sq_tail = tail + 1;
	check(syscall(SYS_io_uring_enter, ring.fd, 1, 1, IORING_ENTER_GETEVENTS, 0, 0), "io_uring_enter");
	atomic_thread_fence(memory_order_acquire);
	result = ring.cqes[*ring.cq_head & 7].res;
	*ring.cq_head += 1;
	return result;
}

static void uring(int flags)
{
	open_ring();
	check(submit(IORING_OP_SEND, client, request, strlen(request), flags), "send by ring");
	take(server, strlen(request));
	check(send(server, response, strlen(response), 0), "send");
	check(submit(IORING_OP_RECV, client, buffer, sizeof(buffer), flags), "recv by ring");
	check(send(client, request, strlen(request), 0), "send");
	take(server, strlen(request));
}

int main(int count, char **arguments)
{
	const char *kind = count > 2 ? arguments[2] : "";

	snprintf(request, sizeof(request), "GET /%s HTTP/1.1\r\nHost: a\r\n\r\n", kind);
	connect_pair(atoi(arguments[1]));
	if (!strcmp(kind, "vectors"))
		vectors();
	else if (!strcmp(kind, "messages"))
		messages(0);
	else if (!strcmp(kind, "messages-again"))
		messages(1);
	else if (!strcmp(kind, "partial"))
		partial();
	else if (!strcmp(kind, "uring"))
		uring(0);
	else if (!strcmp(kind, "uring-worker"))
		uring(IOSQE_ASYNC);
	else
		return 2;
	return 0;
}
