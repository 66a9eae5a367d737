/* The load on a bridge, from one thread: as Twilio it sends each call 50 frames of the callee a
 * second, as the speech service 5 chunks of speech, each with the time at which it was sent in its
 * first samples. What a bridge forwards unchanged comes back with that time.
 *
 *   load CALLS SECONDS < targets > events
 *
 * A target is a line: a port and the head of an HTTP request, its line ends written as "\n".
 * Prints {"speech_port": …}, then, once all calls are up and warm, {"measuring": true}, and at the
 * end one line of figures, times in microseconds. Its own lateness is among them. */
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
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include "websocket.h"

enum { FRAME = 160, CHUNK = 1600, SENTENCE = 30, MARKS = 32, BUFFER = 1 << 16 };
#define TICK 20000000ull   /* ns between two frames of the callee */
#define BEAT 200000000ull  /* ns between two chunks of speech, which last as long */
#define WARM 2000000000ull

static const char CONNECTED[] = "{\"event\":\"connected\",\"protocol\":\"Call\",\"version\":\"1.0.0\"}";

typedef struct Socket {
    int fd, speech, call, upgraded, speaking, known, said;
    unsigned char *buffer;
} Socket;

typedef struct Call {
    Socket *phone, *speech;
    char sid[35];
    unsigned long sequence;
    uint64_t played_until, due[MARKS];
    char mark[MARKS][40];
    int first_mark, n_marks;
} Call;

static Call *calls;
static Socket **speeches;
static int n_calls, n_speeches, n_speaking, n_started, poller, listener, measuring;
static uint64_t sent_chunks, came_back, marks_echoed, broken;
static uint32_t *latencies, *lateness;
static size_t n_latencies, n_lateness, room;
static char silence[4 * FRAME / 3 + 8], speech_tail[4 * CHUNK / 3 + 8];

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void note(uint32_t *list, size_t *count, uint64_t nanoseconds) {
    if (measuring && *count < room) list[(*count)++] = (uint32_t)(nanoseconds / 1000);
}

static Socket *watch(int fd, int speech, int call) {
    Socket *socket = calloc(1, sizeof *socket);
    *socket = (Socket){.fd = fd, .speech = speech, .call = call, .buffer = malloc(BUFFER)};
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = socket};
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
    return socket;
}

static void put(Socket *socket, const char *data, size_t size) {
    if (send(socket->fd, data, size, MSG_NOSIGNAL) != (ssize_t)size) broken++;
}

static void put_text(Socket *socket, const char *text, size_t size) {
    static char frame[BUFFER];
    put(socket, frame, ws_frame(frame, text, size, !socket->speech));
}

/* As Twilio */

static void say_start(Call *call) {
    char text[1024];
    int size = snprintf(text, sizeof text,
        "{\"event\":\"start\",\"sequenceNumber\":\"1\",\"start\":{\"accountSid\":\"AC"
        "00000000000000000000000000000000\",\"streamSid\":\"%s\",\"callSid\":\"CA%s\",\"tracks\":"
        "[\"inbound\"],\"mediaFormat\":{\"encoding\":\"audio/x-mulaw\",\"sampleRate\":8000,"
        "\"channels\":1},\"customParameters\":{}},\"streamSid\":\"%s\"}",
        call->sid, call->sid + 2, call->sid);
    put_text(call->phone, CONNECTED, sizeof CONNECTED - 1);
    put_text(call->phone, text, size);
    call->sequence = 1;
    n_started++;
}

static void tick(Call *call, uint64_t at) {
    char text[1024];
    unsigned long number = call->sequence++;
    int size = snprintf(text, sizeof text,
        "{\"event\":\"media\",\"sequenceNumber\":\"%lu\",\"media\":{\"track\":\"inbound\",\"chunk\":\"%lu\","
        "\"timestamp\":\"%lu\",\"payload\":\"%s\"},\"streamSid\":\"%s\"}",
        number + 1, number, number * 20, silence, call->sid);
    put_text(call->phone, text, size);
    while (call->n_marks && call->due[call->first_mark] <= at) {
        size = snprintf(text, sizeof text,
            "{\"event\":\"mark\",\"sequenceNumber\":\"%lu\",\"streamSid\":\"%s\",\"mark\":{\"name\":\"%s\"}}",
            ++call->sequence, call->sid, call->mark[call->first_mark]);
        put_text(call->phone, text, size);
        call->first_mark = (call->first_mark + 1) % MARKS;
        call->n_marks--;
        marks_echoed++;
    }
}

static void on_audio(Call *call, const char *payload, size_t size, uint64_t at) {
    unsigned char stamp[9];
    uint64_t sent;
    if (call->played_until < at) call->played_until = at;
    call->played_until += (size * 3 / 4) * 1000000000ull / 8000;
    ws_unbase64(payload, stamp);
    if (stamp[8] != 0xA5) return; /* silence of the bridge's own */
    memcpy(&sent, stamp, 8);
    note(latencies, &n_latencies, at - sent);
    came_back++;
}

static void on_phone(Call *call, const char *text, size_t size, uint64_t at) {
    char *found = memmem(text, size, "\"payload\":\"", 11);
    if (found) {
        found += 11;
        on_audio(call, found, (char *)memchr(found, '"', text + size - found) - found, at);
    } else if ((found = memmem(text, size, "\"name\":\"", 8)) && call->n_marks < MARKS) {
        int place = (call->first_mark + call->n_marks++) % MARKS;
        size_t length = (char *)memchr(found + 8, '"', text + size - found - 8) - found - 8;
        memcpy(call->mark[place], found + 8, length);
        call->mark[place][length] = 0;
        call->due[place] = call->played_until;
    }
}

/* As the speech service */

static void beat(Socket *socket) {
    static char text[3 * CHUNK];
    unsigned char stamp[9];
    char context[48] = "";
    if (!socket->speaking) return;
    strcpy(context, (char *)socket->buffer + BUFFER - 64);
    uint64_t at = now();
    memcpy(stamp, &at, 8);
    stamp[8] = 0xA5;
    int size = sprintf(text, "{\"context_id\":\"%s\",\"audio\":\"", context);
    ws_base64(stamp, 9, text + size);
    size += 12;
    int last = ++socket->said % SENTENCE == 0;
    size += sprintf(text + size, "%s\",\"final\":%s}", speech_tail, last ? "true" : "false");
    socket->speaking = !last;
    put_text(socket, text, size);
    sent_chunks += measuring;
}

static void on_text_to_speak(Socket *socket, const char *text, size_t size) {
    if (socket->speaking || !memmem(text, size, "\"transcript\"", 12) || memmem(text, size, "\"transcript\":\"\"", 15)) return;
    char *context = memmem(text, size, "\"context_id\":\"", 14), *kept = (char *)socket->buffer + BUFFER - 64;
    kept[0] = 0;
    if (context) {
        size_t length = (char *)memchr(context + 14, '"', text + size - context - 14) - context - 14;
        memcpy(kept, context + 14, length < 47 ? length : 47);
        kept[length < 47 ? length : 47] = 0;
    }
    if (!socket->known) {
        socket->said = n_speaking % SENTENCE; /* calls do not end their sentences all at once */
        speeches[n_speaking++] = socket;
    }
    socket->speaking = socket->known = 1;
}

/* The socket */

static size_t heads(Socket *socket, size_t held) {
    char *end = memmem(socket->buffer, held, "\r\n\r\n", 4);
    if (!end) return 0;
    if (socket->speech) {
        char answer[256];
        put(socket, answer, ws_accept((char *)socket->buffer, held, answer));
    } else {
        if (memcmp(socket->buffer, "HTTP/1.1 101", 12)) {
            fprintf(stderr, "refused: %.40s\n", socket->buffer);
            exit(1);
        }
        say_start(&calls[socket->call]);
    }
    socket->upgraded = 1;
    return end + 4 - (char *)socket->buffer;
}

static size_t held_by[1 << 17];

static void on_readable(Socket *socket) {
    size_t *held = &held_by[socket->fd], done = 0, limit = BUFFER - 64;
    ssize_t size = recv(socket->fd, socket->buffer + *held, limit - *held, 0);
    uint64_t at = now();
    if (size <= 0) {
        if (size < 0 && errno == EAGAIN) return;
        broken++;
        close(socket->fd);
        return;
    }
    *held += size;
    if (!socket->upgraded && !(done = heads(socket, *held))) return;
    WsFrame frame;
    while (ws_read(socket->buffer + done, *held - done, &frame)) {
        if (frame.opcode == 9) {
            static char pong[256];
            put(socket, pong, ws_frame_of(pong, 10, frame.text, frame.size, !socket->speech));
        } else if (frame.opcode == 8) broken++;
        else if (socket->speech) on_text_to_speak(socket, frame.text, frame.size);
        else on_phone(&calls[socket->call], frame.text, frame.size, at);
        done += frame.whole;
    }
    memmove(socket->buffer, socket->buffer + done, *held - done);
    *held -= done;
}

static void answer_new(void) {
    int fd;
    while ((fd = accept(listener, NULL, NULL)) >= 0) { watch(fd, 1, -1); n_speeches++; }
}

static void dial(int index, char *line) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char head[4096], *out = head;
    address.sin_port = htons(strtol(line, &line, 10));
    for (line++; *line && *line != '\n'; line++)
        if (line[0] == '\\' && line[1] == 'n') { *out++ = '\r'; *out++ = '\n'; line++; }
        else *out++ = *line;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (void *)&address, sizeof address)) die("connect");
    Call *call = &calls[index];
    call->phone = watch(fd, 0, index);
    put(call->phone, head, out - head);
}

static struct { char text[1 << 16]; size_t held; int dialled; } targets;

static void on_targets(void) {
    ssize_t size = read(0, targets.text + targets.held, sizeof targets.text - targets.held - 1);
    if (size <= 0) { epoll_ctl(poller, EPOLL_CTL_DEL, 0, NULL); return; }
    targets.held += size;
    targets.text[targets.held] = 0;
    char *line = targets.text, *end;
    for (; (end = strchr(line, '\n')); line = end + 1)
        if (targets.dialled < n_calls) {
            snprintf(calls[targets.dialled].sid, sizeof calls->sid, "MZ%032d", targets.dialled);
            dial(targets.dialled++, line);
        }
    targets.held -= line - targets.text;
    memmove(targets.text, line, targets.held);
}

static void poll_for(int milliseconds) {
    struct epoll_event events[256];
    int count = epoll_wait(poller, events, 256, milliseconds);
    for (int i = 0; i < count; i++)
        if (!events[i].data.ptr) answer_new();
        else if (events[i].data.ptr == &targets) on_targets();
        else on_readable(events[i].data.ptr);
}

static void listen_for_speech(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(listener, (void *)&address, size) || listen(listener, 4096)) die("listen");
    getsockname(listener, (void *)&address, &size);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    printf("{\"speech_port\": %d}\n", ntohs(address.sin_port));
    fflush(stdout);
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static uint32_t at(uint32_t *sorted, size_t count, double share) {
    return count ? sorted[(size_t)(share * (count - 1))] : 0;
}

static void report(double seconds) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    qsort(latencies, n_latencies, sizeof *latencies, by_size);
    qsort(lateness, n_lateness, sizeof *lateness, by_size);
    printf("{\"calls\": %d, \"seconds\": %.2f, \"sent\": %lu, \"received\": %zu, \"broken\": %lu, "
           "\"marks\": %lu, \"p50\": %u, \"p90\": %u, \"p99\": %u, \"max\": %u, "
           "\"load_late_p99\": %u, \"load_late_max\": %u}\n",
           n_calls, seconds, (unsigned long)sent_chunks, n_latencies, (unsigned long)broken,
           (unsigned long)marks_echoed, at(latencies, n_latencies, .5), at(latencies, n_latencies, .9),
           at(latencies, n_latencies, .99), at(latencies, n_latencies, 1),
           at(lateness, n_lateness, .99), at(lateness, n_lateness, 1));
    fflush(stdout);
}

/* Calls take turns, spread evenly over the 20 ms between two frames of one of them. */
static void run(double seconds) {
    uint64_t begin = now(), frames = 0, chunks = 0, end = 0, stop_speech = 0;
    uint64_t between = TICK / n_calls, chunk_between = BEAT / n_calls;
    for (;;) {
        uint64_t time = now();
        int budget = 8;
        while (budget-- && begin + frames * between <= time) {
            note(lateness, &n_lateness, time - (begin + frames * between));
            tick(&calls[frames++ % n_calls], time);
            time = now();
        }
        while (begin + chunks * chunk_between <= time && (!stop_speech || time < stop_speech)) {
            int turn = (int)((chunks++ * 7919) % n_calls);
            if (turn < n_speaking) beat(speeches[turn]);
            if (chunks % 4 == 0) break;
        }
        if (!measuring && !stop_speech && time - begin > WARM) {
            measuring = 1;
            puts("{\"measuring\": true}");
            fflush(stdout);
            stop_speech = time + (uint64_t)(seconds * 1e9);
            end = stop_speech + 300000000ull; /* what is under way may arrive */
        }
        if (end && time > end) return report(seconds);
        if (stop_speech && time >= stop_speech && measuring == 1) {
            measuring = 2;
            puts("{\"measured\": true}");
            fflush(stdout);
        }
        uint64_t next = begin + frames * between;
        poll_for(next > time + 2000000 ? (int)((next - time) / 1000000) - 1 : 0);
    }
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    n_calls = atoi(argv[1]);
    double seconds = atof(argv[2]);
    calls = calloc(n_calls, sizeof *calls);
    speeches = calloc(n_calls + 1, sizeof *speeches);
    room = (size_t)((seconds + 4) * n_calls * 52) + 1000;
    latencies = malloc(room * sizeof *latencies);
    lateness = malloc(room * sizeof *lateness);
    memset(silence, '/', 4 * ((FRAME + 2) / 3));
    memset(speech_tail, '/', 4 * ((CHUNK + 2) / 3) - 12);
    memcpy(silence + 4 * ((FRAME + 2) / 3) - 4, "/w==", 4);
    memcpy(speech_tail + 4 * ((CHUNK + 2) / 3) - 12 - 4, "/w==", 4);
    poller = epoll_create1(0);
    listen_for_speech();
    struct epoll_event asked = {.events = EPOLLIN, .data.ptr = &targets};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, 0, &asked)) die("epoll_ctl");
    uint64_t patience = now() + 60000000000ull;
    while (n_started < n_calls || n_speaking < n_calls) {
        poll_for(10);
        if (now() > patience) {
            fprintf(stderr, "%d of %d calls started, %d speak\n", n_started, n_calls, n_speaking);
            return 1;
        }
    }
    run(seconds);
    return 0;
}
