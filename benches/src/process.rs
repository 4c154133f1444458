//! What the operating system says of this process (Linux).

/// Resident memory now, in KiB; 0 where it cannot be told.
pub fn resident_kib() -> u64 {
    status("VmRSS:")
}

/// The most it has been, in KiB; 0 where it cannot be told.
pub fn resident_peak_kib() -> u64 {
    status("VmHWM:")
}

fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
