// SHA-1 (FIPS 180-4), and the text of a number as printf's %.17g writes it: what DEBUG DIGEST of the servers is made of.
#include <stdio.h>

#include "CRDBKernels.h"

static inline uint32_t rotate(uint32_t value, int by) { return value << by | value >> (32 - by); }

static void take_block(struct rdb_sha1 *state, const uint8_t *bytes) {
    uint32_t w[80];
    for (int i = 0; i < 16; i++, bytes += 4)
        w[i] = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    for (int i = 16; i < 80; i++) w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);

    uint32_t a = state->h[0], b = state->h[1], c = state->h[2], d = state->h[3], e = state->h[4];
    for (int i = 0; i < 80; i++) {
        uint32_t mixed = i < 20   ? ((b & c) | (~b & d)) + 0x5a827999
                         : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1
                         : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
                                  : (b ^ c ^ d) + 0xca62c1d6;
        mixed += rotate(a, 5) + e + w[i];
        e = d, d = c, c = rotate(b, 30), b = a, a = mixed;
    }
    state->h[0] += a, state->h[1] += b, state->h[2] += c, state->h[3] += d, state->h[4] += e;
}

struct rdb_sha1 rdb_sha1_begin(void) {
    return (struct rdb_sha1){{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}, 0, {0}};
}

void rdb_sha1_bytes(struct rdb_sha1 *state, const void *bytes, size_t count) {
    const uint8_t *at = bytes;
    size_t have = state->count & 63;
    state->count += count;
    if (have) {
        size_t some = count < 64 - have ? count : 64 - have;
        if (some) memcpy(state->block + have, at, some);
        at += some, count -= some;
        if (have + some < 64) return;
        take_block(state, state->block);
    }
    for (; count >= 64; at += 64, count -= 64) take_block(state, at);
    if (count) memcpy(state->block, at, count);
}

void rdb_sha1_end(struct rdb_sha1 *state, uint32_t words[5]) {
    size_t have = state->count & 63;
    state->block[have++] = 0x80;
    if (have > 56) {
        memset(state->block + have, 0, 64 - have);
        take_block(state, state->block);
        have = 0;
    }
    memset(state->block + have, 0, 56 - have);
    for (int i = 0; i < 8; i++) state->block[56 + i] = (uint8_t)(state->count << 3 >> (56 - 8 * i));
    take_block(state, state->block);
    memcpy(words, state->h, sizeof state->h);
}

size_t rdb_text_of_17_digits(double value, char out[32]) { return (size_t)snprintf(out, 32, "%.17g", value); }
