// SipHash with 128 bits of output, by J.-P. Aumasson and D. J. Bernstein ("SipHash: a fast short-input PRF", 2012).
#include "CRDBKernels.h"

// Rounds for each word and at the end.
enum { c_rounds = 1, d_rounds = 3 };

// Of words, or of vectors of them.
#define ROTATE(value, by) ((value) << (by) | (value) >> (64 - (by)))
#define ROUND(v0, v1, v2, v3) \
    (v0 += v1, v1 = ROTATE(v1, 13) ^ v0, v0 = ROTATE(v0, 32), v2 += v3, v3 = ROTATE(v3, 16) ^ v2, v0 += v3, \
     v3 = ROTATE(v3, 21) ^ v0, v2 += v1, v1 = ROTATE(v1, 17) ^ v2, v2 = ROTATE(v2, 32))

static inline void sip_round(struct rdb_sip *s) { ROUND(s->v0, s->v1, s->v2, s->v3); }

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

// The words of a text's form, one after another.
__attribute__((always_inline)) static inline void each_word(
    const uint8_t *at, size_t count, void (*use)(void *, uint64_t), void *by) {
    if (count < 8) return use(by, load_few(at, count) | (uint64_t)(0x80 | count) << 56);
    use(by, count);
    const uint8_t *end = at + count;
    for (; end - at >= 8; at += 8) use(by, load(at));
    // The last 8 bytes, without those that were used already.
    if (at < end) use(by, load(end - 8) >> (8 * (8 - (end - at))));
}

__attribute__((always_inline)) static inline void take_word(void *state, uint64_t word) {
    struct rdb_sip *s = state;
    take(s, word);
    s->count += 8;
}

void rdb_sip_text(struct rdb_sip *state, const void *bytes, size_t count) {
    struct rdb_sip s = *state;
    each_word(bytes, count, take_word, &s);
    *state = s;
}

struct rdb_digest rdb_sip_end(const struct rdb_sip *state) {
    struct rdb_sip s = *state;
    take(&s, s.count << 56 | s.tail);
    s.v2 ^= 0xee;
    for (int i = 0; i < d_rounds; i++) sip_round(&s);
    struct rdb_digest digest = {.low = s.v0 ^ s.v1 ^ s.v2 ^ s.v3};
    s.v1 ^= 0xdd;
    for (int i = 0; i < d_rounds; i++) sip_round(&s);
    digest.high = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
    return digest;
}

// Lanes, one in each place of a vector.
typedef uint64_t lane_vector __attribute__((vector_size(32)));
typedef uint64_t group_vector __attribute__((vector_size(64)));

__attribute__((always_inline)) static inline void take_blocks(
    struct rdb_sip_lanes *lanes, const uint8_t *at, size_t blocks) {
    lane_vector v0, v1, v2, v3;
    memcpy(&v0, lanes->v0, 32), memcpy(&v1, lanes->v1, 32), memcpy(&v2, lanes->v2, 32), memcpy(&v3, lanes->v3, 32);
    for (; blocks; blocks--, at += 32) {
        lane_vector words;
        memcpy(&words, at, 32);
        for (int i = 0; i < 4; i++) words[i] = little(words[i]);
        v3 ^= words;
        for (int i = 0; i < c_rounds; i++) ROUND(v0, v1, v2, v3);
        v0 ^= words;
    }
    memcpy(lanes->v0, &v0, 32), memcpy(lanes->v1, &v1, 32), memcpy(lanes->v2, &v2, 32), memcpy(lanes->v3, &v3, 32);
}

__attribute__((always_inline)) static inline void end_group(
    const struct rdb_sip_group *group, uint64_t *low, uint64_t *high) {
    group_vector v0, v1, v2, v3, count, last;
    memcpy(&v0, group->v0, 64), memcpy(&v1, group->v1, 64), memcpy(&v2, group->v2, 64), memcpy(&v3, group->v3, 64);
    memcpy(&count, group->count, 64), memcpy(&last, group->bytes, 64);
    // The word behind a message's own says how long it is.
    last = (last + 8 * count) << 56;
    uint64_t most = 0;
    for (int i = 0; i < RDB_SIP_LANES; i++) most = group->count[i] > most ? group->count[i] : most;
    for (uint64_t at = 0; at <= most; at++) {
        group_vector word, n0 = v0, n1 = v1, n2 = v2, n3 = v3;
        memcpy(&word, group->words[at], 64);
        group_vector is_last = (group_vector)(count == at), goes_on = (group_vector)(count >= at);
        word = (last & is_last) | (word & ~is_last);
        n3 ^= word;
        for (int i = 0; i < c_rounds; i++) ROUND(n0, n1, n2, n3);
        n0 ^= word;
        v0 = (n0 & goes_on) | (v0 & ~goes_on), v1 = (n1 & goes_on) | (v1 & ~goes_on);
        v2 = (n2 & goes_on) | (v2 & ~goes_on), v3 = (n3 & goes_on) | (v3 & ~goes_on);
    }
    v2 ^= 0xee;
    for (int i = 0; i < d_rounds; i++) ROUND(v0, v1, v2, v3);
    group_vector half = v0 ^ v1 ^ v2 ^ v3;
    memcpy(low, &half, 64);
    v1 ^= 0xdd;
    for (int i = 0; i < d_rounds; i++) ROUND(v0, v1, v2, v3);
    half = v0 ^ v1 ^ v2 ^ v3;
    memcpy(high, &half, 64);
}

#if defined(__x86_64__)
// The same code for each kind of vectors. AVX-512 rotates in one instruction.
#define VARIANTS(suffix, attribute) \
    attribute static void take_blocks_##suffix(struct rdb_sip_lanes *lanes, const uint8_t *at, size_t blocks) { \
        take_blocks(lanes, at, blocks); \
    } \
    attribute static void end_group_##suffix(const struct rdb_sip_group *group, uint64_t *low, uint64_t *high) { \
        end_group(group, low, high); \
    }
VARIANTS(plain, )
VARIANTS(avx2, __attribute__((target("avx2"))))
VARIANTS(avx512, __attribute__((target("avx512f,avx512vl"))))

static void (*take_blocks_best)(struct rdb_sip_lanes *, const uint8_t *, size_t) = take_blocks_plain;
static void (*end_group_best)(const struct rdb_sip_group *, uint64_t *, uint64_t *) = end_group_plain;

__attribute__((constructor)) static void prepare(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl"))
        take_blocks_best = take_blocks_avx512, end_group_best = end_group_avx512;
    else if (__builtin_cpu_supports("avx2"))
        take_blocks_best = take_blocks_avx2, end_group_best = end_group_avx2;
}
#else
#define take_blocks_best take_blocks
#define end_group_best end_group
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

__attribute__((always_inline)) static inline void write_word(void *place, uint64_t word) {
    uint64_t **at = place;
    **at = word;
    *at += RDB_SIP_LANES;
}

size_t rdb_sip_group_text(struct rdb_sip_group *group, size_t lane, size_t words, const void *bytes, size_t count) {
    // At most so many words.
    if ((count < 8 ? 1 : count / 8 + 2) > RDB_SIP_LANE_WORDS - words) return 0;
    uint64_t *at = &group->words[words][lane];
    each_word(bytes, count, write_word, &at);
    return (size_t)(at - &group->words[0][lane]) / RDB_SIP_LANES;
}

struct rdb_sip rdb_sip_group_message(const struct rdb_sip_group *group, size_t lane, size_t words) {
    struct rdb_sip s = {group->v0[lane], group->v1[lane], group->v2[lane], group->v3[lane], 0, group->bytes[lane]};
    for (size_t at = 0; at < words; at++) take(&s, group->words[at][lane]);
    s.count += 8 * words;
    return s;
}

void rdb_sip_group_end(const struct rdb_sip_group *group, struct rdb_digest digests[RDB_SIP_LANES]) {
    uint64_t low[RDB_SIP_LANES], high[RDB_SIP_LANES];
    end_group_best(group, low, high);
    for (int i = 0; i < RDB_SIP_LANES; i++) digests[i] = (struct rdb_digest){low[i], high[i]};
}
