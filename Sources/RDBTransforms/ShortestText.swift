/// The text of a double as servers since Redis 7.2 write it: Grisu2, the shortest digits in nearly all cases and always
/// digits that read back to the same double.
///
/// Not always the shortest: the algorithm works on 64 bits and gives up the last digit where it cannot be sure. To write
/// what the servers write, the same powers of ten have to be chosen and rounded the same way.
/// Source: F. Loitsch, "Printing Floating-Point Numbers Quickly and Accurately with Integers" (2010), algorithm Grisu2;
/// redis/redis deps/fpconv/fpconv_dtoa.c for the choices that the paper leaves open.
struct ShortestText {
    /// At most 17 digits, a sign, a point, four of an exponent, or seven zeros.
    private var storage = InlineArray<32, UInt8>(repeating: 0)
    private var count = 0

    var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            // Bytes have no padding; count <= 32.
            unsafe storage.span.bytes.extracting(first: count)
        }
    }

    init(_ value: Double) {
        if value.sign == .minus { append(UInt8(ascii: "-")) }
        if value.isNaN {
            append("nan")
        } else if value.isInfinite {
            append("inf")
        } else if value == 0 {
            append("0")
        } else {
            append(Decimal(value.magnitude))
        }
    }

    private mutating func append(_ byte: UInt8) {
        storage[count] = byte
        count += 1
    }

    private mutating func append(_ text: String) {
        for byte in text.utf8 { append(byte) }
    }

    private mutating func append(_ decimal: Decimal) {
        let exponent = decimal.power + decimal.count - 1
        func digits(_ range: Range<Int>, _ text: inout ShortestText) {
            for index in range { text.append(0x30 + decimal.digits[index]) }
        }
        if decimal.power >= 0, abs(exponent) < decimal.count + 7 {
            digits(0..<decimal.count, &self)
            for _ in 0..<decimal.power { append("0") }
        } else if decimal.power < 0, decimal.power > -7 || abs(exponent) < 4 {
            let point = decimal.count + decimal.power
            if point > 0 {
                digits(0..<point, &self)
                append(".")
                digits(point..<decimal.count, &self)
            } else {
                append("0.")
                for _ in point..<0 { append("0") }
                digits(0..<decimal.count, &self)
            }
        } else {
            digits(0..<1, &self)
            if decimal.count > 1 {
                append(".")
                digits(1..<decimal.count, &self)
            }
            append(exponent < 0 ? "e-" : "e+")
            append(String(abs(exponent)))
        }
    }

    /// `significand * 2^exponent`, the significand using all 64 bits or nearly so.
    private struct Scaled {
        var significand: UInt64
        var exponent: Int

        /// The product, its lower half rounded off.
        func times(_ other: Scaled) -> Scaled {
            let product = significand.multipliedFullWidth(by: other.significand)
            return Scaled(
                significand: product.high + product.low >> 63, exponent: exponent + other.exponent + 64)
        }
    }

    /// `0.d1d2… * 10^(count + power)`: digits, and the power of ten that the last one counts.
    private struct Decimal {
        var digits = InlineArray<18, UInt8>(repeating: 0)
        var count = 0
        var power = 0

        init(_ value: Double) {
            // value = significand * 2^exponent, both exact.
            let isNormal = value.exponentBitPattern > 0
            let significand = value.significandBitPattern | (isNormal ? 1 << 52 : 0)
            let exponent = (isNormal ? Int(value.exponentBitPattern) : 1) - 1075

            // Half way to the doubles above and below; the one below a power of two is nearer.
            let doubled = significand << 1 + 1
            let shift = doubled.leadingZeroBitCount
            var upper = Scaled(significand: doubled << UInt64(shift), exponent: exponent - 1 - shift)
            let isNearer = significand == 1 << 52
            let below = isNearer ? significand << 2 - 1 : significand << 1 - 1
            var lower = Scaled(
                significand: below << UInt64(exponent - (isNearer ? 2 : 1) - upper.exponent), exponent: upper.exponent)
            let zeros = significand.leadingZeroBitCount
            var middle = Scaled(significand: significand << UInt64(zeros), exponent: exponent - zeros)

            let scale = PowersOfTen.scale(for: upper.exponent)
            power = -scale.decimal
            upper = upper.times(Scaled(significand: scale.significand, exponent: scale.exponent))
            lower = lower.times(Scaled(significand: scale.significand, exponent: scale.exponent))
            middle = middle.times(Scaled(significand: scale.significand, exponent: scale.exponent))
            // The products may be off by one: only what is surely between the halves counts.
            upper.significand -= 1
            lower.significand += 1
            generate(from: upper, middle: middle.significand, width: upper.significand - lower.significand)
        }

        /// Digits of `upper`, until what is left of it is less than `width`: then all digits that could follow name numbers
        /// between the halves.
        private mutating func generate(from upper: Scaled, middle: UInt64, width: UInt64) {
            let fractionBits = UInt64(-upper.exponent)
            let one = UInt64(1) << fractionBits
            var whole = upper.significand >> fractionBits
            var fraction = upper.significand & (one - 1)
            let toMiddle = upper.significand - middle
            // `scale` keeps whole below 2^32: ten digits at most.
            var divisor: UInt64 = 1_000_000_000
            var places = 10
            while places > 0 {
                add(UInt8(whole / divisor))
                whole %= divisor
                places -= 1
                let rest = whole << fractionBits + fraction
                if rest <= width {
                    power += places
                    return nearMiddle(rest: rest, width: width, step: divisor << fractionBits, toMiddle: toMiddle)
                }
                divisor /= 10
            }
            var width = width
            var unit: UInt64 = 1
            while true {
                fraction *= 10
                width *= 10
                unit *= 10
                places -= 1
                add(UInt8(fraction >> fractionBits))
                fraction &= one - 1
                if fraction < width {
                    power += places
                    return nearMiddle(rest: fraction, width: width, step: one, toMiddle: toMiddle &* unit)
                }
            }
        }

        private mutating func add(_ digit: UInt8) {
            guard digit > 0 || count > 0, count < 18 else { return }
            digits[count] = digit
            count += 1
        }

        /// Lowers the last digit while that leads nearer to the number itself and stays between the halves.
        private mutating func nearMiddle(rest: UInt64, width: UInt64, step: UInt64, toMiddle: UInt64) {
            var rest = rest
            while rest < toMiddle, width - rest >= step,
                rest + step < toMiddle || toMiddle - rest > rest + step - toMiddle
            {
                digits[count - 1] &-= 1
                rest += step
            }
        }
    }
}

/// 10^-348, 10^-340 … 10^340, each as 64 bits times a power of two, rounded to nearest.
private enum PowersOfTen {
    static let first = -348
    static let step = 8

    /// The power that brings a number of this binary exponent down to one between -60 and -32. Of the two that sometimes
    /// do, it is the first one found from an estimate.
    static func scale(for exponent: Int) -> (significand: UInt64, exponent: Int, decimal: Int) {
        let estimate = Int(Double(-(exponent + significands.count)) * 0.30102999566398114)
        var index = (estimate - first) / step
        while true {
            let decimal = first + index * step
            // floor(decimal * log2(10)) - 63, exact in this range.
            let binary = (decimal * 217706) >> 16 - 63
            let scaled = exponent + binary + 64
            if scaled < -60 {
                index += 1
            } else if scaled > -32 {
                index -= 1
            } else {
                return (significands[index], binary, decimal)
            }
        }
    }

    private static let significands: InlineArray<87, UInt64> = [
        0xfa8f_d5a0_081c_0288, 0xbaae_e17f_a23e_bf76, 0x8b16_fb20_3055_ac76, 0xcf42_894a_5dce_35ea,
        0x9a6b_b0aa_5565_3b2d, 0xe61a_cf03_3d1a_45df, 0xab70_fe17_c79a_c6ca, 0xff77_b1fc_bebc_dc4f,
        0xbe56_91ef_416b_d60c, 0x8dd0_1fad_907f_fc3c, 0xd351_5c28_3155_9a83, 0x9d71_ac8f_ada6_c9b5,
        0xea9c_2277_23ee_8bcb, 0xaecc_4991_4078_536d, 0x823c_1279_5db6_ce57, 0xc210_9436_4dfb_5637,
        0x9096_ea6f_3848_984f, 0xd774_85cb_2582_3ac7, 0xa086_cfcd_97bf_97f4, 0xef34_0a98_172a_ace5,
        0xb238_67fb_2a35_b28e, 0x84c8_d4df_d2c6_3f3b, 0xc5dd_4427_1ad3_cdba, 0x936b_9fce_bb25_c996,
        0xdbac_6c24_7d62_a584, 0xa3ab_6658_0d5f_daf6, 0xf3e2_f893_dec3_f126, 0xb5b5_ada8_aaff_80b8,
        0x8762_5f05_6c7c_4a8b, 0xc9bc_ff60_34c1_3053, 0x964e_858c_91ba_2655, 0xdff9_7724_7029_7ebd,
        0xa6df_bd9f_b8e5_b88f, 0xf8a9_5fcf_8874_7d94, 0xb944_7093_8fa8_9bcf, 0x8a08_f0f8_bf0f_156b,
        0xcdb0_2555_6531_31b6, 0x993f_e2c6_d07b_7fac, 0xe45c_10c4_2a2b_3b06, 0xaa24_2499_6973_92d3,
        0xfd87_b5f2_8300_ca0e, 0xbce5_0864_9211_1aeb, 0x8cbc_cc09_6f50_88cc, 0xd1b7_1758_e219_652c,
        0x9c40_0000_0000_0000, 0xe8d4_a510_0000_0000, 0xad78_ebc5_ac62_0000, 0x813f_3978_f894_0984,
        0xc097_ce7b_c907_15b3, 0x8f7e_32ce_7bea_5c70, 0xd5d2_38a4_abe9_8068, 0x9f4f_2726_179a_2245,
        0xed63_a231_d4c4_fb27, 0xb0de_6538_8cc8_ada8, 0x83c7_088e_1aab_65db, 0xc45d_1df9_4271_1d9a,
        0x924d_692c_a61b_e758, 0xda01_ee64_1a70_8dea, 0xa26d_a399_9aef_774a, 0xf209_787b_b47d_6b85,
        0xb454_e4a1_79dd_1877, 0x865b_8692_5b9b_c5c2, 0xc835_53c5_c896_5d3d, 0x952a_b45c_fa97_a0b3,
        0xde46_9fbd_99a0_5fe3, 0xa59b_c234_db39_8c25, 0xf6c6_9a72_a398_9f5c, 0xb7dc_bf53_54e9_bece,
        0x88fc_f317_f222_41e2, 0xcc20_ce9b_d35c_78a5, 0x9816_5af3_7b21_53df, 0xe2a0_b5dc_971f_303a,
        0xa8d9_d153_5ce3_b396, 0xfb9b_7cd9_a4a7_443c, 0xbb76_4c4c_a7a4_4410, 0x8bab_8eef_b640_9c1a,
        0xd01f_ef10_a657_842c, 0x9b10_a4e5_e991_3129, 0xe710_9bfb_a19c_0c9d, 0xac28_20d9_623b_f429,
        0x8044_4b5e_7aa7_cf85, 0xbf21_e440_03ac_dd2d, 0x8e67_9c2f_5e44_ff8f, 0xd433_179d_9c8c_b841,
        0x9e19_db92_b4e3_1ba9, 0xeb96_bf6e_badf_77d9, 0xaf87_023b_9bf0_ee6b,
    ]
}
