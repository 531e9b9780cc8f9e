// CRC-64 "Jones" in two forms: a slicing-by-8 table, and folding by carry-less multiplication.
//
// Folding, in the reflected domain (bit 0 of a word is its highest power): a 16-byte block stands for
// L(x) * x^64 + H(x), L being its first 8 bytes. Moving it forward by D bits multiplies it by x^D, so it may be
// replaced by L * (x^(D+64) mod P) + H * (x^D mod P). A carry-less product of two reflected words comes out one
// power too low, therefore the constants hold x^(D+63) and x^(D-1).
#include "CRDBKernels.h"

static const uint64_t polynomial = 0x95ac9329ac4bc9b5ull;  // reflected

static uint64_t times_x(uint64_t value) { return (value >> 1) ^ (value & 1 ? polynomial : 0); }

static uint64_t table[8][256];

__attribute__((constructor)) static void fill_table(void) {
    for (unsigned byte = 0; byte < 256; byte++) {
        uint64_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = times_x(crc);
        table[0][byte] = crc;
    }
    for (unsigned byte = 0; byte < 256; byte++)
        for (int slice = 1; slice < 8; slice++)
            table[slice][byte] = table[0][table[slice - 1][byte] & 0xff] ^ (table[slice - 1][byte] >> 8);
}

uint64_t rdb_crc64_table(uint64_t crc, const void *bytes, size_t count) {
    const uint8_t *at = bytes;
    for (; count >= 8; at += 8, count -= 8) {
        uint64_t word = 0;
        for (int i = 0; i < 8; i++) word |= (uint64_t)at[i] << (8 * i);
        crc ^= word;
        crc = table[7][crc & 0xff] ^ table[6][(crc >> 8) & 0xff] ^ table[5][(crc >> 16) & 0xff] ^
              table[4][(crc >> 24) & 0xff] ^ table[3][(crc >> 32) & 0xff] ^ table[2][(crc >> 40) & 0xff] ^
              table[1][(crc >> 48) & 0xff] ^ table[0][crc >> 56];
    }
    for (; count; at++, count--) crc = table[0][(crc ^ *at) & 0xff] ^ (crc >> 8);
    return crc;
}

#if defined(__x86_64__)
#include <immintrin.h>

struct fold {
    uint64_t low, high;  // for the first and the second 8 bytes of a block
};
static struct fold by_128, by_512;
static bool clmul;

static uint64_t power_of_x(unsigned exponent) {
    uint64_t value = 1ull << 63;  // x^0
    while (exponent--) value = times_x(value);
    return value;
}

__attribute__((constructor)) static void prepare(void) {
    by_128 = (struct fold){power_of_x(128 + 63), power_of_x(128 - 1)};
    by_512 = (struct fold){power_of_x(512 + 63), power_of_x(512 - 1)};
    __builtin_cpu_init();
    clmul = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse2");
}

bool rdb_crc64_has_clmul(void) { return clmul; }

__attribute__((target("pclmul,sse2"))) static inline __m128i fold_block(__m128i block, __m128i by, __m128i next) {
    return _mm_xor_si128(
        _mm_xor_si128(_mm_clmulepi64_si128(block, by, 0x00), _mm_clmulepi64_si128(block, by, 0x11)), next);
}

__attribute__((target("pclmul,sse2"))) uint64_t rdb_crc64_clmul(uint64_t crc, const void *bytes, size_t count) {
    if (count < 64) return rdb_crc64_table(crc, bytes, count);
    const __m128i *at = bytes;
    __m128i a = _mm_xor_si128(_mm_loadu_si128(at), _mm_cvtsi64_si128((long long)crc));
    __m128i b = _mm_loadu_si128(at + 1), c = _mm_loadu_si128(at + 2), d = _mm_loadu_si128(at + 3);
    __m128i far = _mm_set_epi64x((long long)by_512.high, (long long)by_512.low);
    __m128i near = _mm_set_epi64x((long long)by_128.high, (long long)by_128.low);
    at += 4, count -= 64;
    for (; count >= 64; at += 4, count -= 64) {
        a = fold_block(a, far, _mm_loadu_si128(at));
        b = fold_block(b, far, _mm_loadu_si128(at + 1));
        c = fold_block(c, far, _mm_loadu_si128(at + 2));
        d = fold_block(d, far, _mm_loadu_si128(at + 3));
    }
    a = fold_block(a, near, b);
    a = fold_block(a, near, c);
    a = fold_block(a, near, d);
    for (; count >= 16; at++, count -= 16) a = fold_block(a, near, _mm_loadu_si128(at));
    uint8_t last[16];
    _mm_storeu_si128((__m128i *)last, a);
    return rdb_crc64_table(rdb_crc64_table(0, last, 16), at, count);
}

uint64_t rdb_crc64(uint64_t crc, const void *bytes, size_t count) {
    return clmul ? rdb_crc64_clmul(crc, bytes, count) : rdb_crc64_table(crc, bytes, count);
}
#else
bool rdb_crc64_has_clmul(void) { return false; }

uint64_t rdb_crc64_clmul(uint64_t crc, const void *bytes, size_t count) {
    return rdb_crc64_table(crc, bytes, count);
}

uint64_t rdb_crc64(uint64_t crc, const void *bytes, size_t count) { return rdb_crc64_table(crc, bytes, count); }
#endif
