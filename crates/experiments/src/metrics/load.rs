//! Reading a stretch of `events.jsonl` into row groups, on two threads when it is long. Plain reads, no memory map: a file that is cut
//! while it is mapped kills the process.

use std::fs::File;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::group::RowGroup;
use super::names::Names;
use super::scan::Scanner;
use crate::growing::read_range;

/// A line longer than this is left out.
pub(crate) const MAX_LINE_BYTES: u64 = 32 << 20;

/// Below this a second thread costs more than it brings.
const PARALLEL_BYTES: u64 = 1 << 20;
const THREADS: usize = 2;

/// What a stretch of the file held.
#[derive(Debug, Default)]
pub(crate) struct Stretch {
    pub(crate) names: Names,
    /// Rows in file order, with column ids of `names`.
    pub(crate) groups: Vec<RowGroup>,
    /// Just after the last newline that was read.
    pub(crate) end: u64,
    /// Bytes after it.
    pub(crate) torn: Vec<u8>,
    /// Whether `end` lies in the middle of a line that is too long.
    pub(crate) in_long_line: bool,
    pub(crate) garbage_lines: u64,
    pub(crate) long_lines: u64,
}

/// One piece of a stretch, with the lines that start in it.
#[derive(Debug, Default)]
struct Piece {
    scanner: Scanner,
    end: Option<u64>,
    torn: Vec<u8>,
    long_lines: u64,
    ends_in_long_line: bool,
}

/// Reads the lines that start in `from..to`. `from` is the start of a line, or within one that is too long (`in_long_line`).
pub(crate) fn read_stretch(
    file: &File,
    from: u64,
    to: u64,
    in_long_line: bool,
) -> io::Result<Stretch> {
    let piece_bytes = ((to - from) / 32).clamp(PARALLEL_BYTES / 2, 4 << 20);
    let count = (to - from).div_ceil(piece_bytes).max(1);
    let pieces = Mutex::new(Vec::new());
    let next = AtomicU64::new(0);
    let work = || -> io::Result<()> {
        let mut buffer = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(());
            }
            let start = from + number * piece_bytes;
            let mid_line = number > 0 || in_long_line;
            let piece = read_piece(
                file,
                start,
                (start + piece_bytes).min(to),
                to,
                mid_line,
                &mut buffer,
            )?;
            lock(&pieces).push((number, piece));
        }
    };
    if to - from < PARALLEL_BYTES {
        work()?;
    } else {
        std::thread::scope(|scope| {
            let helpers: Vec<_> = (1..THREADS).map(|_| scope.spawn(work)).collect();
            let mine = work();
            helpers.into_iter().fold(mine, |done, helper| {
                done.and(
                    helper
                        .join()
                        .unwrap_or_else(|_| Err(io::Error::other("a reader thread failed"))),
                )
            })
        })?;
    }
    let mut pieces = pieces
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    pieces.sort_by_key(|(number, _)| *number);
    let mut stretch = join(
        pieces.into_iter().map(|(_, piece)| piece),
        from,
        in_long_line,
    );
    if stretch.in_long_line && stretch.end == from {
        stretch.end = to;
    }
    Ok(stretch)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Reads the lines that start in `start..end`; the last may go on beyond, up to `to`.
fn read_piece(
    file: &File,
    start: u64,
    end: u64,
    to: u64,
    mid_line: bool,
    buffer: &mut Vec<u8>,
) -> io::Result<Piece> {
    let mut piece = Piece::default();
    // The byte before tells whether a line starts exactly at `start`.
    let from = start - u64::from(mid_line && start > 0);
    read_range(file, from, end, buffer)?;
    let mut first = 0;
    if mid_line {
        let Some(newline) = memchr::memchr(b'\n', buffer) else {
            return Ok(piece);
        };
        first = newline + 1;
    }
    let Some(last) = memchr::memrchr(b'\n', buffer)
        .map(|newline| newline + 1)
        .filter(|&last| last >= first)
    else {
        return finish_last_line(
            file,
            piece,
            from + first as u64,
            to,
            buffer.split_off(first),
        );
    };
    piece
        .scanner
        .lines(buffer.get(first..last).unwrap_or_default());
    piece.end = Some(from + last as u64);
    let rest = buffer.get(last..).unwrap_or_default().to_vec();
    finish_last_line(file, piece, from + last as u64, to, rest)
}

/// Reads on until the line that starts at `start` ends; `line` is what is known of it.
fn finish_last_line(
    file: &File,
    mut piece: Piece,
    start: u64,
    to: u64,
    mut line: Vec<u8>,
) -> io::Result<Piece> {
    let mut more = Vec::new();
    let mut at = start + line.len() as u64;
    piece.end = Some(start);
    if line.is_empty() {
        piece.scanner.close_group();
        return Ok(piece);
    }
    while at < to {
        read_range(file, at, (at + (256 << 10)).min(to), &mut more)?;
        if more.is_empty() {
            break;
        }
        if let Some(newline) = memchr::memchr(b'\n', &more) {
            line.extend_from_slice(more.get(..newline).unwrap_or_default());
            if line.len() as u64 > MAX_LINE_BYTES {
                piece.long_lines += 1;
            } else {
                piece.scanner.line(&line);
            }
            piece.end = Some(at + newline as u64 + 1);
            piece.scanner.close_group();
            return Ok(piece);
        }
        at += more.len() as u64;
        // The bytes of a line that is too long are passed over, not kept.
        if line.len() as u64 <= MAX_LINE_BYTES {
            line.extend_from_slice(&more);
        }
    }
    if line.len() as u64 > MAX_LINE_BYTES {
        piece.long_lines += 1;
        piece.ends_in_long_line = true;
        piece.end = Some(at);
    } else {
        piece.torn = line;
    }
    piece.scanner.close_group();
    Ok(piece)
}

fn join(pieces: impl Iterator<Item = Piece>, from: u64, in_long_line: bool) -> Stretch {
    let mut stretch = Stretch {
        end: from,
        in_long_line,
        ..Stretch::default()
    };
    for piece in pieces {
        stretch.garbage_lines += piece.scanner.garbage_lines;
        stretch.long_lines += piece.long_lines;
        if let Some(end) = piece.end.filter(|&end| end >= stretch.end) {
            stretch.end = end;
            stretch.torn = piece.torn;
            stretch.in_long_line = piece.ends_in_long_line;
        }
        let mut groups = piece.scanner.groups;
        adopt(&mut stretch.names, &piece.scanner.names, &mut groups);
        stretch.groups.append(&mut groups);
    }
    stretch
}

/// Gives the columns of `groups`, which count by `from`, the numbers of `names`, which learns what is new.
fn adopt(names: &mut Names, from: &Names, groups: &mut [RowGroup]) {
    if !groups.is_empty() {
        for (_, name) in from.iter() {
            names.intern(name);
        }
        renumber(names, from, groups);
    }
}

/// Gives the columns of `groups`, which count by `from`, the numbers of `names`; a column that `names` has no room for falls out.
pub(crate) fn renumber(names: &Names, from: &Names, groups: &mut [RowGroup]) {
    let mut new_ids = vec![Some(super::names::TS)];
    new_ids.extend(from.iter().map(|(_, name)| names.find(name)));
    for group in groups {
        group.chunks.retain_mut(|chunk| {
            match new_ids.get(chunk.column as usize).copied().flatten() {
                Some(column) => {
                    chunk.column = column;
                    true
                }
                None => false,
            }
        });
        group.chunks.sort_unstable_by_key(|chunk| chunk.column);
    }
}
