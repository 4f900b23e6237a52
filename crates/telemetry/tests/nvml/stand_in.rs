//! A stand-in for NVIDIA's management library, compiled by a test: it answers from the file `numbers` beside itself, which the
//! test edits. A line is `count N`, `fails CODE` or `<gpu> <what> <value>`; what is not there is "not supported" (code 3).

#![expect(non_snake_case, reason = "the names are NVIDIA's")]

use std::ffi::{CStr, c_char, c_int, c_uint, c_ulonglong, c_void};

const OK: c_uint = 0;
const NOT_SUPPORTED: c_uint = 3;
const INSUFFICIENT_SIZE: c_uint = 7;

#[repr(C)]
struct DlInfo {
    file: *const c_char,
    base: *mut c_void,
    symbol: *const c_char,
    address: *mut c_void,
}

unsafe extern "C" {
    fn dladdr(address: *const c_void, info: *mut DlInfo) -> c_int;
}

fn numbers() -> String {
    let mut info = DlInfo {
        file: std::ptr::null(),
        base: std::ptr::null_mut(),
        symbol: std::ptr::null(),
        address: std::ptr::null_mut(),
    };
    let own: extern "C" fn() -> c_uint = nvmlInit_v2;
    unsafe {
        dladdr(own as *const c_void, &mut info);
        let file = CStr::from_ptr(info.file).to_string_lossy().into_owned();
        let numbers = std::path::Path::new(&file).with_file_name("numbers");
        std::fs::read_to_string(numbers).unwrap_or_default()
    }
}

fn entry(key: &str) -> Option<String> {
    let numbers = numbers();
    let mut lines = numbers.lines();
    lines.find_map(|line| Some(line.strip_prefix(key)?.strip_prefix(' ')?.to_owned()))
}

/// A handle is the number of the GPU plus one, so that it is not null.
fn number(gpu: usize, what: &str) -> Option<u64> {
    entry(&format!("{} {what}", gpu - 1))?.parse().ok()
}

fn give(gpu: usize, what: &str, to: *mut c_uint) -> c_uint {
    match number(gpu, what) {
        Some(value) => {
            unsafe { *to = value as c_uint };
            OK
        }
        None => NOT_SUPPORTED,
    }
}

fn give_text(text: Option<String>, to: *mut c_char, size: c_uint) -> c_uint {
    let Some(text) = text else {
        return NOT_SUPPORTED;
    };
    if text.len() >= size as usize {
        return INSUFFICIENT_SIZE;
    }
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr().cast(), to, text.len());
        *to.add(text.len()) = 0;
    }
    OK
}

fn failure() -> Option<c_uint> {
    entry("fails")?.parse().ok()
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlInit_v2() -> c_uint {
    failure().unwrap_or(OK)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlShutdown() -> c_uint {
    OK
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlSystemGetDriverVersion(to: *mut c_char, size: c_uint) -> c_uint {
    give_text(Some("580.00".to_owned()), to, size)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetCount_v2(to: *mut c_uint) -> c_uint {
    if let Some(code) = failure() {
        return code;
    }
    let count = entry("count").and_then(|count| count.parse().ok());
    unsafe { *to = count.unwrap_or(0) };
    OK
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetHandleByIndex_v2(index: c_uint, to: *mut usize) -> c_uint {
    unsafe { *to = index as usize + 1 };
    OK
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetName(gpu: usize, to: *mut c_char, size: c_uint) -> c_uint {
    give_text(entry(&format!("{} name", gpu - 1)), to, size)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetUUID(gpu: usize, to: *mut c_char, size: c_uint) -> c_uint {
    give_text(entry(&format!("{} uuid", gpu - 1)), to, size)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetUtilizationRates(gpu: usize, to: *mut [c_uint; 2]) -> c_uint {
    match (number(gpu, "gpu"), number(gpu, "memory")) {
        (Some(kernel), Some(memory)) => {
            unsafe { *to = [kernel as c_uint, memory as c_uint] };
            OK
        }
        _ => NOT_SUPPORTED,
    }
}

#[repr(C)]
pub struct Memory {
    version: c_uint,
    total: c_ulonglong,
    reserved: c_ulonglong,
    free: c_ulonglong,
    used: c_ulonglong,
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetMemoryInfo_v2(gpu: usize, to: *mut Memory) -> c_uint {
    match (number(gpu, "total"), number(gpu, "used")) {
        (Some(total), Some(used)) => {
            unsafe {
                (*to).total = total;
                (*to).reserved = 0;
                (*to).used = used;
                (*to).free = total - used;
            }
            OK
        }
        _ => NOT_SUPPORTED,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetTemperature(gpu: usize, _sensor: c_uint, to: *mut c_uint) -> c_uint {
    give(gpu, "temp", to)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetPowerUsage(gpu: usize, to: *mut c_uint) -> c_uint {
    give(gpu, "power", to)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetEnforcedPowerLimit(gpu: usize, to: *mut c_uint) -> c_uint {
    give(gpu, "limit", to)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetClockInfo(gpu: usize, clock: c_uint, to: *mut c_uint) -> c_uint {
    give(gpu, if clock == 1 { "sm" } else { "mem" }, to)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetPerformanceState(gpu: usize, to: *mut c_uint) -> c_uint {
    give(gpu, "state", to)
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetFanSpeed_v2(gpu: usize, _fan: c_uint, to: *mut c_uint) -> c_uint {
    give(gpu, "fan", to)
}

#[repr(C)]
pub struct Process {
    pid: c_uint,
    used: c_ulonglong,
    gpu_instance: c_uint,
    compute_instance: c_uint,
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetComputeRunningProcesses_v3(
    gpu: usize,
    count: *mut c_uint,
    to: *mut Process,
) -> c_uint {
    let Some(pid) = number(gpu, "pid") else {
        unsafe { *count = 0 };
        return OK;
    };
    unsafe {
        if to.is_null() || *count == 0 {
            *count = 1;
            return INSUFFICIENT_SIZE;
        }
        *count = 1;
        *to = Process {
            pid: pid as c_uint,
            used: number(gpu, "pidmem").unwrap_or(c_ulonglong::MAX),
            gpu_instance: c_uint::MAX,
            compute_instance: c_uint::MAX,
        };
    }
    OK
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetGraphicsRunningProcesses_v3(
    _gpu: usize,
    count: *mut c_uint,
    _to: *mut Process,
) -> c_uint {
    unsafe { *count = 0 };
    OK
}
