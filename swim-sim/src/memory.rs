//! How much memory this process has taken at most.

use std::fs;

/// The peak of the memory that this process held, in bytes; `None` where the system does not tell.
pub(crate) fn peak_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    peak_of(&status)
}

/// The line `VmHWM:   1234 kB`.
fn peak_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_from_its_line() {
        assert_eq!(peak_of("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t 3 kB\n"), Some(2 << 20));
        assert_eq!(peak_of("VmRSS:\t 3 kB\n"), None);
        assert_eq!(peak_of("VmHWM:\t much\n"), None);
    }
}
