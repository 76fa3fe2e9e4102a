//! Points between two steps, or two writes, at which the crash tests end this process. They are there only with the feature
//! `fail-points`, which no image has: else a point is an empty function.
//!
//! `FAILPOINTS='crash=3*off->return'` ends the process at the fourth point that it comes to, whichever that is, as suddenly
//! as SIGKILL would: nothing is dropped and no handler runs.

/// What was just done; `name` is for the log.
#[cfg(not(feature = "fail-points"))]
#[inline(always)]
pub fn point(_name: &'static str) {}

/// What was just done; `name` is for the log.
#[cfg(feature = "fail-points")]
pub fn point(name: &'static str) {
    fail::fail_point!("crash", |_| {
        tracing::error!(after = name, "fail point: this process ends here");
        std::process::abort()
    });
}
