/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts short processes at a rate: processes RATE SECONDS. Each sends and receives once, and
 * ends. Prints how many did. Used by bench/faults/overload.ts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static void live(void)
{
	int ends[2];
	char byte = 'x';

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) || write(ends[0], &byte, 1) != 1 ||
	    read(ends[1], &byte, 1) != 1)
		_exit(1);
	_exit(0);
}

int main(int count, char **arguments)
{
	double rate = count > 2 ? atof(arguments[1]) : 0;
	double seconds = count > 2 ? atof(arguments[2]) : 0;
	double begin = now();
	long started = 0;
	long failed = 0;
	int status;

	for (double passed = 0; passed < seconds; passed = now() - begin) {
		if (started >= passed * rate) {
			usleep(200);
			continue;
		}
		/* Page tables are not copied: that would be most of the cost, and none of the recorder's. */
		pid_t child = vfork();

		if (child == 0)
			live();
		if (child > 0)
			started++;
		while (waitpid(-1, &status, WNOHANG) > 0)
			failed += status != 0;
	}
	while (wait(&status) > 0)
		failed += status != 0;
	printf("%ld\n", started - failed);
	return 0;
}
