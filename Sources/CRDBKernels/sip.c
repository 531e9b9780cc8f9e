// SipHash with 128 bits of output, by J.-P. Aumasson and D. J. Bernstein ("SipHash: a fast short-input PRF", 2012).
#include "CRDBKernels.h"

// Rounds for each word and at the end.
enum { c_rounds = 1, d_rounds = 3 };

static inline uint64_t rotate(uint64_t value, int by) { return value << by | value >> (64 - by); }

static inline void sip_round(struct rdb_sip *s) {
    s->v0 += s->v1, s->v1 = rotate(s->v1, 13) ^ s->v0, s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3, s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3, s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1, s->v1 = rotate(s->v1, 17) ^ s->v2, s->v2 = rotate(s->v2, 32);
}

static inline void take(struct rdb_sip *s, uint64_t word) {
    s->v3 ^= word;
    for (int i = 0; i < c_rounds; i++) sip_round(s);
    s->v0 ^= word;
}

static inline uint64_t little(uint64_t word) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    return __builtin_bswap64(word);
#else
    return word;
#endif
}

static inline uint64_t load(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, 8);
    return little(word);
}

// 0 to 7 bytes as the low end of a word.
static inline uint64_t load_few(const uint8_t *at, size_t count) {
    if (count >= 4) {
        uint32_t first, last;
        memcpy(&first, at, 4);
        memcpy(&last, at + count - 4, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        first = __builtin_bswap32(first), last = __builtin_bswap32(last);
#endif
        return first | (uint64_t)last << (8 * (count - 4));
    }
    if (!count) return 0;
    // One byte is all three of these, two bytes are the first and the last two of them.
    return at[0] | (uint64_t)at[count >> 1] << (8 * (count >> 1)) | (uint64_t)at[count - 1] << (8 * (count - 1));
}

struct rdb_sip rdb_sip_begin(uint64_t low, uint64_t high) {
    return (struct rdb_sip){low ^ 0x736f6d6570736575ull, high ^ 0x646f72616e646f6dull ^ 0xee,
                            low ^ 0x6c7967656e657261ull, high ^ 0x7465646279746573ull, 0, 0};
}

void rdb_sip_bytes(struct rdb_sip *state, const void *bytes, size_t count) {
    struct rdb_sip s = *state;
    const uint8_t *at = bytes;
    unsigned have = s.count & 7;
    s.count += count;
    if (have) {
        size_t some = count < 8 - have ? count : 8 - have;
        s.tail |= load_few(at, some) << (8 * have);
        at += some, count -= some;
        if (have + some == 8) take(&s, s.tail), s.tail = 0;
    }
    // Either the tail is empty now, or there are no more bytes.
    for (; count >= 8; at += 8, count -= 8) take(&s, load(at));
    if (count) s.tail = load_few(at, count);
    *state = s;
}

void rdb_sip_words(struct rdb_sip *state, uint64_t first, uint64_t second) {
    struct rdb_sip s = *state;
    take(&s, first);
    take(&s, second);
    s.count += 16;
    *state = s;
}

void rdb_sip_word(struct rdb_sip *state, uint64_t word) {
    struct rdb_sip s = *state;
    take(&s, word);
    s.count += 8;
    *state = s;
}

void rdb_sip_text(struct rdb_sip *state, const void *bytes, size_t count) {
    struct rdb_sip s = *state;
    const uint8_t *at = bytes;
    if (count < 8) {
        take(&s, load_few(at, count) | (uint64_t)(0x80 | count) << 56);
        s.count += 8;
    } else {
        take(&s, count);
        const uint8_t *end = at + count;
        for (; end - at >= 8; at += 8) take(&s, load(at));
        // The last 8 bytes, without those that were taken already.
        if (at < end) take(&s, load(end - 8) >> (8 * (8 - (end - at))));
        s.count += 8 + ((count + 7) & ~(size_t)7);
    }
    *state = s;
}

struct rdb_digest rdb_sip_end(const struct rdb_sip *state) {
    struct rdb_sip s = *state;
    struct rdb_digest digest;
    take(&s, s.count << 56 | s.tail);
    s.v2 ^= 0xee;
    for (int i = 0; i < d_rounds; i++) sip_round(&s);
    digest.low = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
    s.v1 ^= 0xdd;
    for (int i = 0; i < d_rounds; i++) sip_round(&s);
    digest.high = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
    return digest;
}
