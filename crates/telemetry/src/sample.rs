//! What is measured. Units stand in the names; what a device does not tell is `None`.

/// One look at all GPUs.
#[derive(Clone, Debug, PartialEq)]
pub struct GpuReading {
    /// Unix seconds.
    pub taken_at: f64,
    /// The GPUs, or why there are none.
    pub state: GpuState,
}

/// The GPUs, or why there are none.
#[derive(Clone, Debug, PartialEq)]
pub enum GpuState {
    /// No driver, no library, no permission.
    Absent {
        /// A sentence for a person.
        reason: String,
    },
    /// The GPUs in the driver's order; may be empty.
    Present(Vec<GpuSample>),
}

/// One GPU at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GpuSample {
    /// The driver's number.
    pub index: u32,
    /// As the vendor calls it.
    pub name: String,
    /// Stays the same when the numbers change.
    pub uuid: Option<String>,
    /// Share of time in which a kernel ran.
    pub util_gpu_percent: Option<f64>,
    /// Share of time in which memory was read or written.
    pub util_mem_percent: Option<f64>,
    /// Installed memory.
    pub mem_total_mib: Option<f64>,
    /// Allocated memory.
    pub mem_used_mib: Option<f64>,
    /// Of the chip.
    pub temperature_celsius: Option<f64>,
    /// Drawn now.
    pub power_watts: Option<f64>,
    /// The limit that is enforced.
    pub power_limit_watts: Option<f64>,
    /// Of the multiprocessors.
    pub clock_sm_mhz: Option<f64>,
    /// Of the memory.
    pub clock_mem_mhz: Option<f64>,
    /// 0 is the fastest state, 15 the slowest.
    pub performance_state: Option<u8>,
    /// Of the first fan; `None` without one.
    pub fan_speed_percent: Option<f64>,
    /// Who uses it.
    pub processes: Vec<GpuProcess>,
}

impl GpuSample {
    /// Share of memory that is allocated.
    pub fn mem_used_percent(&self) -> Option<f64> {
        let total = self.mem_total_mib.filter(|total| *total > 0.0)?;
        Some(self.mem_used_mib? / total * 100.0)
    }
}

/// A process on a GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuProcess {
    /// Its number on this machine.
    pub pid: u32,
    /// Its program, when we may see it.
    pub program: Option<String>,
    /// The user who runs it, by name or else by number.
    pub user: Option<String>,
    /// Memory it holds there, in bytes, when the driver tells.
    pub used_bytes: Option<u64>,
}

/// One look at the host.
#[derive(Clone, Debug, PartialEq)]
pub struct HostReading {
    /// Unix seconds.
    pub taken_at: f64,
    /// Processors.
    pub cpu: CpuSample,
    /// Memory.
    pub memory: MemorySample,
    /// The disk of the root folder (or of the system drive).
    pub disk: Option<DiskSample>,
    /// Temperatures by chip.
    pub sensors: Vec<(String, Vec<Sensor>)>,
    /// The system's name: `Linux`, `macOS`, `Windows`.
    pub system: String,
    /// Its version.
    pub release: String,
    /// The processor's architecture.
    pub machine: String,
}

/// Processors, since the reading before.
#[derive(Clone, Debug, PartialEq)]
pub struct CpuSample {
    /// Share of time that all were busy.
    pub percent: f64,
    /// Physical cores.
    pub count: Option<usize>,
    /// Cores as the system sees them.
    pub logical_count: usize,
    /// The share of each.
    pub per_core_percent: Vec<f64>,
    /// How fast they run.
    pub frequency: Option<CpuFrequency>,
    /// Waiting processes.
    pub load_average: Option<LoadAverage>,
}

/// Frequencies in MHz.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CpuFrequency {
    /// The mean of all cores.
    pub current_mhz: f64,
    /// 0 when the system does not tell.
    pub min_mhz: f64,
    /// 0 when the system does not tell.
    pub max_mhz: f64,
}

/// Over one, five and fifteen minutes.
pub type LoadAverage = [f64; 3];

/// Memory in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MemorySample {
    /// Installed.
    pub total_bytes: u64,
    /// Could be given to a program now.
    pub available_bytes: u64,
    /// Not available.
    pub used_bytes: u64,
    /// Share that is used.
    pub percent: f64,
    /// Swap there is.
    pub swap_total_bytes: u64,
    /// Swap in use.
    pub swap_used_bytes: u64,
    /// Share of swap in use.
    pub swap_percent: f64,
}

/// A disk in bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct DiskSample {
    /// A folder on it.
    pub path: String,
    /// Its size.
    pub total_bytes: u64,
    /// Held by files.
    pub used_bytes: u64,
    /// Free for this user.
    pub free_bytes: u64,
    /// Share that is used.
    pub percent: f64,
    /// What all disks have moved since the system started.
    pub io: Option<DiskIo>,
}

/// What all disks have moved since the system started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskIo {
    /// Bytes read.
    pub read_bytes: u64,
    /// Bytes written.
    pub write_bytes: u64,
    /// Reads.
    pub read_count: u64,
    /// Writes.
    pub write_count: u64,
}

/// One temperature.
#[derive(Clone, Debug, PartialEq)]
pub struct Sensor {
    /// What is measured.
    pub label: String,
    /// Now.
    pub current_celsius: Option<f64>,
    /// The highest seen or allowed.
    pub high_celsius: Option<f64>,
    /// Where the system protects itself.
    pub critical_celsius: Option<f64>,
}
