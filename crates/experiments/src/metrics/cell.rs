//! One recorded value in eight bytes. A float is itself; everything else hides in the payload of a negative quiet NaN,
//! which no parser of ours produces. So a column of a million numbers costs eight megabytes and numbers keep their kind.

const TAG_SHIFT: u32 = 48;
const PAYLOAD: u64 = (1 << TAG_SHIFT) - 1;
const BOX: u64 = 0xfff8 << TAG_SHIFT;
const RECORDED_NAN: u64 = 0x7ff8 << TAG_SHIFT;

const TAG_ABSENT: u64 = 0;
const TAG_NULL: u64 = 1;
const TAG_BOOL: u64 = 2;
const TAG_INT: u64 = 3;
const TAG_WIDE: u64 = 4;
const TAG_BIG: u64 = 5;
const TAG_TEXT: u64 = 6;

/// A value as stored in a column; integers of more than 48 bits and texts are positions in side lists of the row group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell(pub(crate) u64);

/// What a [`Cell`] holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Absent,
    Null,
    Bool(bool),
    Int(i64),
    /// Position in the group's list of 64-bit integers.
    Wide(usize),
    /// Position of the decimal digits of an integer above 64 bits.
    Big(usize),
    Float(f64),
    /// Position of a string.
    Text(usize),
}

const fn boxed(tag: u64, payload: u64) -> Cell {
    Cell(BOX | tag << TAG_SHIFT | payload & PAYLOAD)
}

impl Cell {
    pub(crate) const ABSENT: Cell = boxed(TAG_ABSENT, 0);
    pub(crate) const NULL: Cell = boxed(TAG_NULL, 0);

    #[inline]
    pub(crate) fn float(value: f64) -> Cell {
        if value.is_nan() {
            Cell(RECORDED_NAN)
        } else {
            Cell(value.to_bits())
        }
    }

    pub(crate) fn bool(value: bool) -> Cell {
        boxed(TAG_BOOL, u64::from(value))
    }

    /// An integer that fits into 48 bits, `None` for larger ones.
    #[inline]
    #[expect(
        clippy::cast_sign_loss,
        reason = "two's complement payload, read back with its sign"
    )]
    pub(crate) fn int(value: i64) -> Option<Cell> {
        let shifted = value << 16;
        (shifted >> 16 == value).then(|| boxed(TAG_INT, value as u64))
    }

    pub(crate) fn wide(position: usize) -> Cell {
        boxed(TAG_WIDE, position as u64)
    }

    pub(crate) fn big(position: usize) -> Cell {
        boxed(TAG_BIG, position as u64)
    }

    pub(crate) fn text(position: usize) -> Cell {
        boxed(TAG_TEXT, position as u64)
    }

    /// The value of a float that is finite, told by one comparison.
    #[inline]
    pub(crate) fn finite_float(self) -> Option<f64> {
        let value = f64::from_bits(self.0);
        // Everything that is no float is a NaN by its bits.
        value.is_finite().then_some(value)
    }

    #[inline]
    pub(crate) fn is_absent(self) -> bool {
        self == Cell::ABSENT
    }

    #[inline]
    #[expect(clippy::cast_possible_wrap, reason = "payloads have 48 bits")]
    pub(crate) fn kind(self) -> Kind {
        if self.0 < BOX {
            return Kind::Float(f64::from_bits(self.0));
        }
        let payload = self.0 & PAYLOAD;
        match (self.0 >> TAG_SHIFT) & 7 {
            TAG_NULL => Kind::Null,
            TAG_BOOL => Kind::Bool(payload != 0),
            TAG_INT => Kind::Int((payload << 16) as i64 >> 16),
            TAG_WIDE => Kind::Wide(payload as usize),
            TAG_BIG => Kind::Big(payload as usize),
            TAG_TEXT => Kind::Text(payload as usize),
            _ => Kind::Absent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_value_comes_back_as_it_was() {
        for value in [
            0.0,
            -0.0,
            1.0,
            -1.5,
            1e-300,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::MAX,
            f64::MIN_POSITIVE,
        ] {
            let Kind::Float(back) = Cell::float(value).kind() else {
                panic!("{value} is a float")
            };
            assert_eq!(back.to_bits(), value.to_bits());
        }
        assert!(matches!(Cell::float(f64::NAN).kind(), Kind::Float(v) if v.is_nan()));
        assert!(matches!(Cell::float(-f64::NAN).kind(), Kind::Float(v) if v.is_nan()));
        for value in [0, 1, -1, (1 << 47) - 1, -(1 << 47)] {
            assert_eq!(Cell::int(value).map(Cell::kind), Some(Kind::Int(value)));
        }
        for value in [1 << 47, -(1 << 47) - 1, i64::MAX, i64::MIN] {
            assert_eq!(Cell::int(value), None);
        }
        assert_eq!(Cell::bool(true).kind(), Kind::Bool(true));
        assert_eq!(Cell::bool(false).kind(), Kind::Bool(false));
        assert_eq!(Cell::NULL.kind(), Kind::Null);
        assert_eq!(Cell::ABSENT.kind(), Kind::Absent);
        assert_eq!(Cell::wide(9).kind(), Kind::Wide(9));
        assert_eq!(Cell::big(9).kind(), Kind::Big(9));
        assert_eq!(Cell::text(9).kind(), Kind::Text(9));
    }
}
