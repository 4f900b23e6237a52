//! The documented rate limits: counted and shown always, refused only when `rate_limits.json` says so.
//!
//! As the documented server ships, limiting is off and the headers are constant. When it is on: a sliding window per
//! client address; a rule is found by exact path, else by the longest configured prefix, else it is the default, and all
//! paths of the default rule share one bucket. `burst_size` limits the last second. `X-Forwarded-For` is not believed.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue};
use parking_lot::Mutex;
use serde::Deserialize;

use crate::error::ApiError;
use crate::sdk_config::read_bounded;

/// The file is small; a larger one is not ours to parse.
const SIZE_LIMIT_BYTES: u64 = 1 << 20;
/// Buckets beyond this are forgotten, oldest use first; only addresses on loopback reach us, so this is never met.
const BUCKET_LIMIT: usize = 4096;
/// What the documented server says while limiting is off.
const SHOWN_WHEN_OFF: Standing = Standing {
    limit: 6000,
    remaining: 6000,
    reset_secs: 60,
};

/// The numbers of the three headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) limit: u64,
    pub(crate) remaining: u64,
    pub(crate) reset_secs: u64,
}

impl Standing {
    /// Writes the three headers.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        for (name, value) in [
            ("x-ratelimit-limit", self.limit),
            ("x-ratelimit-remaining", self.remaining),
            ("x-ratelimit-reset", self.reset_secs),
        ] {
            headers.insert(name, HeaderValue::from(value));
        }
    }
}

/// The configured limits and what was counted.
pub(crate) struct RateLimits {
    rules: Rules,
    counted: Mutex<HashMap<(IpAddr, String), VecDeque<Instant>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Rules {
    default: Option<Rule>,
    endpoints: HashMap<String, Rule>,
    settings: Settings,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(default)]
struct Rule {
    max_requests: u64,
    window_seconds: u64,
    burst_size: Option<u64>,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            max_requests: 6000,
            window_seconds: 60,
            burst_size: None,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Settings {
    enable_rate_limiting: bool,
    whitelist_localhost: bool,
    log_violations: bool,
}

impl RateLimits {
    /// The limits of the SDK's configuration folder; a missing or damaged file is "off".
    pub(crate) fn at(sdk_config: &Path) -> Self {
        let rules = read_bounded(&sdk_config.join("rate_limits.json"), SIZE_LIMIT_BYTES)
            .ok()
            .and_then(|bytes| {
                let parsed = serde_json::from_slice(&bytes);
                if let Err(error) = &parsed {
                    tracing::warn!(%error, "rate_limits.json is damaged, so limiting is off");
                }
                parsed.ok()
            })
            .unwrap_or_default();
        Self {
            rules,
            counted: Mutex::new(HashMap::new()),
        }
    }

    /// Counts one request of an address for a path and tells how it stands.
    ///
    /// # Errors
    /// 429 with the numbers of the headers when it is one too many.
    pub(crate) fn count(
        &self,
        from: IpAddr,
        path: &str,
        now: Instant,
    ) -> Result<Standing, (ApiError, Standing)> {
        let settings = &self.rules.settings;
        if !settings.enable_rate_limiting || (settings.whitelist_localhost && from.is_loopback()) {
            return Ok(SHOWN_WHEN_OFF);
        }
        let (bucket, rule) = self.rules.rule_for(path);
        let mut counted = self.counted.lock();
        if counted.len() > BUCKET_LIMIT {
            counted.retain(|_, times| {
                times
                    .back()
                    .is_some_and(|last| now - *last < Duration::from_hours(1))
            });
        }
        let times = counted.entry((from, bucket.to_owned())).or_default();
        let standing = rule.count(times, now);
        if standing.is_err() && settings.log_violations {
            tracing::warn!(%from, path, "rate limit exceeded");
        }
        standing
    }
}

impl Rules {
    fn rule_for(&self, path: &str) -> (&str, Rule) {
        if let Some((name, rule)) = self.endpoints.get_key_value(path) {
            return (name, *rule);
        }
        let by_prefix = self
            .endpoints
            .iter()
            .filter(|(prefix, _)| path.starts_with(prefix.as_str()));
        match by_prefix.max_by_key(|(prefix, _)| prefix.len()) {
            Some((prefix, rule)) => (prefix, *rule),
            None => ("", self.default.unwrap_or_default()),
        }
    }
}

impl Rule {
    fn count(
        self,
        times: &mut VecDeque<Instant>,
        now: Instant,
    ) -> Result<Standing, (ApiError, Standing)> {
        let window = Duration::from_secs(self.window_seconds.max(1));
        while times
            .front()
            .is_some_and(|first| now.duration_since(*first) >= window)
        {
            times.pop_front();
        }
        let in_last_second = times
            .iter()
            .rev()
            .take_while(|time| now.duration_since(**time) < Duration::from_secs(1))
            .count();
        let burst_left = self
            .burst_size
            .is_none_or(|burst| (in_last_second as u64) < burst);
        let used = times.len() as u64;
        if used < self.max_requests && burst_left {
            times.push_back(now);
            return Ok(Standing {
                limit: self.max_requests,
                remaining: self.max_requests - used - 1,
                reset_secs: window.as_secs(),
            });
        }
        let wait = if burst_left {
            let oldest = times
                .front()
                .map_or(Duration::ZERO, |first| now.duration_since(*first));
            window.saturating_sub(oldest)
        } else {
            Duration::from_secs(1)
        };
        let secs = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let secs = secs.max(1);
        let standing = Standing {
            limit: self.max_requests,
            remaining: 0,
            reset_secs: secs,
        };
        Err((ApiError::rate_limited(secs), standing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn limits(config: &str) -> RateLimits {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rate_limits.json"), config).unwrap();
        RateLimits::at(folder.path())
    }

    #[test]
    fn as_shipped_nothing_is_refused_and_the_headers_are_constant() {
        for config in ["", "{damaged", r#"{"default": {"max_requests": 1}}"#] {
            let limits = limits(config);
            for _ in 0..10 {
                assert_eq!(
                    limits.count(HERE, "/api/runs", Instant::now()).unwrap(),
                    SHOWN_WHEN_OFF
                );
            }
        }
    }

    #[test]
    fn the_window_slides_and_the_wait_is_named() {
        let limits = limits(
            r#"{"default": {"max_requests": 2, "window_seconds": 10},
                "settings": {"enable_rate_limiting": true}}"#,
        );
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        assert_eq!(limits.count(HERE, "/api/a", at(0)).unwrap().remaining, 1);
        assert_eq!(limits.count(HERE, "/api/b", at(4)).unwrap().remaining, 0);
        let (error, standing) = limits.count(HERE, "/api/c", at(5)).unwrap_err();
        assert_eq!(error.body().retry_after, Some(5));
        assert_eq!((standing.remaining, standing.reset_secs), (0, 5));
        assert!(limits.count(HERE, "/api/c", at(10)).is_ok());
        assert!(limits.count(HERE, "/api/c", at(11)).is_err());
    }

    #[test]
    fn the_exact_path_wins_over_the_longest_prefix_and_that_over_the_default() {
        let limits = limits(
            r#"{"default": {"max_requests": 100},
                "endpoints": {"/api/runs": {"max_requests": 10}, "/api/r": {"max_requests": 5},
                              "/api/runs/x": {"max_requests": 7, "burst_size": 1}},
                "settings": {"enable_rate_limiting": true}}"#,
        );
        let now = Instant::now();
        for (path, limit) in [
            ("/api/runs", 10),
            ("/api/runs/x", 7),
            ("/api/runs/y", 10),
            ("/api/rx", 5),
            ("/x", 100),
        ] {
            assert_eq!(
                limits.count(HERE, path, now).unwrap().limit,
                limit,
                "{path}"
            );
        }
        let (error, _) = limits.count(HERE, "/api/runs/x", now).unwrap_err();
        assert_eq!(error.body().retry_after, Some(1));
    }
}
