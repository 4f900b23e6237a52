//! Bringing our own viewer to the far side: once for each version, checked before it is trusted.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::builds::LoadedBuild;
use super::line::{Line, Lines, value};
use super::platform::Platform;
use crate::connection::Connection;
use crate::error::{Phase, RemoteError, RemoteResult};
use crate::script::{Script, cleaned};

const RECEIVE: &str = include_str!("receive.sh");
const WHAT: &str = "sending the viewer";
/// What the far side may say about it.
const SAID_BYTES: usize = 16 << 10;
/// A link that carries less than this in a second is no link for sending programs.
const SLOWEST_BYTES_PER_SEC: u64 = 16 << 10;

/// Our viewer on the far side.
pub(super) struct Placed {
    /// Where.
    pub(super) program: String,
    /// How much had to be sent.
    pub(super) sent_bytes: u64,
}

enum Outcome {
    Placed,
    /// Not there, but perhaps elsewhere.
    NotHere(String),
    /// It arrived and does not run.
    DoesNotRun(String),
}

/// Makes sure that our viewer lies on the far side and runs there.
pub(super) async fn ensure(
    connection: &Connection,
    line: &mut Line,
    platform: &Platform,
    build: &LoadedBuild,
    tell: &(dyn Fn(Phase) + Send + Sync),
) -> RemoteResult<Placed> {
    let size = build.size_bytes.to_string();
    let found = line.ask(&["have", &build.sha256, &size]).await?;
    if let Some(program) = value(&found, "viewer") {
        return Ok(Placed {
            program: program.to_owned(),
            sent_bytes: 0,
        });
    }
    tell(Phase::Installing);
    let payload = payload(build, line.hello().has_gzip)?;
    let kilobytes = (build.size_bytes / 1024 + 1024).to_string();
    let mut place = String::new();
    let mut reasons = Vec::new();
    let mut sent_bytes = 0;
    loop {
        let room = line.ask(&["room", &kilobytes, &place]).await?;
        reasons.extend(room.iter().filter_map(|line| refusal(line)));
        let Some(next) = value(&room, "place") else {
            return Err(no_room(&reasons));
        };
        next.clone_into(&mut place);
        sent_bytes += payload.len() as u64;
        match send(connection, &place, build, &payload).await? {
            Outcome::Placed => {
                let program = format!("{place}/viewers/{}/runicorn-viewer", build.sha256);
                return Ok(Placed {
                    program,
                    sent_bytes,
                });
            }
            Outcome::NotHere(why) => reasons.push((place.clone(), why)),
            Outcome::DoesNotRun(why) => {
                let platform = format!("{} (it does not start there: {why})", platform.name);
                return Err(RemoteError::PlatformUnsupported { platform });
            }
        }
    }
}

struct Payload {
    bytes: Bytes,
    form: &'static str,
}

impl Payload {
    fn len(&self) -> usize {
        self.bytes.len()
    }
}

fn payload(build: &LoadedBuild, has_gzip: bool) -> RemoteResult<Payload> {
    if build.is_gzip && has_gzip {
        return Ok(Payload {
            bytes: build.packed.clone(),
            form: "gzip",
        });
    }
    let bytes = build.plain().map_err(|error| RemoteError::Install {
        folder: "the server".to_owned(),
        detail: format!("this app's viewer is damaged: {error}"),
    })?;
    Ok(Payload {
        bytes,
        form: "plain",
    })
}

/// `not PLACE: WHY`
fn refusal(line: &str) -> Option<(String, String)> {
    let (place, why) = line.strip_prefix("not ")?.split_once(": ")?;
    Some((cleaned(place, 300), cleaned(why.trim(), 300)))
}

/// The first place is where it belongs, and why it cannot be there is what a person can mend.
fn no_room(reasons: &[(String, String)]) -> RemoteError {
    let (folder, detail) = reasons.first().cloned().unwrap_or_else(|| {
        (
            "the home folder".to_owned(),
            "there is no folder for it".to_owned(),
        )
    });
    let others = match reasons.len().saturating_sub(1) {
        0 => String::new(),
        1 => " (and one other place would not do either)".to_owned(),
        more => format!(" (and {more} other places would not do either)"),
    };
    RemoteError::Install {
        folder,
        detail: detail + &others,
    }
}

async fn send(
    connection: &Connection,
    place: &str,
    build: &LoadedBuild,
    payload: &Payload,
) -> RemoteResult<Outcome> {
    let mine = format!("{:016x}", rand::random::<u64>());
    let script = Script::new(WHAT, RECEIVE)
        .arg(place)
        .arg(&build.sha256)
        .arg(payload.form)
        .arg(&mine)
        .arg(&build.cksum);
    let mut lines = Lines::of(connection, script.start(connection).await?);
    if lines.next().await? != "go" {
        return Err(connection.lost());
    }
    let (ahead, stream) = lines.into_parts();
    let (from, mut to) = tokio::io::split(stream);
    let write = async {
        // The far side may give up before it has read everything; what it says then is what counts.
        if to.write_all(&payload.bytes).await.is_ok() {
            to.shutdown().await.unwrap_or_default();
        }
        std::future::pending::<()>().await;
    };
    let mut said = ahead;
    let mut from = from.take(SAID_BYTES as u64);
    let read = from.read_to_end(&mut said);
    let limit = Duration::from_secs(60 + payload.len() as u64 / SLOWEST_BYTES_PER_SEC);
    let done = async {
        tokio::select! {
            read = read => read.is_ok(),
            () = write => false,
        }
    };
    let is_whole =
        tokio::time::timeout(limit, done)
            .await
            .map_err(|_late| RemoteError::Timeout {
                host: connection.target().host.clone(),
                phase: Phase::Installing,
                limit,
            })?;
    if !is_whole || !connection.is_live() {
        return Err(connection.lost());
    }
    Ok(outcome(&String::from_utf8_lossy(&said)))
}

fn outcome(said: &str) -> Outcome {
    let (word, rest) = said.trim().split_once(' ').unwrap_or((said.trim(), ""));
    let rest = cleaned(rest.trim(), 400);
    match word {
        "placed" => Outcome::Placed,
        "norun" => Outcome::DoesNotRun(rest),
        "damaged" => Outcome::NotHere("what arrived is not what was sent".to_owned()),
        _ if rest.is_empty() => Outcome::NotHere("it cannot be written".to_owned()),
        _ => Outcome::NotHere(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_can_mend_is_the_first_reason() {
        let reasons: Vec<_> = [
            "not /home/u/.cache/runicorn-desktop: only 12 KiB are free, 6000 are needed ",
            "place /nowhere",
            "not /tmp/runicorn-desktop-1: programs may not run there (noexec?): ",
        ]
        .into_iter()
        .filter_map(refusal)
        .collect();
        let error = no_room(&reasons).to_string();
        assert_eq!(
            error,
            "the viewer cannot be put into /home/u/.cache/runicorn-desktop on the server: only 12 KiB are free, 6000 are \
             needed (and one other place would not do either)"
        );
    }

    #[test]
    fn the_words_of_a_full_disk_are_told_and_those_of_a_foreign_loader_too() {
        let full = "unwritten gzip: stdout: No space left on device \n";
        assert!(matches!(outcome(full), Outcome::NotHere(why) if why.contains("No space left")));
        let loader = "norun 1 ./x: /lib/libc.so.6: version `GLIBC_2.34' not found\u{1b}[0m";
        assert!(
            matches!(outcome(loader), Outcome::DoesNotRun(why) if why.contains("GLIBC_2.34") && !why.contains('\u{1b}'))
        );
        assert!(matches!(
            outcome("placed runicorn-viewer 1\n"),
            Outcome::Placed
        ));
    }
}
