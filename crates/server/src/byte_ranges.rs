//! Files sent whole or in part: players seek, browsers keep what they have. One range at a time; any other wish is answered whole.

use std::io::{Seek as _, SeekFrom};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use runicorn_experiments::StampedFile;

use crate::attachment;
use crate::error::ApiError;
use crate::etags;

/// What of a file is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Range { from: u64, length: u64 },
    BeyondTheEnd,
}

/// A tag that changes with the file.
pub(crate) fn tag_of(prefix: &str, file: &StampedFile) -> HeaderValue {
    let tag = format!("\"{prefix}{:x}-{:x}\"", file.bytes, file.modified_ns);
    HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\""))
}

/// A file, or what the request wants of it. Plain headers only: what a browser may do with it the caller says.
pub(crate) fn answer(
    request: &HeaderMap,
    mut found: StampedFile,
    content_type: &'static str,
) -> Response {
    let tag = tag_of("", &found);
    if etags::is_known(request, &tag) {
        return tagged(StatusCode::NOT_MODIFIED.into_response(), tag);
    }
    let whole = found.bytes;
    let part = wanted(request, whole, &tag);
    let from = match part {
        Part::Range { from, .. } => from,
        Part::Whole | Part::BeyondTheEnd => 0,
    };
    // Someone may have read of it before.
    if let Err(error) = found.file.seek(SeekFrom::Start(from)) {
        return ApiError::internal(error).into_response();
    }
    let mut response = match part {
        Part::Whole => attachment::bytes_of(found.file, whole, content_type),
        Part::Range { from, length } => {
            let mut response = attachment::bytes_of(found.file, length, content_type);
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let told = format!("bytes {from}-{}/{whole}", from + length - 1);
            insert(&mut response, header::CONTENT_RANGE, &told);
            response
        }
        Part::BeyondTheEnd => {
            let mut response = StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            insert(
                &mut response,
                header::CONTENT_RANGE,
                &format!("bytes */{whole}"),
            );
            response
        }
    };
    insert(&mut response, header::ACCEPT_RANGES, "bytes");
    tagged(response, tag)
}

/// An answer with its tag.
pub(crate) fn tagged(mut response: Response, tag: HeaderValue) -> Response {
    response.headers_mut().insert(header::ETAG, tag);
    response
}

fn insert(response: &mut Response, name: header::HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        response.headers_mut().insert(name, value);
    }
}

/// A part is sent only of the file that the caller has another part of.
fn wanted(request: &HeaderMap, whole: u64, tag: &HeaderValue) -> Part {
    if request
        .get(header::IF_RANGE)
        .is_some_and(|known| known != tag)
    {
        return Part::Whole;
    }
    let mut ranges = request.get_all(header::RANGE).iter();
    match (ranges.next().map(HeaderValue::to_str), ranges.next()) {
        (Some(Ok(range)), None) => part_of(range, whole),
        _ => Part::Whole,
    }
}

/// A header that cannot be read, and one of several ranges, count as none.
fn part_of(range: &str, whole: u64) -> Part {
    let Some((from, to)) = range
        .strip_prefix("bytes=")
        .and_then(|range| range.trim().split_once('-'))
    else {
        return Part::Whole;
    };
    let number = |text: &str| {
        (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    let (from, to) = match (number(from), number(to)) {
        (Some(from), Some(to)) if from <= to => (from, to.min(whole.saturating_sub(1))),
        (Some(from), None) if to.is_empty() => (from, whole.saturating_sub(1)),
        (None, Some(last)) if from.is_empty() && last > 0 => {
            (whole.saturating_sub(last), whole.saturating_sub(1))
        }
        (None, Some(_)) if from.is_empty() => return Part::BeyondTheEnd,
        _ => return Part::Whole,
    };
    if from >= whole {
        return Part::BeyondTheEnd;
    }
    Part::Range {
        from,
        length: to - from + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_understood_and_every_other_wish_is_the_whole() {
        let check = |range: &str, part: Part| assert_eq!(part_of(range, 100), part, "{range}");
        let range = |from, length| Part::Range { from, length };
        check("bytes=0-", range(0, 100));
        check("bytes=10-19", range(10, 10));
        check("bytes=99-99", range(99, 1));
        check("bytes=90-1000", range(90, 10));
        check("bytes=-5", range(95, 5));
        check("bytes=-500", range(0, 100));
        check("bytes=100-", Part::BeyondTheEnd);
        check("bytes=-0", Part::BeyondTheEnd);
        check("bytes=99999999999999999999999-", Part::BeyondTheEnd);
        for odd in [
            "bytes=0-1,5-6",
            "bytes=5-4",
            "bytes=-",
            "bytes=",
            "lines=0-5",
            "bytes=+1-5",
            "bytes=a-b",
            "",
        ] {
            check(odd, Part::Whole);
        }
    }

    #[test]
    fn an_empty_file_has_no_part() {
        for range in ["bytes=0-", "bytes=-5", "bytes=0-0"] {
            assert_eq!(part_of(range, 0), Part::BeyondTheEnd, "{range}");
        }
    }
}
