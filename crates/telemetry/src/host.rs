//! The host: processors, memory, the system's disk, temperatures. Two readings are needed before a share of processor time
//! means anything; [`HostMonitor::new`] takes the first.

use std::path::Path;

use sysinfo::{Components, CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

use crate::sample::{
    CpuFrequency, CpuSample, DiskIo, DiskSample, HostReading, MemorySample, Sensor,
};

const SYSTEM_DISK: &str = if cfg!(windows) { "C:\\" } else { "/" };

/// Keeps what the next reading compares with.
pub(crate) struct HostMonitor {
    system: System,
    sensors: Option<Components>,
}

impl HostMonitor {
    /// Looks for the first time. `None` where the system tells nothing at all.
    pub(crate) fn new() -> Option<Self> {
        let kind = RefreshKind::nothing()
            .with_cpu(CpuRefreshKind::everything())
            .with_memory(MemoryRefreshKind::everything());
        let system = System::new_with_specifics(kind).ok()?;
        Some(Self {
            system,
            sensors: Components::new_with_refreshed_list().ok(),
        })
    }

    /// Looks again.
    pub(crate) fn read(&mut self, taken_at: f64) -> HostReading {
        self.system.refresh_cpu_all();
        self.system.refresh_memory();
        if let Some(sensors) = &mut self.sensors {
            sensors.refresh(true);
        }
        HostReading {
            taken_at,
            cpu: self.cpu(),
            memory: self.memory(),
            disk: disk(Path::new(SYSTEM_DISK)),
            sensors: self.sensors(),
            system: if cfg!(target_os = "linux") {
                "Linux".to_owned()
            } else {
                System::name().unwrap_or_else(|_| std::env::consts::OS.to_owned())
            },
            release: System::kernel_version().unwrap_or_default(),
            machine: System::cpu_arch(),
        }
    }

    fn cpu(&self) -> CpuSample {
        let cores = self.system.cpus();
        let mean_mhz = cores
            .iter()
            .map(|core| core.frequency() as f64)
            .sum::<f64>()
            / cores.len().max(1) as f64;
        let load = System::load_average()
            .ok()
            .map(|load| [load.one, load.five, load.fifteen]);
        CpuSample {
            percent: one_decimal(f64::from(self.system.global_cpu_usage())),
            count: System::physical_core_count().ok(),
            logical_count: cores.len(),
            per_core_percent: cores
                .iter()
                .map(|core| one_decimal(f64::from(core.usage())))
                .collect(),
            frequency: (mean_mhz > 0.0).then_some(CpuFrequency {
                current_mhz: mean_mhz,
                min_mhz: 0.0,
                max_mhz: 0.0,
            }),
            load_average: load.filter(|_| cfg!(unix)),
        }
    }

    fn memory(&self) -> MemorySample {
        let system = &self.system;
        let (total, available) = (system.total_memory(), system.available_memory());
        let used = total.saturating_sub(available);
        let (swap_total, swap_used) = (system.total_swap(), system.used_swap());
        MemorySample {
            total_bytes: total,
            available_bytes: available,
            used_bytes: used,
            percent: share(used, total),
            swap_total_bytes: swap_total,
            swap_used_bytes: swap_used,
            swap_percent: share(swap_used, swap_total),
        }
    }

    /// The system names a sensor `<chip> <label>`; those of one chip belong together.
    fn sensors(&self) -> Vec<(String, Vec<Sensor>)> {
        let mut chips: Vec<(String, Vec<Sensor>)> = Vec::new();
        for sensor in self.sensors.iter().flat_map(|sensors| sensors.iter()) {
            let (chip, label) = sensor
                .label()
                .split_once(' ')
                .unwrap_or((sensor.label(), ""));
            let celsius =
                |number: Option<f32>| number.filter(|number| number.is_finite()).map(f64::from);
            let reading = Sensor {
                label: label.to_owned(),
                current_celsius: celsius(sensor.temperature()),
                high_celsius: celsius(sensor.max()),
                critical_celsius: celsius(sensor.critical()),
            };
            match chips.iter_mut().find(|(name, _)| name == chip) {
                Some((_, readings)) => readings.push(reading),
                None => chips.push((chip.to_owned(), vec![reading])),
            }
        }
        chips
    }
}

fn disk(path: &Path) -> Option<DiskSample> {
    let total = fs4::total_space(path).ok()?;
    let free_bytes = fs4::available_space(path).ok()?;
    let used_bytes = total.saturating_sub(fs4::free_space(path).ok()?);
    Some(DiskSample {
        path: path.display().to_string(),
        total_bytes: total,
        used_bytes,
        free_bytes,
        // As `df` counts: what is kept for the administrator is no part of the whole.
        percent: share(used_bytes, used_bytes + free_bytes),
        io: disk_io(),
    })
}

#[cfg(target_os = "linux")]
fn disk_io() -> Option<DiskIo> {
    std::fs::read_to_string("/proc/diskstats")
        .ok()
        .map(|table| sum_of_disks(&table))
}

#[cfg(not(target_os = "linux"))]
fn disk_io() -> Option<DiskIo> {
    None
}

/// `major minor name reads merged sectors_read ms writes merged sectors_written …`; whole disks only, because a partition's
/// numbers are in its disk's already.
#[cfg(any(target_os = "linux", test))]
fn sum_of_disks(table: &str) -> DiskIo {
    const SECTOR_BYTES: u64 = 512;
    let mut sum = DiskIo::default();
    let mut last_disk = "";
    for line in table.lines() {
        let columns: Vec<&str> = line.split_ascii_whitespace().collect();
        let [
            _,
            _,
            name,
            reads,
            _,
            sectors_read,
            _,
            writes,
            _,
            sectors_written,
            ..,
        ] = columns[..]
        else {
            continue;
        };
        let is_partition = !last_disk.is_empty() && name.starts_with(last_disk);
        if is_partition
            || ["loop", "ram", "dm-", "md", "zram"]
                .iter()
                .any(|kind| name.starts_with(kind))
        {
            continue;
        }
        last_disk = name;
        let number = |text: &str| text.parse::<u64>().unwrap_or(0);
        sum.read_count += number(reads);
        sum.write_count += number(writes);
        sum.read_bytes += number(sectors_read) * SECTOR_BYTES;
        sum.write_bytes += number(sectors_written) * SECTOR_BYTES;
    }
    sum
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        one_decimal(part as f64 / whole as f64 * 100.0)
    }
}

fn one_decimal(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_disks_are_summed_and_partitions_are_not_counted_twice() {
        let table = "   8 0 sda 100 0 2000 5 10 0 400 5 0 0 0\n   8 1 sda1 90 0 1000 5 10 0 400 5 0 0 0\n\
                     259 0 nvme0n1 1 0 2 0 3 0 4 0 0 0 0\n 259 1 nvme0n1p1 1 0 2 0 3 0 4 0 0 0 0\n\
                     7 0 loop0 9 9 9 9 9 9 9 9 9 9 9\n bad line\n";
        let sum = sum_of_disks(table);
        let expected = DiskIo {
            read_bytes: 2002 * 512,
            write_bytes: 404 * 512,
            read_count: 101,
            write_count: 13,
        };
        assert_eq!(sum, expected);
    }

    #[test]
    fn the_host_is_read() {
        let mut host = HostMonitor::new().unwrap();
        let reading = host.read(1.0);
        assert!(reading.memory.total_bytes > reading.memory.used_bytes);
        assert_eq!(
            reading.cpu.per_core_percent.len(),
            reading.cpu.logical_count
        );
        assert!(reading.cpu.logical_count > 0);
        assert!(
            reading
                .disk
                .is_some_and(|disk| disk.total_bytes >= disk.used_bytes)
        );
    }
}
