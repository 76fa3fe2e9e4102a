//! libvirt's event loop: one thread for the whole process, started before the first connection.

use std::{sync::OnceLock, thread, time::Duration};

use ostler_hypervisor::{ErrorClass, HypervisorError};
use virt::event::{event_register_default_impl, event_run_default_impl};

static STARTED: OnceLock<Result<(), String>> = OnceLock::new();

/// Has the loop running. It runs until the process ends: libvirt cannot take it back.
pub(crate) fn ensure() -> Result<(), HypervisorError> {
    let started = STARTED.get_or_init(start);
    started.clone().map_err(|message| HypervisorError::new(ErrorClass::Refused, message))
}

fn start() -> Result<(), String> {
    // Otherwise libvirt prints every error to stderr, besides returning it.
    virt::error::clear_error_callback();
    event_register_default_impl().map_err(|error| format!("cannot register libvirt's event loop: {error}"))?;
    let thread = thread::Builder::new().name("libvirt-events".into()).spawn(run);
    thread.map(drop).map_err(|error| format!("cannot start the thread of libvirt's event loop: {error}"))
}

fn run() {
    loop {
        if let Err(error) = event_run_default_impl() {
            tracing::warn!(%error, "libvirt's event loop failed once");
            thread::sleep(Duration::from_millis(100));
        }
    }
}
