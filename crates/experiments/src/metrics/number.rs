//! Numbers between text and memory: tokens of JSON numbers in, Python's spelling of numbers out.
//! Both have a short way for what training code writes (few digits) and a general way behind it.

/// Python refuses to read integers of more digits.
pub(crate) const MAX_INT_DIGITS: usize = 4300;

/// A number token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Int(i64),
    /// An integer above 64 bits: the token's text is its value.
    Big,
    Float(f64),
}

const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];
const INT_POWERS_OF_TEN: [u64; 9] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
];

/// The JSON number that `text` starts with, and the length of its token.
#[inline]
pub(crate) fn scan(text: &[u8]) -> Option<(Number, usize)> {
    let negative = text.first() == Some(&b'-');
    let start = usize::from(negative);
    let (mantissa, int_end) = digits(text, start, 0);
    let int_digits = int_end - start;
    if int_digits == 0 || (int_digits > 1 && text.get(start) == Some(&b'0')) {
        return None;
    }
    match text.get(int_end) {
        Some(b'.') => {
            let (mantissa, end) = digits(text, int_end + 1, mantissa);
            let decimals = end - int_end - 1;
            if decimals == 0 {
                return None;
            }
            let few_digits = int_digits + decimals <= 19 && mantissa <= 1 << 53 && decimals <= 22;
            if few_digits && !matches!(text.get(end), Some(b'e' | b'E')) {
                let value = mantissa as f64 / POWERS_OF_TEN.get(decimals)?;
                return Some((Number::Float(if negative { -value } else { value }), end));
            }
            float(text, end)
        }
        Some(b'e' | b'E') => float(text, int_end),
        _ if int_digits <= 18 => {
            let value = mantissa.cast_signed();
            Some((Number::Int(if negative { -value } else { value }), int_end))
        }
        _ => long_int(text.get(..int_end)?, int_digits),
    }
}

/// Digits from `at` on, appended to `value` (which wraps when there are more than 19), and where they end.
#[inline]
fn digits(text: &[u8], mut at: usize, mut value: u64) -> (u64, usize) {
    while let Some(eight) = text
        .get(at..at + 8)
        .and_then(|bytes| <[u8; 8]>::try_from(bytes).ok())
    {
        let digit = u64::from_le_bytes(eight) ^ 0x3030_3030_3030_3030;
        let other = (digit.wrapping_add(0x7676_7676_7676_7676) | digit) & 0x8080_8080_8080_8080;
        let count = (other.trailing_zeros() / 8) as usize;
        if count == 0 {
            return (value, at);
        }
        let aligned = digit << (64 - 8 * count);
        value = value
            .wrapping_mul(INT_POWERS_OF_TEN[count])
            .wrapping_add(eight_digits(aligned));
        at += count;
        if count < 8 {
            return (value, at);
        }
    }
    while let Some(digit) = text
        .get(at)
        .map(|byte| byte.wrapping_sub(b'0'))
        .filter(|&digit| digit < 10)
    {
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        at += 1;
    }
    (value, at)
}

/// The number that eight decimal digits (one a byte, first digit lowest) make.
#[inline]
fn eight_digits(digits: u64) -> u64 {
    let pairs = (digits.wrapping_mul(10)).wrapping_add(digits >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(100 + (1_000_000 << 32));
    let high = (pairs >> 16 & 0x0000_00ff_0000_00ff).wrapping_mul(1 + (10_000 << 32));
    low.wrapping_add(high) >> 32
}

#[cold]
fn float(text: &[u8], mut end: usize) -> Option<(Number, usize)> {
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        let first = end + 1 + sign;
        let (_, exponent_end) = digits(text, first, 0);
        if exponent_end == first {
            return None;
        }
        end = exponent_end;
    }
    let value = fast_float2::parse::<f64, _>(text.get(..end)?).ok()?;
    Some((Number::Float(value), end))
}

#[cold]
fn long_int(token: &[u8], int_digits: usize) -> Option<(Number, usize)> {
    if int_digits > MAX_INT_DIGITS {
        return None;
    }
    let number = std::str::from_utf8(token)
        .ok()?
        .parse()
        .map_or(Number::Big, Number::Int);
    Some((number, token.len()))
}

/// Appends a finite float as Python spells it: shortest digits that read back the same, a point always (`1.0`),
/// exponents from 1e16 on and below 0.0001 (`1e-05`).
#[inline]
pub(crate) fn push_float(out: &mut Vec<u8>, value: f64) {
    let size = value.abs();
    if value.is_sign_negative() {
        out.push(b'-');
    }
    if size < 1e9 {
        // A decimal of at most 15 digits that reads back as the same float is its shortest spelling.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 ≤ size·10⁶ < 10¹⁵"
        )]
        let micros = (size * 1e6 + 0.5) as u64;
        #[expect(clippy::float_cmp, reason = "exactly equal or not short")]
        if micros as f64 / 1e6 == size && (micros >= 100 || micros == 0) {
            return push_micros(out, micros);
        }
    }
    push_general(out, size);
}

#[inline]
fn push_micros(out: &mut Vec<u8>, micros: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(micros / 1_000_000).as_bytes());
    let mut rest = (micros % 1_000_000) as u32;
    let mut text = *b".000000";
    for digit in text[1..].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let zeros = text[2..]
        .iter()
        .rev()
        .take_while(|&&digit| digit == b'0')
        .count();
    out.extend_from_slice(&text[..7 - zeros]);
}

#[cold]
fn push_general(out: &mut Vec<u8>, size: f64) {
    let mut buffer = ryu::Buffer::new();
    let text = buffer.format(size);
    if (1e-4..1e16).contains(&size) || !size.is_finite() {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all: String = [whole, part].concat();
    let leading_zeros = all.len() - all.trim_start_matches('0').len();
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let digits = all.trim_start_matches('0').trim_end_matches('0');
    let (first, others) = digits.split_at_checked(1).unwrap_or(("0", ""));
    out.extend_from_slice(first.as_bytes());
    if !others.is_empty() {
        out.push(b'.');
        out.extend_from_slice(others.as_bytes());
    }
    let power =
        exponent + whole.len().cast_signed() as i64 - leading_zeros.cast_signed() as i64 - 1;
    out.extend_from_slice(if power < 0 { b"e-" } else { b"e+" });
    if power.abs() < 10 {
        out.push(b'0');
    }
    push_int(out, power.abs());
}

/// Appends an integer.
#[inline]
pub(crate) fn push_int(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends `text` as a JSON string, escaping what JSON asks for and nothing else.
pub(crate) fn push_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = rest
        .iter()
        .position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\')
    {
        let (plain, from) = rest.split_at(at);
        out.extend_from_slice(plain);
        match from[0] {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            8 => out.extend_from_slice(b"\\b"),
            12 => out.extend_from_slice(b"\\f"),
            other => out.extend_from_slice(format!("\\u{other:04x}").as_bytes()),
        }
        rest = &from[1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spelled(value: f64) -> String {
        let mut out = Vec::new();
        push_float(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn floats_are_spelled_as_python_does() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (0.000_001, "1e-06"),
            (0.000_1, "0.0001"),
            (0.000_123, "0.000123"),
            (0.000_012_34, "1.234e-05"),
            (1e-300, "1e-300"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.234_567_890_123_456_8e17, "1.2345678901234568e+17"),
            (1e308, "1e+308"),
            (123_456.789, "123456.789"),
            (1_795_187_697.614_937_5, "1795187697.6149375"),
            (f64::from(1.0_f32 / 3.0), "0.3333333432674408"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
        ] {
            assert_eq!(spelled(value), text);
        }
    }

    #[test]
    fn strings_are_escaped_as_python_does() {
        let mut out = Vec::new();
        push_string(&mut out, "a\"b\\c\n\r\t\u{8}\u{c}\u{1}é🚀/\u{7f}");
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\"a\\\"b\\\\c\\n\\r\\t\\b\\f\\u0001é🚀/\u{7f}\""
        );
    }

    #[test]
    fn tokens_that_are_not_json_numbers_are_refused() {
        for text in [
            "",
            "-",
            "+1",
            "01",
            "-01",
            ".5",
            "1.",
            "1.e5",
            "1e",
            "1e+",
            "abc",
            "-Infinity",
            "NaN",
        ] {
            assert_eq!(scan(text.as_bytes()), None, "{text}");
        }
        assert_eq!(scan("9".repeat(MAX_INT_DIGITS + 1).as_bytes()), None);
    }

    #[test]
    fn integers_of_any_size_are_exact() {
        assert_eq!(
            scan(b"9223372036854775807,"),
            Some((Number::Int(i64::MAX), 19))
        );
        assert_eq!(
            scan(b"-9223372036854775808"),
            Some((Number::Int(i64::MIN), 20))
        );
        assert_eq!(scan(b"9223372036854775808"), Some((Number::Big, 19)));
        assert_eq!(scan(b"100000000000000000000}"), Some((Number::Big, 21)));
        assert_eq!(scan(b"0"), Some((Number::Int(0), 1)));
        assert_eq!(scan(b"-0"), Some((Number::Int(0), 2)));
    }

    fn check_float(text: &str) {
        let Some((Number::Float(value), length)) = scan(text.as_bytes()) else {
            panic!("{text} is a float")
        };
        let expected: f64 = text.parse().unwrap();
        assert_eq!(
            (value.to_bits(), length),
            (expected.to_bits(), text.len()),
            "{text}"
        );
    }

    #[test]
    fn floats_read_as_the_standard_library_reads_them() {
        for text in [
            "1.0",
            "-0.0",
            "1e5",
            "1E-400",
            "1e999",
            "0.1e1",
            "123456789.123456789123456789",
            "9007199254740993.0",
        ] {
            check_float(text);
        }
    }

    proptest! {
        #[test]
        fn any_decimal_reads_exactly(text in "-?(0|[1-9][0-9]{0,20})\\.[0-9]{1,25}([eE][+-]?[0-9]{1,3})?") {
            check_float(&text);
        }

        #[test]
        fn any_integer_reads_exactly(value in any::<i64>()) {
            let text = format!("{value},");
            prop_assert_eq!(scan(text.as_bytes()), Some((Number::Int(value), text.len() - 1)));
        }

        #[test]
        fn any_float_is_spelled_shortest_and_reads_back(bits in any::<u64>()) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let text = spelled(value);
            prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits);
            let digits = |text: &str| text.split('e').next().unwrap_or("").trim_end_matches(".0").trim_matches(['-', '0'])
                .replace('.', "").trim_matches('0').len();
            let mut buffer = ryu::Buffer::new();
            prop_assert_eq!(digits(&text), digits(buffer.format_finite(value)));
        }

        #[test]
        fn any_rounded_value_is_spelled_as_ryu_does(micros in -1_000_000_000_000_000_i64..1_000_000_000_000_000) {
            let value = micros as f64 / 1e6;
            prop_assume!(value == 0.0 || value.abs() >= 1e-4);
            let mut buffer = ryu::Buffer::new();
            prop_assert_eq!(spelled(value), buffer.format_finite(value));
        }
    }
}
