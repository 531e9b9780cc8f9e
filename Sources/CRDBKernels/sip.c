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

// The lower half of the digest.
static inline uint64_t end_low(struct rdb_sip *s) {
    take(s, s->count << 56 | s->tail);
    s->v2 ^= 0xee;
    for (int i = 0; i < d_rounds; i++) sip_round(s);
    return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t rdb_sip_end_low(const struct rdb_sip *state) {
    struct rdb_sip s = *state;
    return end_low(&s);
}

struct rdb_digest rdb_sip_end(const struct rdb_sip *state) {
    struct rdb_sip s = *state;
    struct rdb_digest digest = {.low = end_low(&s)};
    s.v1 ^= 0xdd;
    for (int i = 0; i < d_rounds; i++) sip_round(&s);
    digest.high = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
    return digest;
}

// Lanes, one in each place of a vector.
typedef uint64_t lane_vector __attribute__((vector_size(32)));

#define ROTATE(value, by) ((value) << (by) | (value) >> (64 - (by)))

__attribute__((always_inline)) static inline void take_blocks(
    struct rdb_sip_lanes *lanes, const uint8_t *at, size_t blocks) {
    lane_vector v0, v1, v2, v3;
    memcpy(&v0, lanes->v0, 32), memcpy(&v1, lanes->v1, 32), memcpy(&v2, lanes->v2, 32), memcpy(&v3, lanes->v3, 32);
    for (; blocks; blocks--, at += 32) {
        lane_vector words;
        memcpy(&words, at, 32);
        for (int i = 0; i < 4; i++) words[i] = little(words[i]);
        v3 ^= words;
        for (int i = 0; i < c_rounds; i++) {
            v0 += v1, v1 = ROTATE(v1, 13) ^ v0, v0 = ROTATE(v0, 32);
            v2 += v3, v3 = ROTATE(v3, 16) ^ v2;
            v0 += v3, v3 = ROTATE(v3, 21) ^ v0;
            v2 += v1, v1 = ROTATE(v1, 17) ^ v2, v2 = ROTATE(v2, 32);
        }
        v0 ^= words;
    }
    memcpy(lanes->v0, &v0, 32), memcpy(lanes->v1, &v1, 32), memcpy(lanes->v2, &v2, 32), memcpy(lanes->v3, &v3, 32);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void take_blocks_avx2(
    struct rdb_sip_lanes *lanes, const uint8_t *at, size_t blocks) {
    take_blocks(lanes, at, blocks);
}

// The same vectors; these processors rotate in one instruction.
__attribute__((target("avx512f,avx512vl"))) static void take_blocks_avx512(
    struct rdb_sip_lanes *lanes, const uint8_t *at, size_t blocks) {
    take_blocks(lanes, at, blocks);
}

static void take_blocks_plain(struct rdb_sip_lanes *lanes, const uint8_t *at, size_t blocks) {
    take_blocks(lanes, at, blocks);
}

static void (*take_blocks_best)(struct rdb_sip_lanes *, const uint8_t *, size_t) = take_blocks_plain;

__attribute__((constructor)) static void prepare(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
        take_blocks_best = take_blocks_avx512;
    else if (__builtin_cpu_supports("avx2"))
        take_blocks_best = take_blocks_avx2;
}
#else
static void take_blocks_best(struct rdb_sip_lanes *lanes, const uint8_t *at, size_t blocks) {
    take_blocks(lanes, at, blocks);
}
#endif

struct rdb_sip_lanes rdb_sip_lanes_begin(const struct rdb_sip *state) {
    struct rdb_sip_lanes lanes;
    for (uint64_t i = 0; i < 4; i++) {
        struct rdb_sip lane = *state;
        rdb_sip_word(&lane, i);
        lanes.v0[i] = lane.v0, lanes.v1[i] = lane.v1, lanes.v2[i] = lane.v2, lanes.v3[i] = lane.v3;
        lanes.count = lane.count;
    }
    return lanes;
}

void rdb_sip_lanes_bytes(struct rdb_sip_lanes *lanes, const void *bytes, size_t count) {
    size_t blocks = count / 32, rest = count % 32;
    take_blocks_best(lanes, bytes, blocks);
    if (rest) {
        uint8_t last[32] = {0};
        memcpy(last, (const uint8_t *)bytes + 32 * blocks, rest);
        take_blocks(lanes, last, 1);
        blocks++;
    }
    lanes->count += 8 * blocks;
}

void rdb_sip_lanes_end(const struct rdb_sip_lanes *lanes, struct rdb_sip *state) {
    for (int i = 0; i < 4; i++) {
        struct rdb_sip lane = {lanes->v0[i], lanes->v1[i], lanes->v2[i], lanes->v3[i], 0, lanes->count};
        struct rdb_digest digest = rdb_sip_end(&lane);
        rdb_sip_words(state, digest.low, digest.high);
    }
}
