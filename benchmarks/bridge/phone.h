/* The load as Twilio: a frame of a callee's silence every 20 ms, and a mark's echo when what was
 * before it has been played. Takes the time of every chunk of speech that comes back.
 *
 * Fifty frames a second from each of thousands of phones: they are sent from one that is prepared,
 * masked, with its digits put in. Their count of digits seldom changes; then it is made anew. */
#include "socket.h"

enum { FRAME = 160, MARKS = 32 };

/* What every frame needs comes first, in one line of the cache: there are thousands of calls. */
typedef struct Call {
    unsigned long sequence, chunk;
    Socket *phone;
    int fd, first_mark, n_marks;
    uint64_t played_until, due[MARKS];
    char mark[MARKS][40], sid[35];
} __attribute__((aligned(64))) Call;

static Call *calls;
static int n_calls, n_started;
static uint64_t marks_echoed;

/* A chunk of speech that was sent at a time is back at another. */
static void on_chunk_back(uint64_t sent, uint64_t at);

static void say_start(Call *call) {
    static const char connected[] = "{\"event\":\"connected\",\"protocol\":\"Call\",\"version\":\"1.0.0\"}";
    char text[1024];
    int size = snprintf(text, sizeof text,
        "{\"event\":\"start\",\"sequenceNumber\":\"1\",\"start\":{\"accountSid\":\"AC"
        "00000000000000000000000000000000\",\"streamSid\":\"%s\",\"callSid\":\"CA%s\",\"tracks\":"
        "[\"inbound\"],\"mediaFormat\":{\"encoding\":\"audio/x-mulaw\",\"sampleRate\":8000,"
        "\"channels\":1},\"customParameters\":{}},\"streamSid\":\"%s\"}",
        call->sid, call->sid + 2, call->sid);
    put_text(call->phone, connected, sizeof connected - 1);
    put_text(call->phone, text, (size_t)size);
    call->sequence = 1;
    n_started++;
}

typedef struct { size_t place, width; } Digits;

static struct {
    char text[1024], frame[1024 + 16];
    size_t size, head;
    Digits sequence, chunk, timestamp, sid;
} media;

static void add(const char *text) { media.size += (size_t)sprintf(media.text + media.size, "%s", text); }

static Digits add_number(const char *before, int width, unsigned long number) {
    add(before);
    Digits digits = {.place = media.size};
    digits.width = (size_t)sprintf(media.text + media.size, "%0*lu", width, number);
    media.size += digits.width;
    return digits;
}

static void prepare(Call *call) {
    char payload[4 * ((FRAME + 2) / 3) + 1];
    memset(payload, '/', sizeof payload);
    strcpy(payload + sizeof payload - 5, "/w==");
    media.size = 0;
    media.sequence = add_number("{\"event\":\"media\",\"sequenceNumber\":\"", 1, call->sequence);
    media.chunk = add_number("\",\"media\":{\"track\":\"inbound\",\"chunk\":\"", 1, call->chunk);
    media.timestamp = add_number("\",\"timestamp\":\"", 1, 20 * call->chunk);
    add("\",\"payload\":\"");
    add(payload);
    media.sid = add_number("\"},\"streamSid\":\"MZ", 32, (unsigned long)(call - calls));
    add("\"}");
    size_t size = ws_frame(media.frame, media.text, media.size, 1);
    media.head = size - media.size;
    media.size = size;
}

/* 0 if the number has not so many digits. */
static int put_in(Digits digits, unsigned long number) {
    for (size_t i = digits.place + digits.width; i-- > digits.place; number /= 10) {
        if (!number) return 0;
        media.frame[media.head + i] = (char)(('0' + number % 10) ^ WS_KEY[i & 3]);
    }
    return !number;
}

static void put_in_sid(unsigned long number) {
    for (size_t i = media.sid.place + media.sid.width, n = 6; n--; number /= 10) {
        i--;
        media.frame[media.head + i] = (char)(('0' + number % 10) ^ WS_KEY[i & 3]);
    }
}

static void echo_marks(Call *call) {
    char text[256];
    while (call->n_marks && call->due[call->first_mark] <= wall()) {
        int size = snprintf(text, sizeof text,
            "{\"event\":\"mark\",\"sequenceNumber\":\"%lu\",\"streamSid\":\"%s\",\"mark\":{\"name\":\"%s\"}}",
            ++call->sequence, call->sid, call->mark[call->first_mark]);
        put_text(call->phone, text, (size_t)size);
        call->first_mark = (call->first_mark + 1) % MARKS;
        call->n_marks--;
        marks_echoed++;
    }
}

static void say_frame(Call *call) {
    call->sequence++;
    call->chunk++;
    if (media.size && put_in(media.sequence, call->sequence) && put_in(media.chunk, call->chunk)
        && put_in(media.timestamp, 20 * call->chunk)) put_in_sid((unsigned long)(call - calls));
    else prepare(call);
    if (send(call->fd, media.frame, media.size, MSG_NOSIGNAL) != (ssize_t)media.size) broken++;
    if (call->n_marks) echo_marks(call);
}

static void on_audio(Call *call, const char *payload, size_t size, uint64_t at) {
    unsigned char stamp[9];
    uint64_t sent;
    if (call->played_until < at) call->played_until = at;
    call->played_until += (size * 3 / 4) * 1000000000ull / 8000;
    ws_unbase64(payload, stamp);
    if (stamp[8] != 0xA5) return; /* silence of the bridge's own */
    memcpy(&sent, stamp, 8);
    on_chunk_back(sent, at);
}

static void on_mark(Call *call, const char *name, size_t length) {
    int place = (call->first_mark + call->n_marks++) % MARKS;
    memcpy(call->mark[place], name, length);
    call->mark[place][length] = 0;
    call->due[place] = call->played_until;
}

static void on_phone(Call *call, char *text, size_t size, uint64_t at) {
    char *found = memmem(text, size, "\"payload\":\"", 11), *end = text + size;
    if (found) {
        found += 11;
        on_audio(call, found, (size_t)((char *)memchr(found, '"', (size_t)(end - found)) - found), at);
    } else if ((found = memmem(text, size, "\"name\":\"", 8)) && call->n_marks < MARKS) {
        found += 8;
        on_mark(call, found, (size_t)((char *)memchr(found, '"', (size_t)(end - found)) - found));
    }
}
