import RDBBytes
import Testing

@testable import AOFState

@Suite("XXH3")
struct XXH3Tests {
    /// Of bytes that count up in steps; computed by the algorithm's own reference implementation, version 0.8.
    static let digests: [(Int, UInt64, UInt64)] = [
        (4, 0x2179_08f0_7519_e96e, 0x6a20_c426_eb2d_a17d),
        (5, 0xa41e_304e_579f_7e9a, 0x7d19_28e5_620b_65c0),
        (8, 0x4506_373e_f0af_21f8, 0xdd66_9d55_07e0_e940),
        (9, 0xa51b_1428_8278_0bcb, 0x781b_fd0e_8d95_a9ad),
        (12, 0x64d0_ea73_f623_781c, 0x3fd6_343b_1b1e_6155),
        (16, 0x49bf_196d_3564_9b79, 0x6c53_b945_f90d_6798),
        (17, 0x94ad_051a_ea79_6d7e, 0xf889_d91b_7faf_2082),
        (31, 0x92dd_265e_3624_18f7, 0x9951_88ab_98e3_4de7),
        (32, 0x369c_ab95_1c51_1911, 0x2cb5_59bb_64d2_93e9),
        (33, 0x2ef0_0541_392e_cc50, 0x60f5_a457_7ba8_2b1c),
        (64, 0x92fd_891d_246f_b531, 0x49b0_4363_1b5d_4d51),
        (65, 0x5b07_dd3a_a17b_0b34, 0x2845_7563_c6ec_ae37),
        (96, 0xa88b_752c_fafc_28c3, 0x1939_f2a7_3ddc_43ec),
        (97, 0x4d36_251a_2e32_0331, 0x0dd9_8837_fd4f_559e),
        (128, 0xd480_e3bd_eadb_f37f, 0x776e_5a2c_ae08_df3b),
        (129, 0x6a4d_da91_524c_13ef, 0xb550_da2f_0422_5655),
        (159, 0x0030_8c86_e564_7b3b, 0xd034_a01d_73aa_06b6),
        (160, 0x6cc4_a404_001a_cef7, 0x1cbb_c2b4_950b_db76),
        (161, 0x6860_0530_6bb9_02e6, 0x8a3b_2c9e_f0bc_f775),
        (191, 0x5d7e_c157_6fdd_62ee, 0xa185_4858_e576_907e),
        (192, 0xc28b_bf4d_30a0_6ff3, 0x7ce9_8c3c_6164_7895),
        (200, 0xe550_7d5f_45f0_f53e, 0x91f8_f631_e6bb_7d8f),
        (239, 0x2da5_9b28_932e_698f, 0x29c7_fc71_e824_7f63),
        (240, 0x4f23_bfd3_6097_34e8, 0x3f55_8c88_fda1_da66),
        (241, 0xbff7_2150_8920_2d8f, 0x9ea4_2720_27cb_71fc),
        (256, 0xc034_02b5_dce3_dbfa, 0x64c1_66f4_7247_07e6),
        (512, 0xf25f_9ccb_460b_c87e, 0x82f9_2aec_684e_9201),
        (1023, 0x60bb_7337_eff8_0653, 0xe696_c93e_80dc_69f9),
        (1024, 0x33ba_3936_0ec0_1521, 0x0514_a692_31f1_f60e),
        (1025, 0xa786_9155_85c6_bf1b, 0x95d9_e0f2_aa81_ad40),
        (1088, 0xe569_b884_290c_10a6, 0x2fdc_e951_c9d6_b921),
        (2048, 0xe31b_be25_e5c5_311e, 0x1534_5a89_72b9_9d45),
        (2049, 0x25ba_debd_ec1e_bf98, 0xaecd_43b6_65ae_35f3),
        (4999, 0xf3d1_f30b_bb54_840e, 0x0f8e_d02e_f1a3_72ca),
    ]

    @Test("digests of all forms of input", arguments: digests.indices)
    func digest(index: Int) {
        let (count, low, high) = Self.digests[index]
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7 + ($0 >> 8) * 13 + 1) }
        #expect(XXH3.digest(bytes.rawSpan) == XXH3.Digest(low: low, high: high), "\(count) bytes")
    }

    @Test("the ID of an entry's fields is what a server made of them, in any order")
    func fields() {
        var fields = StreamFields()
        fields.begin()
        fields.append(name: Array("f".utf8).rawSpan)
        fields.append(value: Array("v3".utf8).rawSpan)
        // As Redis 8.8 saved it.
        let expected: [UInt8] = [
            0x57, 0xee, 0xd7, 0x91, 0xce, 0x82, 0x6b, 0x88, 0x80, 0x48, 0x1e, 0xad, 0xde, 0x02, 0x5b, 0xc5,
        ]
        #expect(IdempotentID.digest(fields) == expected)
        let pairs = [("a", "1"), ("bb", ""), ("", "ccc")]
        let digests = [pairs, pairs.reversed()].map { pairs in
            fields.begin()
            for (name, value) in pairs {
                fields.append(name: Array(name.utf8).rawSpan)
                fields.append(value: Array(value.utf8).rawSpan)
            }
            return IdempotentID.digest(fields)
        }
        #expect(digests[0] == digests[1] && digests[0] != expected)
    }
}
