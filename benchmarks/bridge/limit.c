/* What a bridge costs that does nothing but forward, in one thread of C: the limit of this machine.
 * It opens a connection to the speech service for every call, and knows no errors.
 *
 *   limit SPEECH_PORT     prints the port it listens on */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "websocket.h"

typedef struct Socket {
    int fd, speech, upgraded;
    size_t held;
    struct Socket *other;
    char sid[40];
    unsigned char buffer[8192];
} Socket;

static int poller, speech_port;

static const char HELLO[] = "{\"transcript\":\"Hello. \",\"context_id\":\"call\",\"force\":true}";

static Socket *watch(int fd, int speech) {
    Socket *socket = calloc(1, sizeof *socket);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = socket};
    int one = 1;
    socket->fd = fd;
    socket->speech = speech;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    return socket;
}

static void put(Socket *socket, const char *data, size_t size) {
    if (send(socket->fd, data, size, MSG_NOSIGNAL) < 0) perror("send");
}

static void say(Socket *service) {
    char frame[256];
    put(service, frame, ws_frame(frame, HELLO, sizeof HELLO - 1, 1));
}

static void open_speech(Socket *phone) {
    static const char head[] = "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)speech_port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (void *)&address, sizeof address)) { perror("connect"); exit(1); }
    phone->other = watch(fd, 1);
    phone->other->other = phone;
    put(phone->other, head, sizeof head - 1);
}

static void on_text(Socket *socket, char *text, size_t size) {
    char *found;
    if (!socket->speech) {
        if (!socket->other && (found = memmem(text, size, "\"streamSid\":\"", 13))) {
            memcpy(socket->sid, found + 13, 34);
            open_speech(socket);
        }
        return;
    }
    if ((found = memmem(text, size, "\"audio\":\"", 9))) {
        char json[4096], frame[4096 + 16];
        size_t length = (size_t)((char *)memchr(found + 9, '"', (size_t)(text + size - found - 9)) - found - 9);
        int n = snprintf(json, sizeof json, "{\"event\":\"media\",\"streamSid\":\"%s\",\"media\":{\"payload\":\"%.*s\"}}",
                         socket->other->sid, (int)length, found + 9);
        put(socket->other, frame, ws_frame(frame, json, (size_t)n, 0));
    }
    if (memmem(text, size, "\"final\":true", 12)) say(socket);
}

static size_t heads(Socket *socket) {
    char answer[256], *end = memmem(socket->buffer, socket->held, "\r\n\r\n", 4);
    if (!end) return 0;
    if (socket->speech) say(socket);
    else put(socket, answer, ws_accept((char *)socket->buffer, socket->held, answer));
    socket->upgraded = 1;
    return (size_t)(end + 4 - (char *)socket->buffer);
}

static void on_readable(Socket *socket) {
    ssize_t size = recv(socket->fd, socket->buffer + socket->held, sizeof socket->buffer - socket->held, 0);
    size_t done = 0;
    WsFrame frame;
    if (size <= 0) { close(socket->fd); return; }
    socket->held += (size_t)size;
    if (!socket->upgraded && !(done = heads(socket))) return;
    while (ws_read(socket->buffer + done, socket->held - done, &frame)) {
        on_text(socket, frame.text, frame.size);
        done += frame.whole;
    }
    memmove(socket->buffer, socket->buffer + done, socket->held - done);
    socket->held -= done;
}

int main(int argc, char **argv) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), count;
    struct epoll_event events[256], event = {.events = EPOLLIN, .data.ptr = NULL};
    if (argc != 2 || bind(listener, (void *)&address, length) || listen(listener, 4096)) return 1;
    speech_port = atoi(argv[1]);
    getsockname(listener, (void *)&address, &length);
    poller = epoll_create1(0);
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    printf("{\"port\": %d}\n", ntohs(address.sin_port));
    fflush(stdout);
    while ((count = epoll_wait(poller, events, 256, -1)) >= 0)
        for (int i = 0; i < count; i++)
            if (events[i].data.ptr) on_readable(events[i].data.ptr);
            else watch(accept(listener, NULL, NULL), 0);
    return 1;
}
