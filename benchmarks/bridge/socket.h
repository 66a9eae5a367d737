/* The load's sockets: one poller, one room to read into, frames in and out. It knows both ends of a
 * bridge by name alone; `phone.h` and `speech.h` know what they say. */
#pragma once
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "websocket.h"

enum { ROOM = 1 << 18 };

typedef struct Socket {
    int fd, call, upgraded; /* call: of a phone; -1 of a speech service */
    int speaking, known, said;
    char context[48];
    size_t held;
    char *part; /* of a frame that has not come whole, `held` bytes */
} Socket;

static int poller;
static uint64_t broken;

/* What a socket's owner does: when it may speak WebSocket, and with a message. */
static void on_open(Socket *socket);
static void on_message(Socket *socket, WsFrame *frame, uint64_t at);

static uint64_t in_ns(struct timespec t) { return t.tv_sec * 1000000000ull + t.tv_nsec; }

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return in_ns(t);
}

/* The clock by which the kernel tells when something came. */
static uint64_t wall(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return in_ns(t);
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static Socket *watch(int fd, int call) {
    Socket *socket = calloc(1, sizeof *socket);
    *socket = (Socket){.fd = fd, .call = call};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = socket};
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (call >= 0) setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
    return socket;
}

static void put(Socket *socket, const char *data, size_t size) {
    if (send(socket->fd, data, size, MSG_NOSIGNAL) != (ssize_t)size) broken++;
}

static void put_text(Socket *socket, const char *text, size_t size) {
    static char frame[1 << 12];
    put(socket, frame, ws_frame(frame, text, size, socket->call >= 0));
}

/* `*at` becomes the time at which the last byte came to the socket, by the kernel: not when this
 * program, which has others to serve, and whose core may be taken away, came to read it. */
static ssize_t take(int fd, void *room, size_t size, uint64_t *at) {
    char control[CMSG_SPACE(sizeof(struct timespec))];
    struct iovec place = {room, size};
    struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1, .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t taken = recvmsg(fd, &message, 0);
    struct cmsghdr *told = taken > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    struct timespec came;
    if (told && told->cmsg_type == SCM_TIMESTAMPNS) memcpy(&came, CMSG_DATA(told), sizeof came);
    *at = told && told->cmsg_type == SCM_TIMESTAMPNS ? in_ns(came) : wall();
    return taken;
}

static size_t read_head(Socket *socket, char *data, size_t size) {
    char *end = memmem(data, size, "\r\n\r\n", 4), answer[256];
    if (!end) return 0;
    if (socket->call < 0) put(socket, answer, ws_accept(data, size, answer));
    else if (memcmp(data, "HTTP/1.1 101", 12)) {
        fprintf(stderr, "refused: %.40s\n", data);
        exit(1);
    }
    socket->upgraded = 1;
    on_open(socket);
    return (size_t)(end + 4 - data);
}

static void on_frame(Socket *socket, WsFrame *frame, uint64_t at) {
    char pong[256];
    if (frame->opcode == 9)
        put(socket, pong, ws_frame_of(pong, 10, frame->text, frame->size, socket->call >= 0));
    else if (frame->opcode == 8) broken++;
    else on_message(socket, frame, at);
}

static void keep(Socket *socket, const char *data, size_t size) {
    if (size) memcpy(socket->part = realloc(socket->part, size), data, size);
    socket->held = size;
}

static void on_readable(Socket *socket) {
    static char room[ROOM];
    size_t held = socket->held, done = 0;
    uint64_t at;
    WsFrame frame;
    if (held) memcpy(room, socket->part, held);
    ssize_t size = take(socket->fd, room + held, ROOM - held, &at);
    if (size <= 0) {
        if (size < 0 && errno == EAGAIN) return;
        broken++;
        close(socket->fd);
        return;
    }
    held += (size_t)size;
    if (socket->upgraded || (done = read_head(socket, room, held)))
        for (; ws_read((unsigned char *)room + done, held - done, &frame); done += frame.whole)
            on_frame(socket, &frame, at);
    keep(socket, room + done, held - done);
}
