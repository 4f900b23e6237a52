//! A kept-alive HTTP connection that only measures: one request at a time, seconds from the first byte sent to the
//! last byte received. Nothing is compressed.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};

/// The connection.
pub(super) struct Client {
    address: String,
    stream: BufReader<TcpStream>,
    /// Kept, so that the system has no new pages to hand out while it is measured.
    room: Vec<u8>,
}

/// A whole answer.
pub(super) struct Answer {
    /// From the first byte sent to the last byte received.
    pub(super) seconds: f64,
    body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    pub(super) fn json(&self) -> Result<serde_json::Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// How often this text stands in the body.
    pub(super) fn count(&self, text: &str) -> usize {
        String::from_utf8_lossy(&self.body).matches(text).count()
    }
}

impl Client {
    pub(super) fn connect(address: &str) -> Result<Self> {
        let stream =
            TcpStream::connect(address).with_context(|| format!("nobody answers on {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            address: address.to_owned(),
            stream: BufReader::with_capacity(1 << 20, stream),
            room: Vec::new(),
        })
    }

    pub(super) fn get(&mut self, path: &str) -> Result<Answer> {
        self.exchange("GET", path, "")
    }

    pub(super) fn post(&mut self, path: &str, json: &str) -> Result<Answer> {
        self.exchange("POST", path, json)
    }

    fn exchange(&mut self, method: &str, path: &str, json: &str) -> Result<Answer> {
        let begin = Instant::now();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{json}",
            self.address,
            json.len()
        );
        self.stream.get_mut().write_all(head.as_bytes())?;
        let (status, length) = self.head()?;
        self.room.clear();
        match length {
            Some(length) => self.exactly(length)?,
            None => self.chunks()?,
        }
        let seconds = begin.elapsed().as_secs_f64();
        let body = self.room.clone();
        ensure!(
            status == 200,
            "{method} {path}: {status} {}",
            String::from_utf8_lossy(&body)
        );
        Ok(Answer { seconds, body })
    }

    /// The status, and the body's length unless it comes in chunks.
    fn head(&mut self) -> Result<(u16, Option<usize>)> {
        let status = self
            .line()?
            .split_whitespace()
            .nth(1)
            .and_then(|word| word.parse().ok())
            .context("no status")?;
        let (mut length, mut is_chunked) = (None, false);
        loop {
            let line = self.line()?.to_ascii_lowercase();
            match line
                .split_once(':')
                .map(|(name, value)| (name, value.trim()))
            {
                None => break,
                Some(("content-length", value)) => length = Some(value.parse()?),
                Some(("transfer-encoding", "chunked")) => is_chunked = true,
                Some(_) => {}
            }
        }
        if length.is_none() && !is_chunked {
            bail!("an answer without an end");
        }
        Ok((status, length))
    }

    fn chunks(&mut self) -> Result<()> {
        loop {
            let size = usize::from_str_radix(self.line()?.trim(), 16)?;
            self.exactly(size)?;
            self.line()?;
            if size == 0 {
                return Ok(());
            }
        }
    }

    fn exactly(&mut self, length: usize) -> Result<()> {
        let wanted = self.room.len() + length;
        (&mut self.stream)
            .take(length as u64)
            .read_to_end(&mut self.room)?;
        ensure!(self.room.len() == wanted, "the answer ends early");
        Ok(())
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }
}
