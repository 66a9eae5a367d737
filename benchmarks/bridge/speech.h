/* The load as the speech service: 200 ms of speech every 200 ms to each call that has sent a text, in
 * sentences of six seconds. A chunk begins with the time at which it was sent. */
#include <sys/uio.h>
#include "socket.h"

enum { CHUNK = 1600, SENTENCE = 30, STAMP = 9 };

static Socket **speeches;
static int n_speeches;

static struct { char text[2 * CHUNK]; size_t size; } rest[2]; /* of a chunk; of the last one */

static void prepare_speech(void) {
    size_t size = 4 * ((CHUNK + 2) / 3) - 4 * STAMP / 3;
    for (int last = 0; last < 2; last++) {
        memset(rest[last].text, '/', size);
        rest[last].size = size - 4 + (size_t)sprintf(rest[last].text + size - 4,
            "/w==\",\"final\":%s}", last ? "true" : "false");
    }
}

/* The bytes of a chunk before its speech; the first of that say the time. */
static size_t begin_chunk(Socket *socket, char *out, size_t size_of_rest) {
    char text[128];
    unsigned char stamp[STAMP];
    int size = sprintf(text, "{\"context_id\":\"%s\",\"audio\":\"", socket->context);
    size_t whole = (size_t)size + 4 * STAMP / 3 + size_of_rest, head = ws_head(out, 1, whole, 0);
    memcpy(out + head, text, (size_t)size);
    uint64_t at = wall();
    memcpy(stamp, &at, 8);
    stamp[8] = 0xA5;
    return head + (size_t)size + ws_base64(stamp, STAMP, out + head + size);
}

/* Whether there was something to say. */
static int say_chunk(Socket *socket) {
    char begin[256];
    if (!socket->speaking) return 0;
    int last = ++socket->said % SENTENCE == 0;
    struct iovec parts[] = {{begin, 0}, {rest[last].text, rest[last].size}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    parts[0].iov_len = begin_chunk(socket, begin, rest[last].size);
    socket->speaking = !last;
    if (sendmsg(socket->fd, &message, MSG_NOSIGNAL) != (ssize_t)(parts[0].iov_len + parts[1].iov_len)) broken++;
    return 1;
}

static void keep_context(Socket *socket, const char *text, size_t size) {
    const char *found = memmem(text, size, "\"context_id\":\"", 14);
    size_t length = 0;
    if (found) length = (size_t)((char *)memchr(found + 14, '"', (size_t)(text + size - found - 14)) - found - 14);
    if (length >= sizeof socket->context) length = sizeof socket->context - 1;
    if (length) memcpy(socket->context, found + 14, length);
    socket->context[length] = 0;
}

static void on_text_to_speak(Socket *socket, const char *text, size_t size) {
    if (socket->speaking || !memmem(text, size, "\"transcript\"", 12) || memmem(text, size, "\"transcript\":\"\"", 15)) return;
    keep_context(socket, text, size);
    if (!socket->known) {
        socket->said = n_speeches % SENTENCE; /* calls do not end their sentences all at once */
        speeches[n_speeches++] = socket;
    }
    socket->speaking = socket->known = 1;
}
