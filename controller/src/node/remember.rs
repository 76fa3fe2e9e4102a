//! What this process remembers of each guest between passes: the engine's memory, and the status that it wrote itself
//! but may not have seen come back yet.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use ostler_crds::{Server, ServerStatus};
use ostler_engine::guest::Memory;
use ostler_hypervisor::Step;

/// Memories by the Server's uid.
#[derive(Default)]
pub struct Memories(Mutex<HashMap<String, Remembered>>);

/// What is remembered of one guest.
#[derive(Debug, Clone, Default)]
pub struct Remembered {
    /// The engine's memory.
    pub memory: Memory,
    /// The fetch that it waited for, until its steps are told of.
    pub fetched: Option<Step>,
    written: Option<Written>,
    gone: bool,
}

#[derive(Debug, Clone)]
struct Written {
    resource_version: u64,
    status: ServerStatus,
}

impl Memories {
    /// What is remembered of the Server with this uid.
    pub fn get(&self, uid: &str) -> Remembered {
        self.all().get(uid).cloned().unwrap_or_default()
    }

    /// Remembers.
    pub fn put(&self, uid: &str, remembered: Remembered) {
        self.all().insert(uid.to_owned(), remembered);
    }

    /// Forgets all of whom `exists` does not know.
    pub fn retain(&self, exists: impl Fn(&str) -> bool) {
        self.all().retain(|uid, _| exists(uid));
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Remembered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    /// Of a guest that is gone, whose Server the watch may still show for a moment.
    pub fn gone() -> Self {
        Self { gone: true, ..Self::default() }
    }

    /// Whether the guest is gone for good. Its address may be another guest's by now, so it is not cleaned up again.
    pub fn is_gone(&self) -> bool {
        self.gone
    }

    /// Notes the object that the API server returned for a write of ours.
    pub fn wrote(&mut self, returned: &Server) {
        self.written = version(returned)
            .map(|v| Written { resource_version: v, status: returned.status.clone().unwrap_or_default() });
    }

    /// Lays a write of ours over an object that is older than it, so that no pass writes the same again just because
    /// the watch is late. Resource versions of one kind can be compared (KEP-5504).
    pub fn freshen(&self, mut server: Server) -> Server {
        if let Some(written) = &self.written
            && version(&server).is_some_and(|v| v < written.resource_version)
        {
            server.status = Some(written.status.clone());
            server.metadata.resource_version = Some(written.resource_version.to_string());
        }
        server
    }
}

fn version(server: &Server) -> Option<u64> {
    server.metadata.resource_version.as_deref()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use ostler_crds::ServerSpec;

    use super::*;

    fn at(version: &str, generation: i64) -> Server {
        let mut server = Server::new("a", ServerSpec::default());
        server.metadata.resource_version = Some(version.into());
        server.status = Some(ServerStatus { observed_generation: Some(generation), ..ServerStatus::default() });
        server
    }

    fn seen(remembered: &Remembered, server: Server) -> Option<i64> {
        remembered.freshen(server).status.unwrap().observed_generation
    }

    #[test]
    fn an_older_object_gets_the_status_that_was_written_and_a_newer_one_keeps_its_own() {
        let mut remembered = Remembered::default();
        assert_eq!(seen(&remembered, at("5", 1)), Some(1));
        remembered.wrote(&at("9", 2));
        assert_eq!(seen(&remembered, at("8", 1)), Some(2));
        assert_eq!(seen(&remembered, at("9", 3)), Some(3));
        assert_eq!(seen(&remembered, at("10", 3)), Some(3));
    }
}
