/* As much of RFC 6455 as the programs beside it need: whole, unfragmented frames. */
#pragma once
#include <stdint.h>
#include <string.h>

typedef struct { int opcode; char *text; size_t size, whole; } WsFrame;

static const unsigned char WS_KEY[4] = {0x37, 0xfa, 0x21, 0x3d};

/* The head of a frame of so many bytes, without a mask's key; its length. */
static size_t ws_head(char *out, int opcode, size_t size, int masked) {
    size_t n = 2;
    out[0] = (char)(0x80 | opcode);
    out[1] = (char)((masked ? 0x80 : 0) | (size < 126 ? size : size < 65536 ? 126 : 127));
    if (size >= 65536)
        for (int i = 56; i >= 0; i -= 8) out[n++] = (char)(size >> i);
    else if (size >= 126) {
        out[n++] = (char)(size >> 8);
        out[n++] = (char)size;
    }
    return n;
}

static size_t ws_frame_of(char *out, int opcode, const char *text, size_t size, int masked) {
    size_t n = ws_head(out, opcode, size, masked);
    if (!masked) {
        memcpy(out + n, text, size);
        return n + size;
    }
    memcpy(out + n, WS_KEY, 4);
    n += 4;
    for (size_t i = 0; i < size; i++) out[n + i] = text[i] ^ WS_KEY[i & 3];
    return n + size;
}

static inline size_t ws_frame(char *out, const char *text, size_t size, int masked) {
    return ws_frame_of(out, 1, text, size, masked);
}

/* The frame at the beginning of `data`, unmasked in place; 0 if it is not whole yet. */
static int ws_read(unsigned char *data, size_t held, WsFrame *frame) {
    size_t head = 2, size;
    if (held < 2) return 0;
    size = data[1] & 0x7f;
    int masked = data[1] >> 7;
    if (size == 126) {
        if (held < 4) return 0;
        size = (size_t)data[2] << 8 | data[3];
        head = 4;
    } else if (size == 127) {
        if (held < 10) return 0;
        size = 0;
        for (int i = 2; i < 10; i++) size = size << 8 | data[i];
        head = 10;
    }
    unsigned char *key = data + head;
    head += masked ? 4 : 0;
    if (held < head + size) return 0;
    if (masked)
        for (size_t i = 0; i < size; i++) data[head + i] ^= key[i & 3];
    *frame = (WsFrame){data[0] & 15, (char *)data + head, size, head + size};
    return 1;
}

static size_t ws_base64(const unsigned char *in, size_t size, char *out) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *start = out;
    for (size_t i = 0; i < size; i += 3) {
        uint32_t bits = in[i] << 16 | (i + 1 < size ? in[i + 1] << 8 : 0) | (i + 2 < size ? in[i + 2] : 0);
        *out++ = digits[bits >> 18];
        *out++ = digits[bits >> 12 & 63];
        *out++ = i + 1 < size ? digits[bits >> 6 & 63] : '=';
        *out++ = i + 2 < size ? digits[bits & 63] : '=';
    }
    return out - start;
}

/* Twelve digits to nine bytes. */
static inline void ws_unbase64(const char *in, unsigned char *out) {
    for (int group = 0; group < 3; group++) {
        uint32_t bits = 0;
        for (int i = 0; i < 4; i++) {
            char c = *in++;
            bits = bits << 6 | (uint32_t)(c >= 'a' ? c - 'a' + 26 : c >= 'A' ? c - 'A'
                : c >= '0' ? c - '0' + 52 : c == '+' ? 62 : 63);
        }
        *out++ = (unsigned char)(bits >> 16);
        *out++ = (unsigned char)(bits >> 8);
        *out++ = (unsigned char)bits;
    }
}

static void ws_sha1(const unsigned char *text, size_t size, unsigned char digest[20]) {
    uint32_t h[5] = {0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0}, w[80];
    unsigned char data[128] = {0};
    size_t blocks = (size + 9 + 63) / 64;
    memcpy(data, text, size);
    data[size] = 0x80;
    data[blocks * 64 - 2] = (unsigned char)(size * 8 >> 8);
    data[blocks * 64 - 1] = (unsigned char)(size * 8);
#define WS_ROL(x, n) ((x) << (n) | (x) >> (32 - (n)))
    for (size_t block = 0; block < blocks; block++) {
        const unsigned char *p = data + block * 64;
        for (int i = 0; i < 16; i++, p += 4)
            w[i] = (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
        for (int i = 16; i < 80; i++) w[i] = WS_ROL(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
        for (int i = 0; i < 80; i++) {
            uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 || i >= 60 ? b ^ c ^ d
                : (b & c) | (b & d) | (c & d);
            uint32_t k = i < 20 ? 0x5A827999 : i < 40 ? 0x6ED9EBA1 : i < 60 ? 0x8F1BBCDC : 0xCA62C1D6;
            uint32_t t = WS_ROL(a, 5) + f + e + k + w[i];
            e = d; d = c; c = WS_ROL(b, 30); b = a; a = t;
        }
        h[0] += a; h[1] += b; h[2] += c; h[3] += d; h[4] += e;
    }
    for (int i = 0; i < 20; i++) digest[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
}

/* The answer to a request to upgrade; its length. */
static size_t ws_accept(const char *head, size_t size, char *answer) {
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char key[64] = "", accept[32] = "";
    unsigned char digest[20];
    for (const char *p = head; p + 20 < head + size; p++)
        if (!strncasecmp(p, "\nsec-websocket-key:", 19)) {
            for (p += 19; *p == ' '; p++) ;
            memcpy(key, p, 24);
            break;
        }
    strcat(key, guid);
    ws_sha1((unsigned char *)key, strlen(key), digest);
    ws_base64(digest, 20, accept);
    return (size_t)sprintf(answer, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", accept);
}
