//! What libvirt calls: domain events and the end of a connection. `virt` does not wrap these, so the unsafe code of
//! Ostler is here and in [`crate::job`].

#![allow(unsafe_code)]

use std::{
    mem,
    os::raw::{c_int, c_void},
    panic::{AssertUnwindSafe, catch_unwind},
    ptr,
    sync::Arc,
};

use ostler_hypervisor::GuestId;
use uuid::Uuid;
use virt::{connect::Connect, error::Error, sys};

/// Hears what libvirt tells. Called on the event thread: it must not call libvirt, and must not wait.
pub(crate) trait Listener: Send + Sync {
    /// Something about this guest changed.
    fn changed(&self, guest: GuestId);
    /// The connection ended.
    fn closed(&self);
}

/// What every callback gets: one owned box, freed by [`free`] when libvirt lets go of the callback.
type Opaque = Arc<dyn Listener>;

/// Callbacks of one connection; dropping it takes them back.
pub(crate) struct Registration {
    connect: Connect,
    events: Vec<c_int>,
    close: bool,
}

impl Registration {
    /// Registers `listener` for lifecycle and reboot events of all domains, and for the connection's end.
    pub(crate) fn new(connect: &Connect, listener: &Opaque) -> Result<Self, Error> {
        let mut registration = Self { connect: connect.clone(), events: Vec::new(), close: false };
        registration.close = registration.register_close(listener.clone());
        // SAFETY: libvirt keeps callbacks of all kinds as one type, and calls each with the arguments of its event id.
        // `lifecycle` has the signature of VIR_DOMAIN_EVENT_ID_LIFECYCLE (virConnectDomainEventCallback).
        let lifecycle = unsafe { mem::transmute::<LifecycleCallback, GenericCallback>(lifecycle) };
        registration.register_event(sys::VIR_DOMAIN_EVENT_ID_LIFECYCLE, lifecycle, listener.clone())?;
        registration.register_event(sys::VIR_DOMAIN_EVENT_ID_REBOOT, generic, listener.clone())?;
        Ok(registration)
    }

    fn register_event(
        &mut self,
        id: sys::virDomainEventID,
        callback: GenericCallback,
        listener: Opaque,
    ) -> Result<(), Error> {
        let opaque = into_raw(listener);
        // SAFETY: the connection is open and outlives the call; a null domain means all domains; `opaque` came from
        // `into_raw` and is given to `free` exactly once, by libvirt when it lets go of the callback.
        let registered = unsafe {
            let connect = self.connect.as_ptr();
            sys::virConnectDomainEventRegisterAny(
                connect,
                ptr::null_mut(),
                id as c_int,
                Some(callback),
                opaque,
                Some(free),
            )
        };
        if registered < 0 {
            let error = Error::last_error();
            // SAFETY: libvirt did not take the callback, so `opaque` is still ours and nobody else frees it.
            unsafe { free(opaque) };
            return Err(error);
        }
        self.events.push(registered);
        Ok(())
    }

    /// Returns whether the driver can tell; the test driver cannot, for it never ends.
    fn register_close(&mut self, listener: Opaque) -> bool {
        let opaque = into_raw(listener);
        // SAFETY: as in `register_event`.
        let registered =
            unsafe { sys::virConnectRegisterCloseCallback(self.connect.as_ptr(), Some(close), opaque, Some(free)) };
        if registered < 0 {
            tracing::debug!(error = %Error::last_error(), "this libvirt driver does not tell the end of a connection");
            // SAFETY: libvirt did not take the callback, so `opaque` is still ours and nobody else frees it.
            unsafe { free(opaque) };
        }
        registered >= 0
    }
}

impl Drop for Registration {
    /// Each callback holds a reference on the connection: without this it would never be closed. On a broken connection
    /// libvirt returns an error but lets go of the callback all the same.
    fn drop(&mut self) {
        for id in &self.events {
            // SAFETY: the connection's reference is ours; the id came from it and was not deregistered before.
            unsafe { sys::virConnectDomainEventDeregisterAny(self.connect.as_ptr(), *id) };
        }
        if self.close {
            // SAFETY: the connection's reference is ours, and `close` is the callback that was registered on it.
            unsafe { sys::virConnectUnregisterCloseCallback(self.connect.as_ptr(), Some(close)) };
        }
    }
}

type GenericCallback = unsafe extern "C" fn(sys::virConnectPtr, sys::virDomainPtr, *mut c_void);
type LifecycleCallback =
    unsafe extern "C" fn(sys::virConnectPtr, sys::virDomainPtr, c_int, c_int, *mut c_void) -> c_int;

unsafe extern "C" fn lifecycle(
    connect: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    _event: c_int,
    _detail: c_int,
    opaque: *mut c_void,
) -> c_int {
    // SAFETY: the same promises of libvirt hold for both callbacks.
    unsafe { generic(connect, domain, opaque) };
    0
}

unsafe extern "C" fn generic(_: sys::virConnectPtr, domain: sys::virDomainPtr, opaque: *mut c_void) {
    let mut uuid = [0_u8; sys::VIR_UUID_BUFLEN as usize];
    // SAFETY: libvirt gives a domain that is valid during the call, and writes VIR_UUID_BUFLEN bytes.
    if unsafe { sys::virDomainGetUUID(domain, uuid.as_mut_ptr()) } == 0 {
        let guest = GuestId(Uuid::from_bytes(uuid));
        // SAFETY: `opaque` is what was registered; libvirt frees it only when no callback runs.
        tell(unsafe { listener(opaque) }, |listener| listener.changed(guest));
    }
}

unsafe extern "C" fn close(_: sys::virConnectPtr, _reason: c_int, opaque: *mut c_void) {
    // SAFETY: `opaque` is what was registered; libvirt frees it only when no callback runs.
    tell(unsafe { listener(opaque) }, |listener| listener.closed());
}

unsafe extern "C" fn free(opaque: *mut c_void) {
    // SAFETY: `opaque` came from `into_raw`, and libvirt calls this once.
    drop(unsafe { Box::from_raw(opaque.cast::<Opaque>()) });
}

fn into_raw(listener: Opaque) -> *mut c_void {
    Box::into_raw(Box::new(listener)).cast()
}

/// # Safety
/// `opaque` came from [`into_raw`] and was not freed, and is not freed while the result is used.
unsafe fn listener<'a>(opaque: *mut c_void) -> &'a dyn Listener {
    // SAFETY: the caller's promise.
    unsafe { &**opaque.cast::<Opaque>() }
}

/// A panic must not unwind into libvirt.
fn tell(listener: &dyn Listener, event: impl FnOnce(&dyn Listener)) {
    if catch_unwind(AssertUnwindSafe(|| event(listener))).is_err() {
        tracing::error!("a listener of libvirt's events panicked");
    }
}
