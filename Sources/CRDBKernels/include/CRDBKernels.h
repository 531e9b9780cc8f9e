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

// True in each byte of `word` (as 0x80) that JSON cannot hold as it is: control characters, '"', '\\', non-ASCII.
static inline uint64_t rdb_json_special8(uint64_t word) {
    const uint64_t ones = 0x0101010101010101ull, high = 0x8080808080808080ull;
    uint64_t control = word - ones * 0x20;
    uint64_t quote = (word ^ (ones * 0x22)) - ones;
    uint64_t backslash = (word ^ (ones * 0x5c)) - ones;
    // Borrows can only mark bytes above a byte that is itself marked, so the lowest mark is exact.
    return (control | quote | backslash | word) & high;
}

// Copies bytes to `out` up to the first one that JSON cannot hold as it is, and returns how many those were.
// `out` must have room for count + 16 bytes; what is written behind the returned count is scratch.
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
    while (count - at >= 8) {
        uint64_t word;
        memcpy(&word, bytes + at, 8);
        memcpy(out + at, &word, 8);
        uint64_t special = rdb_json_special8(word);
        if (special) return at + (size_t)(__builtin_ctzll(special) >> 3);
        at += 8;
    }
    if (count - at >= 4) {
        uint32_t word;
        memcpy(&word, bytes + at, 4);
        memcpy(out + at, &word, 4);
        uint64_t special = rdb_json_special8(word | 0x2020202000000000ull);
        if (special) return at + (size_t)(__builtin_ctzll(special) >> 3);
        at += 4;
    }
    while (at < count) {
        uint8_t byte = bytes[at];
        if (byte < 0x20 || byte == '"' || byte == '\\' || byte >= 0x80) return at;
        out[at++] = byte;
    }
    return at;
}

// The same for bytes already known to be UTF-8: copies up to the first '"', '\\' or
// control character. The same room is needed.
static inline size_t rdb_json_copy_utf8(uint8_t *out, const uint8_t *bytes, size_t count) {
    size_t at = 0;
#if defined(__SSE2__)
    const __m128i below_space = _mm_set1_epi8(0x1f), quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    while (count - at >= 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(bytes + at));
        _mm_storeu_si128((__m128i *)(out + at), block);
        __m128i special = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash)),
            _mm_cmpeq_epi8(_mm_min_epu8(block, below_space), block));
        unsigned mask = (unsigned)_mm_movemask_epi8(special);
        if (mask) return at + (size_t)__builtin_ctz(mask);
        at += 16;
    }
#endif
    while (at < count) {
        uint8_t byte = bytes[at];
        if (byte < 0x20 || byte == '"' || byte == '\\') return at;
        out[at++] = byte;
    }
    return at;
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
