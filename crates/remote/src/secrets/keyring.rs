//! The keyring of the system: the secret service on Linux, the keychain on macOS, the credential manager on Windows.
//!
//! All calls are made by one thread of its own, and each is waited for with a limit: a secret service may wait for a person
//! who unlocks it, or for ever. That also keeps its D-Bus work off the async threads.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

use ::keyring::{Entry, Error};
use zeroize::Zeroizing;

use crate::error::{RemoteError, RemoteResult};
use crate::secret::Secret;

/// What our entries are filed under.
const SERVICE: &str = "Runicorn Desktop";
/// Unlocking needs a person who finds the dialog and a password.
const ANSWER_LIMIT: Duration = Duration::from_secs(90);
/// Finding out whether there is a keyring needs nobody.
const OPEN_LIMIT: Duration = Duration::from_secs(15);

type Work = Box<dyn FnOnce() + Send>;

/// The system's keyring.
pub(super) struct Keyring {
    work: Sender<Work>,
}

impl Keyring {
    /// The keyring, or why there is none.
    pub(super) fn open() -> Result<Self, String> {
        let (work, jobs) = mpsc::channel::<Work>();
        std::thread::Builder::new()
            .name("keyring".to_owned())
            .spawn(move || jobs.into_iter().for_each(|job| job()))
            .map_err(|error| error.to_string())?;
        let keyring = Self { work };
        let status = keyring.ask(OPEN_LIMIT, || {
            Entry::store_status().as_ref().err().map(words)
        });
        match status {
            Ok(None) => Ok(keyring),
            Ok(Some(why)) | Err(RemoteError::Keyring(why)) => {
                Err(format!("this system has no keyring that answers ({why})"))
            }
            Err(error) => Err(error.to_string()),
        }
    }

    pub(super) fn get(&self, key: &str) -> RemoteResult<Option<Secret>> {
        let key = key.to_owned();
        let found = self.ask(ANSWER_LIMIT, move || {
            match Entry::new(SERVICE, &key).and_then(|entry| entry.get_password()) {
                Ok(text) => Ok(Some(Secret::new(text))),
                Err(Error::NoEntry) => Ok(None),
                Err(error) => Err(words(&error)),
            }
        })?;
        found.map_err(RemoteError::Keyring)
    }

    pub(super) fn set(&self, key: &str, secret: &Secret) -> RemoteResult<()> {
        let key = key.to_owned();
        let text = Zeroizing::new(secret.reveal().to_owned());
        let done = self.ask(ANSWER_LIMIT, move || {
            Entry::new(SERVICE, &key)
                .and_then(|entry| entry.set_password(&text))
                .map_err(|error| words(&error))
        })?;
        done.map_err(RemoteError::Keyring)
    }

    pub(super) fn remove(&self, key: &str) -> RemoteResult<()> {
        let key = key.to_owned();
        let done = self.ask(ANSWER_LIMIT, move || {
            match Entry::new(SERVICE, &key).and_then(|entry| entry.delete_credential()) {
                Ok(()) | Err(Error::NoEntry) => Ok(()),
                Err(error) => Err(words(&error)),
            }
        })?;
        done.map_err(RemoteError::Keyring)
    }

    fn ask<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> RemoteResult<T> {
        let (answer, answered) = mpsc::sync_channel(1);
        let job: Work = Box::new(move || {
            if answer.send(work()).is_err() {
                tracing::debug!("the keyring answered too late");
            }
        });
        let is_sent = self.work.send(job).is_ok();
        match answered.recv_timeout(limit) {
            Ok(answer) => Ok(answer),
            Err(RecvTimeoutError::Timeout) if is_sent => Err(RemoteError::Keyring(format!(
                "no answer within {} s",
                limit.as_secs()
            ))),
            Err(_) => Err(RemoteError::Keyring("its thread has ended".to_owned())),
        }
    }
}

/// Errors may carry what they were about; only their kind and the system's reason are told.
fn words(error: &Error) -> String {
    match error {
        Error::PlatformFailure(reason) => reason.to_string(),
        Error::NoStorageAccess(reason) => format!("it stayed locked: {reason}"),
        Error::BadEncoding(_) | Error::BadDataFormat(..) => "what lies there is no text".to_owned(),
        Error::Ambiguous(_) => "there are several entries of that name".to_owned(),
        Error::TooLong(_, limit) => format!("longer than {limit} characters"),
        _ => "it cannot be used".to_owned(),
    }
}
