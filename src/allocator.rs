//! What the process asks of the system's allocator: to give freed memory back at once where it is
//! much, so that a run takes no more than its account of memory says. Knows nothing of Mini.

#![allow(
    unsafe_code,
    reason = "the allocator is set up by a function of the C library"
)]

/// Sets the allocator up. To be called before there is a second thread.
pub fn set_up() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        /// Blocks from here on are the system's own pages, which it has back when they are freed.
        const OF_ITS_OWN: i32 = 1 << 20;
        /// So much may be left over at the heap's end.
        const LEFT_OVER: i32 = 1 << 20;
        // By itself glibc raises both to the size of the largest block that was ever freed, up to
        // 32 MB and twice that (`mallopt(3)`), which stay with the process.
        // SAFETY: two numbers of the allocator's change; no pointer is involved.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, OF_ITS_OWN);
            libc::mallopt(libc::M_TRIM_THRESHOLD, LEFT_OVER);
        }
    }
}
