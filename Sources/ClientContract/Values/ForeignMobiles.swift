/// Mobiles of other countries that look like Brazilian numbers when they are written without `+`: country code and
/// number have ten or eleven digits, begin with a Brazilian area code and go on as a subscriber number does.
///
/// From libphonenumber's metadata (what it holds to be MOBILE or FIXED_LINE_OR_MOBILE), rounded up to whole heads of
/// four to seven digits. `Tests/Oracles/check_values.py` proves the table complete, says how much rounding adds, and
/// writes it anew with `--table`.
package enum ForeignMobiles {
    /// The first seven digits of each range, first and last.
    package typealias Heads = (first: UInt64, last: UInt64)

    /// Ten digits: they could be a landline, or a mobile of before the ninth digit.
    package static let ten: [Heads] = [
        (2_438_000, 2_438_999), (2_463_000, 2_463_999), (2_482_000, 2_482_999), (2_781_000, 2_784_999),
        (3_546_000, 3_548_999), (3_584_000, 3_585_999), (3_725_000, 3_725_999), (4_237_000, 4_237_999),
        (4_364_800, 4_364_899), (4_365_000, 4_369_999), (4_520_000, 4_536_999), (4_538_000, 4_579_999),
        (4_581_000, 4_582_999), (4_586_000, 4_589_999), (4_591_000, 4_594_999), (4_596_000, 4_599_999),
        (4_740_000, 4_741_999), (4_745_000, 4_748_999), (4_790_000, 4_799_999), (5_350_000, 5_359_999),
        (5_362_000, 5_364_999), (6_421_000, 6_421_999), (6_426_000, 6_427_999), (6_580_000, 6_598_999),
        (6_732_200, 6_732_299), (6_737_000, 6_738_999), (6_742_200, 6_742_299), (6_745_500, 6_745_599),
        (6_746_600, 6_746_699), (6_747_700, 6_747_799), (6_748_000, 6_748_999), (6_749_900, 6_749_999),
        (6_765_400, 6_765_599), (6_766_000, 6_768_999), (6_769_900, 6_769_999), (6_776_000, 6_779_999),
        (6_785_000, 6_785_999), (6_787_000, 6_788_999), (6_792_000, 6_792_999), (6_794_000, 6_795_999),
        (6_797_000, 6_799_999), (6_838_880, 6_838_889), (6_857_000, 6_858_999), (6_887_000, 6_887_999),
        (6_922_300, 6_922_399), (6_923_200, 6_923_299), (6_924_500, 6_924_599), (6_925_400, 6_925_499),
        (8_823_400, 8_823_499), (9_592_000, 9_592_999), (9_595_000, 9_596_999), (9_598_000, 9_599_999),
    ]

    /// Eleven digits: they could be a mobile.
    package static let eleven: [Heads] = [
        (3_496_906, 3_496_906), (3_497_390, 3_497_399), (3_594_300, 3_594_399), (3_897_000, 3_897_999),
        (5_190_000, 5_199_999), (6_690_000, 6_699_999), (6_898_000, 6_898_999), (7_990_000, 7_999_999),
        (8_490_000, 8_499_999), (9_593_000, 9_594_999), (9_596_000, 9_597_999), (9_599_000, 9_599_999),
    ]

    static func contain(_ digits: UInt64, _ count: Int) -> Bool {
        switch count {
        case 10: ten.contains { $0.first <= digits / 1_000 && digits / 1_000 <= $0.last }
        case 11: eleven.contains { $0.first <= digits / 10_000 && digits / 10_000 <= $0.last }
        default: false
        }
    }
}
