//! Numbers in decimal notation, parsed without a detour through binary floating point.

/// The maximum precision of a decimal column.
pub(super) const MAX_PRECISION: u8 = 38;

/// A JSON number: its digits without zeros at either end, and an exponent of ten.
struct Number<'t> {
    is_negative: bool,
    integer: &'t [u8],
    fraction: &'t [u8],
    exponent: i64,
}

impl<'t> Number<'t> {
    fn of(text: &'t str) -> Option<Self> {
        let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
        let (text, exponent) = match text.split_once(['e', 'E']) {
            // An exponent out of range means zero or a number too large for any column; its exact value is irrelevant.
            Some((text, exponent)) => (text, read_exponent(exponent)?),
            None => (text, 0),
        };
        let (integer, fraction) = match text.split_once('.') {
            Some((_, "")) => return None,
            Some((integer, fraction)) => (integer.as_bytes(), fraction.as_bytes()),
            None => (text.as_bytes(), &b""[..]),
        };
        let is_grammar = !integer.is_empty()
            && integer.iter().chain(fraction).all(u8::is_ascii_digit)
            && (integer.len() == 1 || integer[0] != b'0');
        is_grammar.then(|| {
            let (mut integer, fraction) = (trim_start(integer), trim_end(fraction));
            let mut exponent = exponent.saturating_sub(count(fraction));
            if fraction.is_empty() {
                let digits = trim_end(integer);
                exponent = exponent.saturating_add(count(integer) - count(digits));
                integer = digits;
            }
            Self { is_negative, integer, fraction, exponent }
        })
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        // Zeros between the decimal point and the first digit are not significant.
        self.integer.iter().chain(self.fraction).copied().skip_while(|digit| *digit == b'0')
    }
}

fn read_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_grammar = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let beyond = if text.starts_with('-') { i64::MIN / 4 } else { i64::MAX / 4 };
    is_grammar.then(|| text.parse().map_or(beyond, |exponent: i64| exponent.clamp(i64::MIN / 4, i64::MAX / 4)))
}

fn count(digits: &[u8]) -> i64 {
    i64::try_from(digits.len()).unwrap_or(i64::MAX / 8)
}

fn trim_start(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    &digits[zeros..]
}

fn trim_end(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().rev().take_while(|digit| **digit == b'0').count();
    &digits[..digits.len() - zeros]
}

/// Parses a number in units of ten to the power of `-scale`; `None` if it is not a number, not exact, or has more digits
/// than `precision`.
pub(super) fn decimal(text: &str, precision: u8, scale: u8) -> Option<i128> {
    let number = Number::of(text)?;
    let mut units: i128 = 0;
    let mut digits = 0_u8;
    for digit in number.digits() {
        digits += 1;
        if digits > MAX_PRECISION {
            return None;
        }
        units = units * 10 + i128::from(digit - b'0');
    }
    if units == 0 {
        return Some(0);
    }
    let zeros = u8::try_from(number.exponent.checked_add(i64::from(scale))?).ok()?;
    if digits.checked_add(zeros)? > precision.min(MAX_PRECISION) {
        return None;
    }
    units *= 10_i128.pow(zeros.into());
    Some(if number.is_negative { -units } else { units })
}

/// Parses an integer; `None` if the string is not an integer of 64 bits.
pub(super) fn integer(text: &str) -> Option<i64> {
    // A fast path: 18 digits always fit.
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let is_plain = digits.len() <= 18 && digits.iter().all(u8::is_ascii_digit) && digits.first() != Some(&b'0');
    if is_plain { text.parse().ok() } else { decimal(text, 19, 0).and_then(|number| number.try_into().ok()) }
}

/// Parses a floating-point number; `None` if the string is not a number or out of range.
pub(super) fn float(text: &str) -> Option<f64> {
    Number::of(text)?;
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The digits that a column needs to represent a number exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct DecimalSize {
    /// Digits before the decimal point.
    pub(super) integers: u8,
    /// Digits after the decimal point.
    pub(super) scale: u8,
    /// True for an integer of 64 bits, written without a decimal point or an exponent.
    pub(super) is_integer: bool,
}

/// Returns the size of a number; `None` if no decimal column can represent it.
pub(super) fn size(text: &str) -> Option<DecimalSize> {
    let number = Number::of(text)?;
    let is_plain = !text.contains(['.', 'e', 'E']);
    let digits = i64::try_from(number.digits().count()).ok()?;
    let (integers, least) = match digits {
        0 => (0, 0),
        _ => ((digits + number.exponent).max(0), (-number.exponent).max(0)),
    };
    // Trailing zeros count, since other numbers of the column may have these digits.
    let written = if text.contains(['e', 'E']) { 0 } else { text.split_once('.').map_or(0, |(_, text)| text.len()) };
    let scale = least.max(i64::try_from(written).ok()?);
    let scale = if integers + scale > i64::from(MAX_PRECISION) { least } else { scale };
    let is_integer = is_plain && integer(text).is_some();
    (integers + scale <= i64::from(MAX_PRECISION)).then_some(DecimalSize {
        integers: u8::try_from(integers).ok()?,
        scale: u8::try_from(scale).ok()?,
        is_integer,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_decimal_is_exact_or_nothing() {
        for (text, precision, scale, units) in [
            ("12.34", 4, 2, Some(1234)),
            ("-12.34", 4, 2, Some(-1234)),
            ("12.3", 4, 2, Some(1230)),
            ("12", 4, 2, Some(1200)),
            ("12.340000000000000000000000000000000000000000000", 4, 2, Some(1234)),
            ("12.345", 38, 2, None),
            ("123.4", 4, 2, None),
            ("0.05", 2, 2, Some(5)),
            ("0.05", 1, 2, Some(5)),
            ("0", 1, 0, Some(0)),
            ("-0.00", 1, 0, Some(0)),
            ("1e2", 3, 0, Some(100)),
            ("1E+2", 3, 0, Some(100)),
            ("1.5e-3", 4, 4, Some(15)),
            ("1.5e-3", 4, 3, None),
            ("1500e-1", 3, 0, Some(150)),
            ("0e99999999999999999999", 1, 0, Some(0)),
            ("1e99999999999999999999", 38, 0, None),
            ("1e-99999999999999999999", 38, 38, None),
            ("99999999999999999999999999999999999999", 38, 0, Some(10_i128.pow(38) - 1)),
            ("100000000000000000000000000000000000000", 38, 0, None),
            ("-0.99999999999999999999999999999999999999", 38, 38, Some(1 - 10_i128.pow(38))),
        ] {
            assert_eq!(decimal(text, precision, scale), units, "{text} in decimal({precision}, {scale})");
        }
    }

    #[test]
    fn a_string_that_is_not_a_json_number_is_rejected() {
        for text in [
            "", "-", "+1", "01", "0940", "1.", ".5", "1e", "1e+", "1e1.5", "1 ", " 1", "0x1", "NaN", "inf", "1_0",
            "--1", "١",
        ] {
            assert_eq!(decimal(text, 38, 0), None, "{text}");
            assert_eq!(integer(text), None, "{text}");
            assert_eq!(float(text), None, "{text}");
            assert_eq!(size(text), None, "{text}");
        }
    }

    #[test]
    fn integers_end_at_64_bits() {
        for number in [0, 1, -1, i64::MAX, i64::MIN, 999_999_999_999_999_999, 1_000_000_000_000_000_000] {
            assert_eq!(integer(&number.to_string()), Some(number));
        }
        assert_eq!(integer("9223372036854775808"), None);
        assert_eq!(integer("-9223372036854775809"), None);
        assert_eq!(integer("-0"), Some(0));
        assert_eq!(integer("12.0"), Some(12));
        assert_eq!(integer("1e3"), Some(1000));
        assert_eq!(integer("12.5"), None);
    }

    #[test]
    fn floats_are_finite() {
        assert_eq!(float("1.5e300"), Some(1.5e300));
        assert_eq!(float("1e400"), None);
    }

    #[test]
    fn the_size_is_that_of_the_digits_as_written() {
        let of = |text| size(text).map(|size| (size.integers, size.scale, size.is_integer));
        assert_eq!(of("0"), Some((0, 0, true)));
        assert_eq!(of("-150"), Some((3, 0, true)));
        assert_eq!(of("12.50"), Some((2, 2, false)));
        assert_eq!(of("0.00"), Some((0, 2, false)));
        assert_eq!(of("0.05"), Some((0, 2, false)));
        assert_eq!(of("1e2"), Some((3, 0, false)));
        assert_eq!(of("1.5e-3"), Some((0, 4, false)));
        assert_eq!(of("9223372036854775808"), Some((19, 0, false)));
        assert_eq!(of("1e38"), None);
        assert_eq!(of("1e-39"), None);
        assert_eq!(of(&format!("0.1{}", "0".repeat(50))), Some((0, 1, false)));
    }

    proptest! {
        #[test]
        fn a_number_fits_a_column_of_its_size(text in "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,20})?([eE][-+]?[0-9]{1,2})?") {
            if let Some(DecimalSize { integers, scale, is_integer }) = size(&text) {
                let precision = (integers + scale).max(1);
                let units = decimal(&text, precision, scale);
                prop_assert!(units.is_some());
                prop_assert_eq!(is_integer, !text.contains(['.', 'e', 'E']) && text.parse::<i64>().is_ok());
                // Compare with rust_decimal where it can represent the number.
                if let Ok(number) = text.parse::<rust_decimal::Decimal>().map(|number| number.normalize())
                    && number.to_string().parse() == Ok(number)
                    && let Some(units) = units
                    && !text.contains(['e', 'E'])
                    && integers + scale <= 28
                {
                    prop_assert_eq!(rust_decimal::Decimal::from_i128_with_scale(units, scale.into()), number);
                }
            }
        }
    }
}
