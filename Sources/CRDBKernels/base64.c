// Standard base64, 12 bytes at a time where the processor shuffles bytes (SSSE3, chosen at run time).
#include "CRDBKernels.h"

static const char digits[65] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode_plain(uint8_t *out, const uint8_t *bytes, size_t count) {
    for (; count >= 3; bytes += 3, out += 4, count -= 3) {
        uint32_t group = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
        out[0] = (uint8_t)digits[group >> 18];
        out[1] = (uint8_t)digits[group >> 12 & 63];
        out[2] = (uint8_t)digits[group >> 6 & 63];
        out[3] = (uint8_t)digits[group & 63];
    }
    if (!count) return;
    uint32_t group = (uint32_t)bytes[0] << 16 | (count == 2 ? (uint32_t)bytes[1] << 8 : 0);
    out[0] = (uint8_t)digits[group >> 18];
    out[1] = (uint8_t)digits[group >> 12 & 63];
    out[2] = count == 2 ? (uint8_t)digits[group >> 6 & 63] : '=';
    out[3] = '=';
}

#if defined(__x86_64__)
#include <immintrin.h>

// Reads 16 bytes for each 12 it encodes, so it stops while 16 are left.
__attribute__((target("ssse3"))) static size_t encode_ssse3(uint8_t *out, const uint8_t *bytes, size_t count) {
    const __m128i spread = _mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
    const __m128i shifts = _mm_setr_epi8(
        'a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
        '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0);
    size_t at = 0;
    for (; count - at >= 16; at += 12, out += 16) {
        __m128i in = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(bytes + at)), spread);
        __m128i first = _mm_mulhi_epu16(_mm_and_si128(in, _mm_set1_epi32(0x0fc0fc00)), _mm_set1_epi32(0x04000040));
        __m128i second = _mm_mullo_epi16(_mm_and_si128(in, _mm_set1_epi32(0x003f03f0)), _mm_set1_epi32(0x01000010));
        __m128i index = _mm_or_si128(first, second);
        __m128i range = _mm_subs_epu8(index, _mm_set1_epi8(51));
        __m128i upper = _mm_and_si128(_mm_cmpgt_epi8(_mm_set1_epi8(26), index), _mm_set1_epi8(13));
        __m128i text = _mm_add_epi8(index, _mm_shuffle_epi8(shifts, _mm_or_si128(range, upper)));
        _mm_storeu_si128((__m128i *)out, text);
    }
    return at;
}

void rdb_base64_encode(uint8_t *out, const uint8_t *bytes, size_t count) {
    size_t done = 0;
    if (count >= 32 && __builtin_cpu_supports("ssse3")) done = encode_ssse3(out, bytes, count);
    encode_plain(out + done / 3 * 4, bytes + done, count - done);
}
#else
void rdb_base64_encode(uint8_t *out, const uint8_t *bytes, size_t count) { encode_plain(out, bytes, count); }
#endif
