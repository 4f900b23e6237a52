//! Resident memory of a process and its children, from `/proc`.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

/// Megabytes of one process alone.
fn own_mb(id: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))
        .context("resident memory is read from /proc, on Linux only")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .context("no VmRSS")?;
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes / 1024.0)
}

/// Megabytes of the app's own process without `WebKit`: its share of every mapping (what processes share is counted once among
/// them), without the webview's libraries and the pictures that it hands over.
pub(super) fn without_webkit_mb(id: u32) -> Result<f64> {
    let maps = fs::read_to_string(format!("/proc/{id}/smaps"))
        .context("mappings are read from /proc, on Linux only")?;
    Ok(share_without_webkit(&maps) / 1024.0)
}

/// Kilobytes, from the text of `/proc/<id>/smaps`.
fn share_without_webkit(maps: &str) -> f64 {
    let (mut sum, mut is_webkit) = (0.0, false);
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("Pss:") if !is_webkit => {
                let share = words.next().and_then(|number| number.parse::<f64>().ok());
                sum += share.unwrap_or_default();
            }
            // The head of a mapping: its place, rights, offset, device, inode, and its file.
            Some(place) if !place.ends_with(':') => {
                let file = words.nth(4).unwrap_or_default().to_lowercase();
                is_webkit = file.contains("webkit") || file.contains("javascriptcore");
            }
            _ => {}
        }
    }
    sum
}

/// How long a process must do nothing to count as idle.
const STILL: Duration = Duration::from_millis(300);

/// Waits until a process has done what it does after its start, so that it is not measured together with what is asked.
pub(super) fn wait_until_idle(id: u32) -> Result<()> {
    let end = Instant::now() + Duration::from_mins(1);
    let mut before = processor_ticks(id)?;
    loop {
        thread::sleep(STILL);
        let now = processor_ticks(id)?;
        // One tick is a hundredth of a second.
        if now - before <= 1 {
            return Ok(());
        }
        ensure!(Instant::now() < end, "process {id} never comes to rest");
        before = now;
    }
}

/// Time on the processor, of all threads.
fn processor_ticks(id: u32) -> Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The name, in brackets, may hold anything.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let mut fields = fields.split_whitespace().skip(11);
    let mut next = || fields.next().and_then(|ticks| ticks.parse::<u64>().ok());
    next()
        .zip(next())
        .map(|(user, system)| user + system)
        .context("no times in stat")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_added_up_but_those_of_the_webview() {
        let maps = "\
55d0-55d1 r-xp 00000000 fe:00 12 /usr/bin/runicorn-desktop
Rss:                 900 kB
Pss:                 800 kB
Pss_Dirty:            10 kB
7f00-7f01 r--p 00000000 fe:00 13 /usr/lib/libwebkit2gtk-4.1.so.0
Pss:                5000 kB
7f02-7f03 rw-p 00000000 00:00 0
Pss:                  24 kB
7f04-7f05 rw-s 00000000 00:01 99 /memfd:WebKitSharedMemory (deleted)
Pss:                4000 kB
7f06-7f07 rw-p 00000000 00:00 0 [heap]
Pss:                 200 kB
VmFlags: rd wr mr
";
        assert!((share_without_webkit(maps) - 1024.0).abs() < 0.1);
    }
}
