//! GPUs through NVML, behind [`GpuSource`] so that everything above runs without one.
//!
//! The library is looked for under the names that a driver installs: most servers have only `libnvidia-ml.so.1`, the
//! unversioned name belongs to development packages. A missing driver is looked for again at each reading, because
//! drivers are installed and reloaded while servers run.

use std::collections::BTreeMap;

use nvml_wrapper::enum_wrappers::device::{Clock, PerformanceState, TemperatureSensor};
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};

use crate::owners::Owners;
use crate::sample::{GpuProcess, GpuSample, GpuState};

const LIBRARY_NAMES: &[&str] = if cfg!(windows) {
    &["nvml.dll"]
} else {
    &["libnvidia-ml.so.1", "libnvidia-ml.so"]
};
const BYTES_PER_MIB: f64 = 1_048_576.0;

/// Something that knows GPUs. Read from one thread only.
pub trait GpuSource: Send {
    /// All GPUs now. Blocks as long as the driver does.
    fn read(&mut self) -> GpuState;
}

/// GPUs that are always the same; for tests of what is above.
#[derive(Clone, Debug)]
pub struct FixedGpus(pub GpuState);

impl GpuSource for FixedGpus {
    fn read(&mut self) -> GpuState {
        self.0.clone()
    }
}

/// The GPUs of the NVIDIA driver.
pub struct NvmlSource {
    nvml: Option<Nvml>,
    owners: Owners,
    #[cfg(test)]
    library: Option<std::path::PathBuf>,
}

impl Default for NvmlSource {
    fn default() -> Self {
        Self::new()
    }
}

impl NvmlSource {
    /// Nothing is loaded before the first reading.
    pub fn new() -> Self {
        Self {
            nvml: None,
            owners: Owners::default(),
            #[cfg(test)]
            library: None,
        }
    }

    #[cfg(test)]
    fn with_library(library: std::path::PathBuf) -> Self {
        Self {
            library: Some(library),
            ..Self::new()
        }
    }

    #[cfg(test)]
    fn load(&self) -> Result<Nvml, NvmlError> {
        match &self.library {
            Some(library) => Nvml::builder().lib_path(library.as_os_str()).init(),
            None => load_installed(),
        }
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "a test names its own library")]
    fn load(&self) -> Result<Nvml, NvmlError> {
        load_installed()
    }
}

fn load_installed() -> Result<Nvml, NvmlError> {
    let mut failed = NvmlError::LibraryNotFound;
    for name in LIBRARY_NAMES {
        match Nvml::builder().lib_path(name.as_ref()).init() {
            Ok(nvml) => return Ok(nvml),
            // The first name that could be loaded tells what is really wrong.
            Err(NvmlError::LibloadingError(_)) => {}
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

impl GpuSource for NvmlSource {
    fn read(&mut self) -> GpuState {
        let nvml = match self.nvml.take().map_or_else(|| self.load(), Ok) {
            Ok(nvml) => nvml,
            Err(error) => {
                return GpuState::Absent {
                    reason: reason_of(&error),
                };
            }
        };
        match nvml.device_count() {
            Ok(count) => {
                let gpus = read_gpus(&nvml, count, &mut self.owners);
                self.nvml = Some(nvml);
                GpuState::Present(gpus)
            }
            // A driver that was reloaded under us: begin anew at the next reading.
            Err(error) => GpuState::Absent {
                reason: reason_of(&error),
            },
        }
    }
}

fn reason_of(error: &NvmlError) -> String {
    match error {
        NvmlError::LibraryNotFound | NvmlError::LibloadingError(_) => "No NVIDIA driver was found on this machine".to_owned(),
        NvmlError::DriverNotLoaded => "The NVIDIA driver is installed but not loaded".to_owned(),
        NvmlError::NoPermission => "This user may not use the NVIDIA driver".to_owned(),
        NvmlError::LibRmVersionMismatch => {
            "The NVIDIA driver was updated and its library does not fit the loaded one: restart the machine".to_owned()
        }
        other => format!("The NVIDIA driver does not answer: {other}"),
    }
}

fn read_gpus(nvml: &Nvml, count: u32, owners: &mut Owners) -> Vec<GpuSample> {
    // A GPU that has fallen off the bus is left out; the others are still there.
    let devices: Vec<(u32, Device<'_>)> = (0..count)
        .filter_map(|index| Some((index, nvml.device_by_index(index).ok()?)))
        .collect();
    let memory_by_pid: Vec<BTreeMap<u32, Option<u64>>> = devices
        .iter()
        .map(|(_, device)| memory_by_pid(device))
        .collect();
    owners.look_up(
        memory_by_pid
            .iter()
            .flat_map(|processes| processes.keys().copied()),
    );
    devices
        .iter()
        .zip(memory_by_pid)
        .map(|((index, device), memory)| GpuSample {
            processes: memory
                .into_iter()
                .map(|(pid, used_bytes)| process(owners, pid, used_bytes))
                .collect(),
            ..read_gpu(*index, device)
        })
        .collect()
}

fn read_gpu(index: u32, device: &Device<'_>) -> GpuSample {
    let utilization = device.utilization_rates().ok();
    let memory = device.memory_info().ok();
    let watts = |milliwatts: u32| f64::from(milliwatts) / 1000.0;
    GpuSample {
        index,
        name: device.name().unwrap_or_else(|_| format!("GPU {index}")),
        uuid: device.uuid().ok(),
        util_gpu_percent: utilization.as_ref().map(|rates| f64::from(rates.gpu)),
        util_mem_percent: utilization.as_ref().map(|rates| f64::from(rates.memory)),
        mem_total_mib: memory.as_ref().map(|memory| whole_mib(memory.total)),
        mem_used_mib: memory.as_ref().map(|memory| whole_mib(memory.used)),
        temperature_celsius: device
            .temperature(TemperatureSensor::Gpu)
            .ok()
            .map(f64::from),
        power_watts: device.power_usage().ok().map(watts),
        power_limit_watts: device.enforced_power_limit().ok().map(watts),
        clock_sm_mhz: device.clock_info(Clock::SM).ok().map(f64::from),
        clock_mem_mhz: device.clock_info(Clock::Memory).ok().map(f64::from),
        performance_state: device.performance_state().ok().and_then(state_number),
        fan_speed_percent: device.fan_speed(0).ok().map(f64::from),
        processes: Vec::new(),
    }
}

/// Whole MiB, as the driver's own tool prints them.
fn whole_mib(bytes: u64) -> f64 {
    (bytes as f64 / BYTES_PER_MIB).floor()
}

fn memory_by_pid(device: &Device<'_>) -> BTreeMap<u32, Option<u64>> {
    let compute = device.running_compute_processes().unwrap_or_default();
    let graphics = device.running_graphics_processes().unwrap_or_default();
    let mut memory = BTreeMap::new();
    for process in compute.into_iter().chain(graphics) {
        let used = match process.used_gpu_memory {
            UsedGpuMemory::Used(bytes) => Some(bytes),
            UsedGpuMemory::Unavailable => None,
        };
        let known = memory.entry(process.pid).or_insert(used);
        // One process in both lists is one process; the larger number counts both.
        *known = (*known).max(used);
    }
    memory
}

fn process(owners: &Owners, pid: u32, used_bytes: Option<u64>) -> GpuProcess {
    GpuProcess {
        pid,
        program: owners.program(pid),
        user: owners.user(pid),
        used_bytes,
    }
}

fn state_number(state: PerformanceState) -> Option<u8> {
    use PerformanceState as P;
    let states = [
        P::Zero,
        P::One,
        P::Two,
        P::Three,
        P::Four,
        P::Five,
        P::Six,
        P::Seven,
        P::Eight,
        P::Nine,
        P::Ten,
        P::Eleven,
        P::Twelve,
        P::Thirteen,
        P::Fourteen,
        P::Fifteen,
    ];
    states
        .iter()
        .position(|other| *other == state)
        .and_then(|number| u8::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// Compiles the stand-in driver of `tests/nvml/stand_in.rs`; it reads its numbers from a file beside it.
    fn stand_in(folder: &Path) -> std::path::PathBuf {
        let library = folder.join("libnvidia-ml-stand-in.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nvml/stand_in.rs");
        #[expect(
            clippy::disallowed_methods,
            reason = "the test's own compiler, waited for here"
        )]
        let mut rustc = std::process::Command::new(option_env!("RUSTC").unwrap_or("rustc"));
        let built = rustc
            .args([
                "--edition=2024",
                "--crate-type=cdylib",
                "-Cpanic=abort",
                "-o",
            ])
            .arg(&library)
            .arg(source)
            .status()
            .unwrap();
        assert!(built.success());
        library
    }

    fn set(folder: &Path, numbers: &str) {
        std::fs::write(folder.join("numbers"), numbers).unwrap();
    }

    #[test]
    fn a_machine_without_a_driver_is_an_answer_with_a_reason() {
        let mut source = NvmlSource::with_library("/nonexistent/libnvidia-ml.so.1".into());
        let GpuState::Absent { reason } = source.read() else {
            panic!("there is a driver")
        };
        assert_eq!(reason, "No NVIDIA driver was found on this machine");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_drivers_numbers_are_read_in_their_units_and_unknown_ones_stay_unknown() {
        let folder = tempfile::tempdir().unwrap();
        let own = std::process::id();
        set(
            folder.path(),
            &format!(
                "count 2\n0 name NVIDIA H100 80GB HBM3\n0 uuid GPU-a\n0 gpu 87\n0 memory 34\n0 total 85520809984\n0 used 47198502912\n\
                 0 temp 61\n0 power 512340\n0 limit 700000\n0 sm 1980\n0 mem 2619\n0 state 0\n0 pid {own}\n0 pidmem 1048576\n\
                 1 name T4\n1 uuid GPU-b\n1 total 16106127360\n1 used 0\n1 state 8\n1 fan 30\n"
            ),
        );
        let mut source = NvmlSource::with_library(stand_in(folder.path()));
        let GpuState::Present(gpus) = source.read() else {
            panic!("no driver")
        };
        let first = &gpus[0];
        assert_eq!(first.name, "NVIDIA H100 80GB HBM3");
        assert_eq!(first.uuid.as_deref(), Some("GPU-a"));
        assert_eq!(
            (first.util_gpu_percent, first.util_mem_percent),
            (Some(87.0), Some(34.0))
        );
        assert_eq!(
            (first.mem_total_mib, first.mem_used_mib),
            (Some(81559.0), Some(45012.0))
        );
        assert_eq!(first.mem_used_percent(), Some(55.189_494_721_612_576));
        assert_eq!(
            (first.power_watts, first.power_limit_watts),
            (Some(512.34), Some(700.0))
        );
        assert_eq!(
            (first.clock_sm_mhz, first.clock_mem_mhz),
            (Some(1980.0), Some(2619.0))
        );
        assert_eq!(
            (first.temperature_celsius, first.performance_state),
            (Some(61.0), Some(0))
        );
        assert_eq!(first.fan_speed_percent, None);
        let process = &first.processes[0];
        assert_eq!((process.pid, process.used_bytes), (own, Some(1_048_576)));
        assert!(
            process.user.is_some() && process.program.is_some(),
            "{process:?}"
        );
        let second = &gpus[1];
        assert_eq!(
            (second.index, second.util_gpu_percent, second.power_watts),
            (1, None, None)
        );
        assert_eq!(
            (second.performance_state, second.fan_speed_percent),
            (Some(8), Some(30.0))
        );
        assert!(second.processes.is_empty());

        set(folder.path(), "count 0\n");
        assert_eq!(source.read(), GpuState::Present(Vec::new()));
        set(folder.path(), "fails 9\n");
        let GpuState::Absent { reason } = source.read() else {
            panic!("a driver that fails was read")
        };
        assert_eq!(reason, "The NVIDIA driver is installed but not loaded");
        set(folder.path(), "count 1\n0 name back\n0 uuid GPU-c\n");
        let GpuState::Present(gpus) = source.read() else {
            panic!("the driver is back")
        };
        assert_eq!(gpus[0].name, "back");
    }
}
