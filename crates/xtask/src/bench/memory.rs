//! Resident memory of a process and its children, from `/proc`.

use std::fs;

use anyhow::{Context, Result};

/// Megabytes of one process alone.
pub(super) fn own_mb(id: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))
        .context("resident memory is read from /proc, on Linux only")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("no VmRSS")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes / 1024.0)
}

/// Megabytes of a process and everything below it.
pub(super) fn resident_mb(id: u32) -> Result<f64> {
    let mut sum = own_mb(id)?;
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    for child in children
        .split_whitespace()
        .filter_map(|child| child.parse().ok())
    {
        sum += resident_mb(child).unwrap_or_default();
    }
    Ok(sum)
}
