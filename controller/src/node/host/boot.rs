//! When the machine was booted.

use jiff::Timestamp;

/// What the kernel says; `None` where it says nothing.
pub fn boot_time() -> Option<Timestamp> {
    parse(&std::fs::read_to_string("/proc/stat").ok()?)
}

/// The line `btime SECONDS` of /proc/stat.
fn parse(stat: &str) -> Option<Timestamp> {
    let seconds = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    Timestamp::from_second(seconds.trim().parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_when_it_was_booted() {
        assert_eq!(parse("cpu 1 2\nbtime 1700000000\nprocesses 5\n").map(|t| t.as_second()), Some(1_700_000_000));
        assert_eq!(parse("cpu 1 2\n"), None);
    }
}
