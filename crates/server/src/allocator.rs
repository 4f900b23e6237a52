//! How this process asks the system for memory.

/// From this size on an allocation is a mapping of its own, which goes back to the system when it is freed.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MAPPED_FROM_BYTES: libc::c_int = 256 << 10;

/// Has the system's allocator give large tables back when they are dropped; to be called once, before other threads start.
///
/// glibc raises its threshold each time a large block is freed, up to 32 MiB: after the first large run every column would come
/// from an arena and stay there, which was measured as 340 MB in place of 130. Naming a threshold keeps it where it is.
pub fn give_large_blocks_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        #[expect(unsafe_code, reason = "the one setting of glibc that no crate wraps")]
        // SAFETY: `mallopt` takes two integers by value and may be called at any time; a number that it does not know is
        // refused and changes nothing.
        let is_set = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_FROM_BYTES) };
        if is_set == 0 {
            tracing::debug!("the allocator keeps its own threshold");
        }
    }
}
