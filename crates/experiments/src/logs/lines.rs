//! Lines between two places of a file, one after the other, never more than a block and a bounded part of one line in memory.

use std::fs::File;
use std::io;
use std::ops::{ControlFlow, Range};

use crate::growing::read_range;

/// A line shows at most so many bytes.
pub const MAX_LINE_BYTES: usize = 16 << 10;

pub(super) const BLOCK_BYTES: u64 = 256 << 10;

/// A line as it is shown.
pub(super) struct ShownLine {
    pub(super) text: String,
    pub(super) is_cut: bool,
}

/// Calls `found` with the start of each line in `span` (at most `keep` bytes, without its newline) and its whole length; the last one may
/// lack its newline. Returns where the last line that was looked at ends.
pub(super) fn for_each(
    file: &File,
    span: Range<u64>,
    keep: usize,
    found: &mut dyn FnMut(&[u8], u64) -> ControlFlow<()>,
) -> io::Result<u64> {
    let mut block = Vec::new();
    let mut line: Vec<u8> = Vec::new();
    let mut line_bytes = 0;
    let mut at = span.start;
    while at < span.end {
        read_range(file, at, (at + BLOCK_BYTES).min(span.end), &mut block)?;
        if block.is_empty() {
            break;
        }
        let mut rest = block.as_slice();
        while let Some(newline) = memchr::memchr(b'\n', rest) {
            let (part, after) = rest.split_at(newline);
            rest = after.get(1..).unwrap_or_default();
            let end = at + (block.len() - rest.len()) as u64;
            let flow = if line_bytes == 0 {
                found(part.get(..keep).unwrap_or(part), part.len() as u64)
            } else {
                keep_part(&mut line, part, keep);
                found(&line, line_bytes + part.len() as u64)
            };
            line.clear();
            line_bytes = 0;
            if flow.is_break() {
                return Ok(end);
            }
        }
        keep_part(&mut line, rest, keep);
        line_bytes += rest.len() as u64;
        at += block.len() as u64;
    }
    if line_bytes > 0 && found(&line, line_bytes).is_break() {
        return Ok(at);
    }
    Ok(at)
}

fn keep_part(line: &mut Vec<u8>, part: &[u8], keep: usize) {
    let room = keep.saturating_sub(line.len()).min(part.len());
    line.extend_from_slice(part.get(..room).unwrap_or_default());
}

/// Gives lines of `span` after the first `skip`, at most `count` and about `max_bytes` of text.
pub(super) fn read(
    file: &File,
    span: Range<u64>,
    skip: u64,
    count: usize,
    max_bytes: usize,
    found: &mut dyn FnMut(ShownLine),
) -> io::Result<u64> {
    if count == 0 {
        return Ok(span.start);
    }
    let (mut number, mut given, mut bytes) = (0, 0, 0);
    for_each(file, span, MAX_LINE_BYTES + 1, &mut |line, whole_bytes| {
        number += 1;
        if number <= skip {
            return ControlFlow::Continue(());
        }
        let line = shown(line, whole_bytes);
        given += 1;
        bytes += line.text.len();
        found(line);
        if given >= count || bytes >= max_bytes {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
}

/// Where the lines of `span` after the first `skip` start.
pub(super) fn skip(file: &File, span: Range<u64>, skip: u64) -> io::Result<u64> {
    if skip == 0 {
        return Ok(span.start);
    }
    let mut number = 0;
    for_each(file, span, 0, &mut |_, _| {
        number += 1;
        if number >= skip {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })
}

/// A line as text, with a mark where it was cut.
pub(super) fn shown(line: &[u8], whole_bytes: u64) -> ShownLine {
    if whole_bytes <= MAX_LINE_BYTES as u64 {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        return ShownLine {
            text: String::from_utf8_lossy(line).into_owned(),
            is_cut: false,
        };
    }
    let start = line.get(..MAX_LINE_BYTES).unwrap_or(line);
    // A letter that the cut would split is left out with what follows.
    let whole_letters = match std::str::from_utf8(start) {
        Err(error) if error.error_len().is_none() => {
            start.get(..error.valid_up_to()).unwrap_or(start)
        }
        _ => start,
    };
    let text = String::from_utf8_lossy(whole_letters);
    ShownLine {
        text: format!(
            "{text}… [{} bytes cut]",
            whole_bytes - whole_letters.len() as u64
        ),
        is_cut: true,
    }
}

/// Where the last `count` lines before `end` start, found from the end backwards. A last line without a newline counts as one.
pub(super) fn last_lines_offset(file: &File, end: u64, count: u64) -> io::Result<u64> {
    if count == 0 {
        return Ok(end);
    }
    let mut block = Vec::new();
    let mut at = end;
    let mut newlines = 0;
    while at > 0 {
        let start = at.saturating_sub(BLOCK_BYTES);
        read_range(file, start, at, &mut block)?;
        for newline in memchr::memrchr_iter(b'\n', &block) {
            let after = start + newline as u64 + 1;
            if after == end {
                continue;
            }
            newlines += 1;
            if newlines == count {
                return Ok(after);
            }
        }
        at = start;
    }
    Ok(0)
}
