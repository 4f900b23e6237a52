//! What comes back from a script: its own output is cut out of all that is printed.

use russh::ChannelMsg;

use super::{READY, STDERR_TAIL, ScriptOutput, cleaned};
use crate::error::{RemoteError, RemoteResult};

/// What start files may print before the script begins.
const NOISE_BYTES: usize = 256 << 10;
/// What is kept of stderr: the end.
const STDERR_KEPT: usize = 64 << 10;

/// What was said so far.
pub(super) struct Reply {
    what: &'static str,
    limit_bytes: usize,
    begin: Vec<u8>,
    end: Vec<u8>,
    end_of_stderr: Vec<u8>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    is_ready: bool,
    /// Where the script's own output begins.
    begun_at: Option<usize>,
    /// Where its output ends, and its status.
    ended: Option<(usize, u32)>,
    has_stderr_ended: bool,
    /// Up to here there is no marker to come.
    searched: usize,
    status: Option<u32>,
}

impl Reply {
    pub(super) fn new(token: &str, what: &'static str, limit_bytes: usize) -> Self {
        Self {
            what,
            limit_bytes,
            begin: format!("\n{token}b\n").into_bytes(),
            end: format!("\n{token}e ").into_bytes(),
            end_of_stderr: format!("\n{token}e\n").into_bytes(),
            stdout: Vec::new(),
            stderr: Vec::new(),
            is_ready: false,
            begun_at: None,
            ended: None,
            has_stderr_ended: false,
            searched: 0,
            status: None,
        }
    }

    /// Takes a message; false once nothing more is needed.
    pub(super) fn take(&mut self, message: ChannelMsg) -> RemoteResult<bool> {
        match message {
            ChannelMsg::Data { data } => self.take_stdout(&data)?,
            ChannelMsg::ExtendedData { data, ext: 1 } => self.take_stderr(&data),
            ChannelMsg::ExitStatus { exit_status } => self.status = Some(exit_status),
            ChannelMsg::Close => return Ok(false),
            _ => {}
        }
        Ok(self.ended.is_none() || !self.has_stderr_ended)
    }

    pub(super) fn take_stdout(&mut self, data: &[u8]) -> RemoteResult<()> {
        self.stdout.extend_from_slice(data);
        self.look_for_begin();
        self.look_for_end();
        let is_too_much = match (self.begun_at, self.ended) {
            (None, _) => self.stdout.len() > NOISE_BYTES,
            (Some(begun_at), Some((ended_at, _))) => ended_at - begun_at > self.limit_bytes,
            (Some(begun_at), None) => {
                self.stdout.len() - begun_at > self.limit_bytes + self.end.len()
            }
        };
        if is_too_much {
            return Err(RemoteError::TooMuchOutput {
                what: self.what.to_owned(),
                limit_bytes: self.limit_bytes,
            });
        }
        Ok(())
    }

    fn look_for_begin(&mut self) {
        if self.begun_at.is_some() {
            return;
        }
        let new = &self.stdout[self.searched..];
        self.is_ready = self.is_ready || find(new, READY).is_some();
        let found = find(new, &self.begin).map(|at| self.searched + at + self.begin.len());
        self.begun_at = found;
        let seam = self.stdout.len().saturating_sub(self.begin.len());
        self.searched = found.unwrap_or(seam);
    }

    fn look_for_end(&mut self) {
        if self.begun_at.is_none() || self.ended.is_some() {
            return;
        }
        let Some(at) = find(&self.stdout[self.searched..], &self.end) else {
            let seam = self.stdout.len().saturating_sub(self.end.len());
            self.searched = self.searched.max(seam);
            return;
        };
        self.searched += at;
        let number = &self.stdout[self.searched + self.end.len()..];
        if let Some(length) = number.iter().position(|byte| *byte == b'\n') {
            let status = str::from_utf8(&number[..length]).ok();
            let status = status.and_then(|text| text.parse().ok());
            self.ended = Some((self.searched, status.unwrap_or(255)));
        }
    }

    pub(super) fn take_stderr(&mut self, data: &[u8]) {
        self.stderr.extend_from_slice(data);
        let from = self
            .stderr
            .len()
            .saturating_sub(data.len() + self.end_of_stderr.len());
        self.has_stderr_ended |= find(&self.stderr[from..], &self.end_of_stderr).is_some();
        if self.stderr.len() > 2 * STDERR_KEPT {
            self.stderr.drain(..self.stderr.len() - STDERR_KEPT);
        }
    }

    /// `/bin/sh` is there.
    pub(super) fn is_ready(&self) -> bool {
        self.is_ready
    }

    /// The script has begun.
    pub(super) fn has_begun(&self) -> bool {
        self.begun_at.is_some()
    }

    /// `/bin/sh` was there and found no script.
    pub(super) fn is_unread(&self) -> bool {
        self.is_ready && self.begun_at.is_none()
    }

    /// What the script wrote, finished or not.
    pub(super) fn into_output(mut self) -> Vec<u8> {
        match self.begun_at {
            Some(at) => self.stdout.split_off(at),
            None => Vec::new(),
        }
    }

    /// The end of everything, for a person who must find out what runs there instead.
    pub(super) fn everything_said(&self) -> String {
        let said = if self.stderr.trim_ascii().is_empty() {
            &self.stdout
        } else {
            &self.stderr
        };
        tail(said)
    }

    /// The script's output and status; nothing when it did not finish.
    pub(super) fn finished(&self) -> Option<ScriptOutput> {
        let begun_at = self.begun_at?;
        let (ended_at, status) = self.ended?;
        let stdout_bytes = self.stdout[begun_at..ended_at].to_vec();
        let mut stderr = self.stderr.as_slice();
        if let Some(at) = find(stderr, &self.begin) {
            stderr = &stderr[at + self.begin.len() - 1..];
        }
        if let Some(at) = find(stderr, &self.end_of_stderr) {
            stderr = &stderr[..at];
        }
        Some(ScriptOutput {
            status,
            stdout: String::from_utf8_lossy(&stdout_bytes).into_owned(),
            stdout_bytes,
            stderr: tail(stderr),
        })
    }
}

fn tail(bytes: &[u8]) -> String {
    let bytes = &bytes[bytes.len().saturating_sub(STDERR_TAIL)..];
    cleaned(String::from_utf8_lossy(bytes).trim(), STDERR_TAIL)
}

pub(super) fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|part| part == needle)
}
