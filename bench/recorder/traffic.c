/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traffic of one kind in a tight loop, from one thread to itself over loopback: the least that a
 * socket event costs. Used by bench/recorder.ts.
 *
 *   traffic small-head|big-head|body|opaque|getpid|null-write ROUNDS [RATE]
 *
 * A round is four socket events: request sent and received, response sent and received. With RATE,
 * so many of these a second at most.
 * Prints the CPU time of a round in ns.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BODY 1000

static char buffer[1 << 16];

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void transfer(int from, int to, const char *bytes, size_t size)
{
	size_t got = 0;

	if (send(from, bytes, size, 0) != (ssize_t)size)
		fail("send");
	while (got < size) {
		ssize_t result = recv(to, buffer, sizeof(buffer), 0);

		if (result <= 0)
			fail("recv");
		got += result;
	}
}

static void connect_pair(int ends[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int one = 1;

	if (bind(listener, (void *)&address, length) || listen(listener, 1) ||
	    getsockname(listener, (void *)&address, &length))
		fail("listen");
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(ends[0], (void *)&address, length))
		fail("connect");
	ends[1] = accept(listener, 0, 0);
	for (int i = 0; i < 2; i++)
		setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static double monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static double cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

/* Waits until a round is due. */
static void pace(long round, double rate, double start)
{
	double early = start + round * 4 / rate - monotonic();

	if (early > 0)
		usleep(early * 1e6);
}

int main(int count, char **arguments)
{
	static char body[BODY];
	char request[2048], response[2048], padding[1024];
	const char *kind = count > 2 ? arguments[1] : "";
	long rounds = count > 2 ? atol(arguments[2]) : 0;
	int null = open("/dev/null", O_WRONLY);
	double rate = count > 3 ? atof(arguments[3]) : 0;
	int ends[2];
	double start, begin;

	memset(padding, 'a', sizeof(padding));
	padding[strcmp(kind, "big-head") ? 20 : 760] = 0;
	snprintf(request, sizeof(request), "GET /items/42 HTTP/1.1\r\nHost: localhost\r\nX-Pad: %s\r\n\r\n", padding);
	snprintf(response, sizeof(response), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Pad: %s\r\n\r\nhello", padding);
	if (!strcmp(kind, "opaque")) {
		strcpy(request, "*2\r\n$3\r\nGET\r\n$5\r\nhello\r\n");
		strcpy(response, "$5\r\nworld\r\n");
	}
	connect_pair(ends);
	transfer(ends[0], ends[1], request, strlen(request));
	transfer(ends[1], ends[0], response, strlen(response));
	start = cpu_ns();
	begin = monotonic();
	for (long i = 0; i < rounds; i++) {
		if (rate > 0 && i % 64 == 0)
			pace(i, rate, begin);
		if (!strcmp(kind, "getpid")) {
			syscall(SYS_getpid);
		} else if (!strcmp(kind, "null-write")) {
			if (write(null, body, 1) != 1)
				fail("write");
		} else if (!strcmp(kind, "body")) {
			transfer(ends[1], ends[0], body, sizeof(body));
			transfer(ends[1], ends[0], body, sizeof(body));
		} else {
			transfer(ends[0], ends[1], request, strlen(request));
			transfer(ends[1], ends[0], response, strlen(response));
		}
	}
	printf("%.1f\n", (cpu_ns() - start) / (rounds ? rounds : 1));
	return 0;
}
