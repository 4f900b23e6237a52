//! Files and archives as downloads: names that any browser saves rightly, bytes that leave as they are read.

use std::fs::File;
use std::io::{self, Write};

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::sync::mpsc;
use tokio_util::io::ReaderStream;

/// Bytes that travel at once, and how many such pieces may wait for a slow client.
const PIECE_BYTES: usize = 64 << 10;
const PIECES_WAITING: usize = 8;

/// What stays as it is in a file name, as in the documented server.
const PLAIN: AsciiSet = NON_ALPHANUMERIC
    .remove(b'_')
    .remove(b'.')
    .remove(b'-')
    .remove(b'~')
    .remove(b'/');

/// The header that offers `name` for saving.
pub(crate) fn disposition(name: &str) -> HeaderValue {
    let encoded = utf8_percent_encode(name, &PLAIN).to_string();
    let text = if encoded == name {
        format!("attachment; filename=\"{name}\"")
    } else {
        format!("attachment; filename*=utf-8''{encoded}")
    };
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

/// A file as a download.
pub(crate) fn file(file: File, bytes: u64, name: &str) -> Response {
    let mut response = bytes_of(file, bytes, content_type(name));
    response
        .headers_mut()
        .insert(header::CONTENT_DISPOSITION, disposition(name));
    response
}

/// A file's bytes. What is written to the file after it was measured is left out.
pub(crate) fn bytes_of(file: File, bytes: u64, content_type: &'static str) -> Response {
    use tokio::io::AsyncReadExt as _;
    let reader = tokio::fs::File::from_std(file).take(bytes);
    let body = Body::from_stream(ReaderStream::with_capacity(reader, PIECE_BYTES));
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// A download that `write` makes while it is being sent. An error cuts the connection, so that the client sees it.
pub(crate) fn written(
    name: &str,
    content_type: &'static str,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
) -> Response {
    let (pieces, waiting) = mpsc::channel(PIECES_WAITING);
    tokio::task::spawn_blocking(move || {
        let mut out = PieceWriter {
            pieces,
            buffer: Vec::with_capacity(PIECE_BYTES),
        };
        let outcome = write(&mut out).and_then(|()| out.flush());
        if let Err(error) = outcome
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            tracing::warn!(%error, "a download broke off");
            drop(out.pieces.blocking_send(Err(error)));
        }
    });
    let pieces = stream::unfold(waiting, |mut waiting| async {
        waiting.recv().await.map(|piece| (piece, waiting))
    });
    // A compressor asks once more after the end.
    let mut response = Body::from_stream(pieces.fuse()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CONTENT_DISPOSITION, disposition(name));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}

/// Collects what is written into pieces and waits while the client is slow.
struct PieceWriter {
    pieces: mpsc::Sender<io::Result<Bytes>>,
    buffer: Vec<u8>,
}

impl Write for PieceWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.buffer, Vec::with_capacity(PIECE_BYTES));
        self.pieces
            .blocking_send(Ok(Bytes::from(piece)))
            .map_err(|_closed| io::ErrorKind::BrokenPipe.into())
    }
}

/// Type by the ending of a name, from the list that the documented server has; the rest are plain bytes.
pub(crate) fn content_type(name: &str) -> &'static str {
    let ending = name
        .rsplit_once('.')
        .map(|(_, ending)| ending.to_ascii_lowercase());
    match ending.as_deref().unwrap_or_default() {
        "png" => "image/png",
        "jpg" | "jpeg" | "jpe" => "image/jpeg",
        "gif" => "image/gif",
        "bmp" => "image/bmp",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "apng" => "image/apng",
        "svg" => "image/svg+xml",
        "tif" | "tiff" => "image/tiff",
        "ico" => "image/vnd.microsoft.icon",
        "mp4" | "m4v" => "video/mp4",
        "webm" => "video/webm",
        "mov" | "qt" => "video/quicktime",
        "ogv" => "video/ogg",
        "avi" => "video/x-msvideo",
        "mpeg" | "mpg" => "video/mpeg",
        "wav" => "audio/x-wav",
        "mp3" => "audio/mpeg",
        "ogg" | "opus" => "audio/ogg",
        "flac" => "audio/flac",
        "m4a" => "audio/mp4",
        "json" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "md" => "text/markdown; charset=utf-8",
        "html" | "htm" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "py" => "text/x-python; charset=utf-8",
        "xml" => "text/xml; charset=utf-8",
        "tsv" => "text/tab-separated-values; charset=utf-8",
        "zip" => "application/zip",
        "tar" => "application/x-tar",
        "pdf" => "application/pdf",
        "h5" | "hdf5" => "application/x-hdf5",
        "gz" | "tgz" => "application/gzip",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_plain_is_sent_encoded() {
        let check = |name: &str, header: &str| {
            assert_eq!(disposition(name).to_str().unwrap(), header);
        };
        check("a-b_c.~png", "attachment; filename=\"a-b_c.~png\"");
        check("y z.png", "attachment; filename*=utf-8''y%20z.png");
        check("图.png", "attachment; filename*=utf-8''%E5%9B%BE.png");
        check(
            "a\"b\r\nx: y",
            "attachment; filename*=utf-8''a%22b%0D%0Ax%3A%20y",
        );
    }
}
