/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * blast ADDRESS PORT SECONDS: sends 64-byte UDP datagrams as fast as one core can and prints how
 * many were taken per second. Bounded in time; for the bench's own namespaces.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

static double
now (void)
{
    struct timespec t;

    clock_gettime (CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

int
main (int argc, char *argv[])
{
    struct sockaddr_in to = { .sin_family = AF_INET };
    const char payload[64] = { 0 };
    double start, end, seconds;
    unsigned long sent = 0;
    int fd = socket (AF_INET, SOCK_DGRAM, 0);

    if (argc != 4 || inet_pton (AF_INET, argv[1], &to.sin_addr) != 1 || fd < 0)
        return 2;
    to.sin_port = htons (atoi (argv[2]));
    seconds = atof (argv[3]);
    if (seconds <= 0 || seconds > 30 || connect (fd, (struct sockaddr *) &to, sizeof to) < 0)
        return 2;
    start = now ();
    do {
        for (int i = 0; i < 256; i++)
            sent += send (fd, payload, sizeof payload, 0) == sizeof payload;
        end = now ();
    } while (end - start < seconds);
    printf ("%.0f\n", sent / (end - start));
    return 0;
}
