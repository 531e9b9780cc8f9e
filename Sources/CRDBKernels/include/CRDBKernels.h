// Small kernels that want processor intrinsics; everything else of the project is Swift.
//
// Bounds: every function touches only the bytes its arguments name, unless its comment grants slack.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// CRC-64 "Jones" (reflected, polynomial 0xAD93D23594C935A9, initial value and final xor 0), as RDB files and
// DUMP payloads use it. rdb_crc64 takes the fastest form this processor has; the other two are for tests.
uint64_t rdb_crc64(uint64_t crc, const void *bytes, size_t count);
uint64_t rdb_crc64_table(uint64_t crc, const void *bytes, size_t count);
uint64_t rdb_crc64_clmul(uint64_t crc, const void *bytes, size_t count);
bool rdb_crc64_has_clmul(void);

// Standard base64 with padding. Writes 4 * ((count + 2) / 3) bytes to `out`.
void rdb_base64_encode(uint8_t *out, const uint8_t *bytes, size_t count);

// Bytes as the inside of a JSON string: '"', '\\' and control characters escaped, all others as they are. Returns the
// bytes written; sets `*has_high` where any byte is not ASCII (never clears it).
//
// `out` must have room for 6 * count + 16 bytes; what is written behind the returned count is scratch.
size_t rdb_json_escape(uint8_t *out, const uint8_t *bytes, size_t count, bool *has_high);

// The same for what is mostly short and needs no escape: copies up to the first byte that does, or is not ASCII, and
// returns how many those were.
static inline size_t rdb_json_copy_plain(uint8_t *out, const uint8_t *bytes, size_t count) {
    size_t at = 0;
#if defined(__SSE2__)
    const __m128i below_space = _mm_set1_epi8(0x1f), quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    while (count - at >= 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(bytes + at));
        _mm_storeu_si128((__m128i *)(out + at), block);
        __m128i special = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash)),
            _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(block, below_space), block), block));
        unsigned mask = (unsigned)_mm_movemask_epi8(special);
        if (mask) return at + (size_t)__builtin_ctz(mask);
        at += 16;
    }
#endif
    const uint64_t ones = 0x0101010101010101ull, high = 0x8080808080808080ull;
    while (count > at) {
        // The last bytes are loaded together; the bytes behind them in the word are spaces.
        size_t take = count - at < 8 ? count - at : 8;
        uint64_t word = 0x2020202020202020ull;
        if (take == 8) {
            memcpy(&word, bytes + at, 8);
        } else if (take >= 4) {
            uint32_t first, last;
            memcpy(&first, bytes + at, 4);
            memcpy(&last, bytes + count - 4, 4);
            word = (word << (8 * take)) | first | (uint64_t)last << (8 * (take - 4));
        } else {
            for (size_t i = 0; i < take; i++) ((uint8_t *)&word)[i] = bytes[at + i];
        }
        memcpy(out + at, &word, 8);
        // A borrow can only mark bytes above one that is itself marked, so the lowest mark is exact.
        uint64_t special = ((word - ones * 0x20) | ((word ^ ones * 0x22) - ones) | ((word ^ ones * 0x5c) - ones) | word) & high;
        if (special) return at + (size_t)(__builtin_ctzll(special) >> 3);
        at += take;
    }
    return at;
}

// SipHash-1-3 with 128 bits of output, over a message that comes in pieces. A state is a value: a copy of it goes on from
// the same beginning.
struct rdb_sip {
    uint64_t v0, v1, v2, v3;
    uint64_t tail;   // the last count % 8 bytes, lowest first
    uint64_t count;  // bytes so far
};
struct rdb_digest {
    uint64_t low, high;  // the output's first and last 8 bytes, read little endian
};
struct rdb_sip rdb_sip_begin(uint64_t key_low, uint64_t key_high);
void rdb_sip_bytes(struct rdb_sip *state, const void *bytes, size_t count);
struct rdb_digest rdb_sip_end(const struct rdb_sip *state);

// The rest only while count % 8 is 0, which they keep. A word counts as 8 bytes, lowest first. A text counts as: fewer than
// 8 bytes as one word whose top byte is 0x80 + count; others as a word that is the count, then the bytes, then zeros up to
// a whole word. Long texts, whose bytes are dealt out to lanes, are not for rdb_sip_text.
void rdb_sip_word(struct rdb_sip *state, uint64_t word);
void rdb_sip_words(struct rdb_sip *state, uint64_t first, uint64_t second);
void rdb_sip_text(struct rdb_sip *state, const void *bytes, size_t count);

// A long text: four lanes side by side. Each goes on from the message as it is behind the count, with its own number (0 to
// 3) and every fourth word of the text, which is filled up with zeros to a multiple of 32 bytes. Behind the count the
// message goes on with the lanes' digests. In pieces: all but the last a multiple of 32 bytes long.
enum { RDB_SIP_LONG = 1024 };
struct rdb_sip_lanes {
    uint64_t v0[4], v1[4], v2[4], v3[4];
    uint64_t count;
};
struct rdb_sip_lanes rdb_sip_lanes_begin(const struct rdb_sip *state);
void rdb_sip_lanes_bytes(struct rdb_sip_lanes *lanes, const void *bytes, size_t count);
void rdb_sip_lanes_end(const struct rdb_sip_lanes *lanes, struct rdb_sip *state);

// Short messages side by side, each the words of a lane behind a beginning that is a multiple of 8 bytes long. Eight take
// as long as one or two.
enum { RDB_SIP_LANES = 8, RDB_SIP_LANE_WORDS = 32 };
struct rdb_sip_group {
    uint64_t v0[RDB_SIP_LANES], v1[RDB_SIP_LANES], v2[RDB_SIP_LANES], v3[RDB_SIP_LANES];  // of the beginnings
    uint64_t bytes[RDB_SIP_LANES];                          // how long they are
    uint64_t count[RDB_SIP_LANES];                          // how many words each message has
    uint64_t words[RDB_SIP_LANE_WORDS + 1][RDB_SIP_LANES];  // the last row is never written
};
static inline void rdb_sip_group_begin(struct rdb_sip_group *group, size_t lane, const struct rdb_sip *beginning) {
    group->v0[lane] = beginning->v0, group->v1[lane] = beginning->v1;
    group->v2[lane] = beginning->v2, group->v3[lane] = beginning->v3;
    group->bytes[lane] = beginning->count;
}
// Appends a text to a lane that has so many words. Returns how many it has then, or 0 where they would be too many.
size_t rdb_sip_group_text(struct rdb_sip_group *group, size_t lane, size_t words, const void *bytes, size_t count);
static inline void rdb_sip_group_next(struct rdb_sip_group *group, size_t lane, size_t words) {
    group->count[lane] = words;
}
// A lane's beginning and first words, as a message by itself.
struct rdb_sip rdb_sip_group_message(const struct rdb_sip_group *group, size_t lane, size_t words);
// The digests of all lanes; what a lane holds behind its words does not matter.
void rdb_sip_group_end(const struct rdb_sip_group *group, struct rdb_digest digests[RDB_SIP_LANES]);

// SHA-1, over a message that comes in pieces.
struct rdb_sha1 {
    uint32_t h[5];
    uint64_t count;  // bytes so far
    uint8_t block[64];
};
struct rdb_sha1 rdb_sha1_begin(void);
void rdb_sha1_bytes(struct rdb_sha1 *state, const void *bytes, size_t count);
// Ends the message: the digest as five numbers, the first one holding its first four bytes, highest first.
void rdb_sha1_end(struct rdb_sha1 *state, uint32_t words[5]);

// A double as printf's %.17g writes it in the C locale: at most 24 characters. Returns how many.
size_t rdb_text_of_17_digits(double value, char out[32]);

// memcpy that costs no call for the lengths that keys and fields have.
static inline void rdb_copy(uint8_t *out, const uint8_t *bytes, size_t count) {
#if defined(__SSE2__)
    if (count >= 16) {
        if (count > 32) {
            memcpy(out, bytes, count);
            return;
        }
        __m128i first = _mm_loadu_si128((const __m128i *)bytes);
        __m128i last = _mm_loadu_si128((const __m128i *)(bytes + count - 16));
        _mm_storeu_si128((__m128i *)out, first);
        _mm_storeu_si128((__m128i *)(out + count - 16), last);
        return;
    }
    if (count >= 8) {
        uint64_t first, last;
        memcpy(&first, bytes, 8);
        memcpy(&last, bytes + count - 8, 8);
        memcpy(out, &first, 8);
        memcpy(out + count - 8, &last, 8);
        return;
    }
    if (count >= 4) {
        uint32_t first, last;
        memcpy(&first, bytes, 4);
        memcpy(&last, bytes + count - 4, 4);
        memcpy(out, &first, 4);
        memcpy(out + count - 4, &last, 4);
        return;
    }
    for (size_t i = 0; i < count; i++) out[i] = bytes[i];
#else
    memcpy(out, bytes, count);
#endif
}

// How many leading bytes are ASCII, counted in whole blocks of 16 (the rest is the caller's).
static inline size_t rdb_ascii_blocks(const uint8_t *bytes, size_t count) {
    size_t at = 0;
#if defined(__SSE2__)
    while (count - at >= 16 && !_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(bytes + at)))) at += 16;
#else
    uint64_t word;
    while (count - at >= 16) {
        uint64_t low;
        memcpy(&low, bytes + at, 8);
        memcpy(&word, bytes + at + 8, 8);
        if ((word | low) & 0x8080808080808080ull) break;
        at += 16;
    }
#endif
    return at;
}
