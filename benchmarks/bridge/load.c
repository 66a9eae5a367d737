/* The load on a bridge, from one thread: as Twilio it sends each call 50 frames of the callee a
 * second, as the speech service 5 chunks of speech, each with the time at which it was sent in its
 * first samples. What a bridge forwards unchanged comes back with that time.
 *
 *   load CALLS SECONDS < targets > events
 *
 * A target is a line: a port and the head of an HTTP request, its line ends written as "\n".
 * Prints {"speech_port": …}, then, once all calls are up and warm, {"measuring": true}, after so many
 * seconds {"measured": true}, and at the end one line of figures, times in microseconds.
 *
 * Telephones and speech services send nothing in bursts. So a load that is late does not catch up:
 * the clock by which things are due stands still, and it tells for how long in all. */
#include "phone.h"
#include "speech.h"

#define TICK 20000000ull      /* ns between two frames of the callee */
#define BEAT 200000000ull     /* ns between two chunks of speech, which last as long */
#define WARM 2000000000ull
#define SLACK 1000000ull      /* ns that the load may be late, and make up for */
#define PATIENCE 300000000ull /* ns that a chunk may be under way; then it is lost */

/* Between two looks at what has come: only a load that is late sends so many, and one that looks
 * less often can offer more. When a chunk came back the kernel tells. */
enum { FRAMES_AT_ONCE = 32, CHUNKS_AT_ONCE = 4 };

static int listener;
static uint64_t sent_from = UINT64_MAX, sent_until = UINT64_MAX; /* chunks that count, by the wall */
static uint64_t n_sent, n_latencies, room;
static uint32_t *latencies;

static void on_chunk_back(uint64_t sent, uint64_t at) {
    if (sent < sent_from || sent >= sent_until || n_latencies == room) return;
    latencies[n_latencies++] = at > sent ? (uint32_t)((at - sent) / 1000) : 0;
}

/* Getting up */

static void on_open(Socket *socket) {
    if (socket->call >= 0) say_start(&calls[socket->call]);
}

static void on_message(Socket *socket, WsFrame *frame, uint64_t at) {
    if (socket->call < 0) on_text_to_speak(socket, frame->text, frame->size);
    else on_phone(&calls[socket->call], frame->text, frame->size, at);
}

static void answer_new(void) {
    int fd;
    while ((fd = accept(listener, NULL, NULL)) >= 0) watch(fd, -1);
}

static void dial(int index, char *line) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char head[4096], *out = head;
    address.sin_port = htons((uint16_t)strtol(line, &line, 10));
    for (line++; *line && *line != '\n'; line++)
        if (line[0] == '\\' && line[1] == 'n') { *out++ = '\r'; *out++ = '\n'; line++; }
        else *out++ = *line;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (void *)&address, sizeof address)) die("connect");
    Call *call = &calls[index];
    call->phone = watch(call->fd = fd, index);
    put(call->phone, head, (size_t)(out - head));
}

static struct { char text[1 << 16]; size_t held; int dialled; } targets;

static void on_targets(void) {
    ssize_t size = read(0, targets.text + targets.held, sizeof targets.text - targets.held - 1);
    if (size <= 0) { epoll_ctl(poller, EPOLL_CTL_DEL, 0, NULL); return; }
    targets.held += (size_t)size;
    targets.text[targets.held] = 0;
    char *line = targets.text, *end;
    for (; (end = strchr(line, '\n')); line = end + 1)
        if (targets.dialled < n_calls) {
            snprintf(calls[targets.dialled].sid, sizeof calls->sid, "MZ%032d", targets.dialled);
            dial(targets.dialled++, line);
        }
    targets.held -= (size_t)(line - targets.text);
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

/* Measuring */

static void say(const char *line) {
    puts(line);
    fflush(stdout);
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static uint32_t at(double share) {
    return n_latencies ? latencies[(size_t)(share * (double)(n_latencies - 1))] : 0;
}

/* What has not come counts as having taken all the time that it was given. */
static void report(double seconds, double stood) {
    uint64_t received = n_latencies;
    while (n_latencies < n_sent && n_latencies < room) latencies[n_latencies++] = (uint32_t)(PATIENCE / 1000);
    qsort(latencies, n_latencies, sizeof *latencies, by_size);
    printf("{\"calls\": %d, \"seconds\": %.2f, \"stood_still\": %.4f, \"sent\": %lu, \"received\": %lu, "
           "\"broken\": %lu, \"marks\": %lu, \"p50\": %u, \"p90\": %u, \"p99\": %u, \"max\": %u}\n",
           n_calls, seconds, stood, (unsigned long)n_sent, (unsigned long)received,
           (unsigned long)broken, (unsigned long)marks_echoed, at(.5), at(.9), at(.99), at(1));
    fflush(stdout);
}

/* Calls take turns, spread evenly over the 20 ms between two frames of one of them; chunks are due
 * at ten moments between two frames, each as often as the others. */
static struct { uint64_t begin, stood, frames, chunks; } schedule;

static uint64_t frame_due(void) { return schedule.begin + schedule.frames * (TICK / (uint64_t)n_calls); }

static uint64_t chunk_due(void) {
    uint64_t moment = schedule.chunks * 7 % 10 * 2 + 1, between = TICK / (uint64_t)n_calls;
    return schedule.begin + moment * between / 20 + schedule.chunks * (BEAT / (uint64_t)n_calls);
}

/* The time on the clock by which things are due. */
static uint64_t schedule_time(void) {
    uint64_t time = now() - schedule.stood, due = frame_due();
    if (time <= due + SLACK) return time;
    schedule.stood += time - due;
    return due;
}

static void send_due(int speak) {
    int frames = FRAMES_AT_ONCE, chunks = CHUNKS_AT_ONCE;
    while (frames-- && frame_due() <= now() - schedule.stood)
        say_frame(&calls[schedule.frames++ % (uint64_t)n_calls]);
    while (speak && chunks-- && chunk_due() <= now() - schedule.stood) {
        uint64_t turn = schedule.chunks++ * 7919 % (uint64_t)n_calls;
        if (turn < (uint64_t)n_speeches && say_chunk(speeches[turn]) && sent_from != UINT64_MAX) n_sent++;
    }
}

static void wait_for_due(uint64_t time) {
    uint64_t next = frame_due() < chunk_due() ? frame_due() : chunk_due();
    poll_for(next > time + 2000000 ? (int)((next - time) / 1000000) - 1 : 0);
}

static void run_until(uint64_t end, int speak) {
    for (uint64_t time; (time = schedule_time()) < end; wait_for_due(time)) send_due(speak);
}

static void run(double seconds) {
    uint64_t from = (schedule.begin = now()) + WARM, until = from + (uint64_t)(seconds * 1e9);
    run_until(from, 1);
    uint64_t stood = schedule.stood;
    sent_from = wall();
    say("{\"measuring\": true}");
    run_until(until, 1);
    stood = schedule.stood - stood;
    sent_until = wall();
    say("{\"measured\": true}");
    run_until(until + PATIENCE, 0);
    report(seconds, (double)stood / 1e9);
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    n_calls = atoi(argv[1]);
    double seconds = atof(argv[2]);
    calls = aligned_alloc(64, (size_t)n_calls * sizeof *calls);
    memset(calls, 0, (size_t)n_calls * sizeof *calls);
    speeches = calloc((size_t)n_calls + 1, sizeof *speeches);
    room = (uint64_t)((seconds + 1) * n_calls * 6) + 1000;
    latencies = malloc(room * sizeof *latencies);
    prepare_speech();
    poller = epoll_create1(0);
    listen_for_speech();
    struct epoll_event asked = {.events = EPOLLIN, .data.ptr = &targets};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, 0, &asked)) die("epoll_ctl");
    uint64_t patience = now() + 60000000000ull;
    while (n_started < n_calls || n_speeches < n_calls) {
        poll_for(10);
        if (now() > patience) {
            fprintf(stderr, "%d of %d calls started, %d speak\n", n_started, n_calls, n_speeches);
            return 1;
        }
    }
    run(seconds);
    return 0;
}
