//! Which of our viewers a far side can run.

use crate::error::RemoteError;
use crate::script::cleaned;

use super::line::Hello;

/// The oldest C library that our builds for Linux run on.
const OLDEST_GLIBC: (u32, u32) = (2, 17);

/// A far side, as far as a program of ours cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Platform {
    /// `x86_64-linux`, as in [`ViewerBuild`](crate::ViewerBuild).
    pub(crate) name: String,
    /// What is there in place of a C library that we can use.
    trouble: Option<String>,
}

impl Platform {
    /// From what the far side says about itself.
    pub(crate) fn of(hello: &Hello) -> Self {
        let mut words = hello.system.split_whitespace();
        let system = words.next().unwrap_or("unknown").to_lowercase();
        let machine = match words.next().unwrap_or("unknown").to_lowercase().as_str() {
            "amd64" | "x86_64" => "x86_64".to_owned(),
            "arm64" | "aarch64" => "aarch64".to_owned(),
            other => other.to_owned(),
        };
        let trouble = if system == "linux" {
            libc_trouble(&hello.libc)
        } else {
            None
        };
        Self {
            name: cleaned(&format!("{machine}-{system}"), 80),
            trouble,
        }
    }

    /// Says that none of our viewers runs there.
    pub(crate) fn unsupported(&self) -> RemoteError {
        let platform = match &self.trouble {
            Some(trouble) => format!("{} with {trouble}", self.name),
            None => self.name.clone(),
        };
        RemoteError::PlatformUnsupported { platform }
    }

    /// Our builds are there for this C library.
    pub(crate) fn has_our_libc(&self) -> bool {
        self.trouble.is_none()
    }
}

/// glibc 2.17 and later is fine, and so is not to know: the viewer is run once before it is trusted.
fn libc_trouble(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    if lower.contains("musl") {
        return Some("musl".to_owned());
    }
    let is_glibc = lower.contains("glibc") || lower.contains("gnu libc");
    let version = lower
        .split(|letter: char| !letter.is_ascii_digit() && letter != '.')
        .find_map(|word| {
            let (major, minor) = word.split_once('.')?;
            let minor = minor.split('.').next()?;
            Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
        });
    match version {
        Some(version) if is_glibc && version < OLDEST_GLIBC => {
            Some(format!("glibc {}.{}", version.0, version.1))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform(system: &str, libc: &str) -> Platform {
        Platform::of(&Hello {
            system: system.to_owned(),
            libc: libc.to_owned(),
            ..Hello::default()
        })
    }

    #[test]
    fn machines_have_one_name_each() {
        for (system, name) in [
            ("Linux x86_64", "x86_64-linux"),
            ("Linux amd64", "x86_64-linux"),
            ("Linux aarch64", "aarch64-linux"),
            ("Darwin arm64", "aarch64-darwin"),
            ("FreeBSD amd64", "x86_64-freebsd"),
            ("", "unknown-unknown"),
        ] {
            assert_eq!(platform(system, "").name, name);
        }
    }

    #[test]
    fn glibc_before_2_17_and_musl_are_named_as_the_reason() {
        for (libc, reason) in [
            ("glibc 2.12", Some("glibc 2.12")),
            ("ldd (GNU libc) 2.5", Some("glibc 2.5")),
            ("musl libc (x86_64) Version 1.2.3", Some("musl")),
            ("glibc 2.17", None),
            ("glibc 2.36", None),
            ("ldd (Debian GLIBC 2.36-9+deb12u14) 2.36 Copyright", None),
            ("glibc 3.0", None),
            ("", None),
        ] {
            let platform = platform("Linux x86_64", libc);
            assert_eq!(platform.has_our_libc(), reason.is_none(), "{libc}");
            let said = platform.unsupported().to_string();
            assert!(said.contains(reason.unwrap_or("x86_64-linux")), "{said}");
        }
    }

    #[test]
    fn escape_codes_of_a_hostile_far_side_are_not_repeated() {
        let said = platform("\x1b[31mLinux\x07 x86_64\x1b]0;x\x07", "").unsupported();
        assert!(!said.to_string().chars().any(char::is_control), "{said}");
    }
}
