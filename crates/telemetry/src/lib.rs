//! What this machine is doing: its GPUs and its host.
//!
//! One thread reads the GPUs, one the host; a request only takes the newest reading and never waits for a driver. A machine
//! without a driver is an answer with a reason, not an error. GPU readings go on while history is wanted (24 hours in memory,
//! one-minute means in a file that outlives the server); the host is read only while somebody has asked lately.

mod gpu;
mod history;
mod host;
mod owners;
mod sample;
mod sampler;

pub use gpu::{FixedGpus, GpuSource, NvmlSource};
pub use history::{HistoryFile, Minute, MinuteGpu};
pub use sample::{
    CpuFrequency, CpuSample, DiskIo, DiskSample, GpuProcess, GpuReading, GpuSample, GpuState,
    HostReading, LoadAverage, MemorySample, Sensor,
};
pub use sampler::{HistoryPlan, Telemetry, TelemetryConfig};
