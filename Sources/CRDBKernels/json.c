// JSON's escapes over whole strings: blocks of 16 bytes are stored as they are and looked at meanwhile; only a byte that
// has to be escaped interrupts them.
#include "CRDBKernels.h"

static inline size_t put_escape(uint8_t *out, uint8_t byte) {
    static const char digits[] = "0123456789abcdef";
    char letter = 0;
    switch (byte) {
        case '"': letter = '"'; break;
        case '\\': letter = '\\'; break;
        case '\n': letter = 'n'; break;
        case '\r': letter = 'r'; break;
        case '\t': letter = 't'; break;
        case '\b': letter = 'b'; break;
        case '\f': letter = 'f'; break;
    }
    out[0] = '\\';
    if (letter) {
        out[1] = (uint8_t)letter;
        return 2;
    }
    out[1] = 'u';
    out[2] = out[3] = '0';
    out[4] = (uint8_t)digits[byte >> 4];
    out[5] = (uint8_t)digits[byte & 15];
    return 6;
}

size_t rdb_json_escape(uint8_t *out, const uint8_t *bytes, size_t count, bool *has_high) {
    uint8_t *begin = out;
    size_t at = 0;
    unsigned high = 0;
#if defined(__SSE2__)
    const __m128i below_space = _mm_set1_epi8(0x1f), quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    while (count - at >= 16) {
        __m128i block = _mm_loadu_si128((const __m128i *)(bytes + at));
        _mm_storeu_si128((__m128i *)out, block);
        __m128i special = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(block, quote), _mm_cmpeq_epi8(block, backslash)),
            _mm_cmpeq_epi8(_mm_min_epu8(block, below_space), block));
        unsigned mask = (unsigned)_mm_movemask_epi8(special);
        high |= (unsigned)_mm_movemask_epi8(block);
        if (!mask) {
            at += 16, out += 16;
            continue;
        }
        // All escapes of the block in one go: what lies between two of them is copied behind the first.
        unsigned from = 0;
        do {
            unsigned next = (unsigned)__builtin_ctz(mask);
            mask &= mask - 1;
            // At most 15 bytes are wanted; 16 are stored, which the room of six bytes for each allows.
            if (from) _mm_storeu_si128((__m128i *)out, _mm_loadu_si128((const __m128i *)(bytes + at + from)));
            out += next - from;
            out += put_escape(out, bytes[at + next]);
            from = next + 1;
            if (at + from + 16 > count) break;
        } while (mask);
        at += from;
    }
#endif
    for (; at < count; at++) {
        uint8_t byte = bytes[at];
        high |= byte & 0x80;
        if (byte < 0x20 || byte == '"' || byte == '\\')
            out += put_escape(out, byte);
        else
            *out++ = byte;
    }
    if (high) *has_high = true;
    return (size_t)(out - begin);
}
