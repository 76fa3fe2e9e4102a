//! Bound Servers: what their changed flavor, image, key and rescue stand for, in one write each.

use std::sync::{MutexGuard, PoisonError};

use jiff::Timestamp;
use kube::{
    Resource, ResourceExt,
    runtime::{controller::Action, reflector::ObjectRef},
};
use ostler_crds::{Server, ServerStatus, find_condition, names::condition, server::ResolvedFlavor};
use ostler_engine::change::{self, Objects, Room};

use super::{
    ledger::Ledger,
    place::Placer,
    write::{self, Error},
};

impl Placer {
    /// One pass over one bound Server.
    pub(super) async fn follow(&self, server: &Server) -> Result<Action, Error> {
        let key = ObjectRef::from_obj(server);
        let next = self.changed(server);
        if !change::says_already(server, &next) {
            self.write_change(server, &next).await?;
        }
        if find_condition(&next.conditions, condition::CHANGE_REFUSED).is_some() {
            return Ok(Action::requeue(self.backoff.failed(&key)));
        }
        self.backoff.succeeded(&key);
        Ok(Action::await_change())
    }

    /// Decides on what is in memory, and holds what it gives out. No await: two passes never decide at once.
    fn changed(&self, server: &Server) -> ServerStatus {
        let uid = server.uid().unwrap_or_default();
        let mut ledger = self.book();
        let host = server.status.as_ref().and_then(|s| s.host.clone()).unwrap_or_default();
        let candidates = self.candidates(&ledger);
        let free = candidates.iter().find(|c| c.name == host).map(|c| c.free()).unwrap_or_default();
        let (held, size) = ledger.taken(&uid);
        let room = Room { free, held };
        let used = ledger.used(&server.namespace().unwrap_or_default()).minus(size);
        let next = self.with_named(server, |named| {
            let rescue = server.rescue_ref();
            let rescue = rescue.and_then(|r| self.stores.images.get(&ObjectRef::new(&r.name).within(&r.namespace)));
            let objects = Objects { named, rescue: rescue.as_deref() };
            let admit = |flavor: &ResolvedFlavor| self.admit(server, flavor, used);
            change::changed(server, &objects, room, &admit, Timestamp::now())
        });
        ledger.expect(server, &next);
        next
    }

    async fn write_change(&self, server: &Server, next: &ServerStatus) -> Result<(), Error> {
        write::server_status(&self.context, server, next).await?;
        let of = |s: &ServerStatus| {
            find_condition(&s.conditions, condition::CHANGE_REFUSED).map(|c| (c.reason.clone(), c.message.clone()))
        };
        let told = server.status.as_ref().and_then(of);
        if let Some((reason, message)) = of(next).filter(|now| Some(now) != told.as_ref()) {
            self.context.events.warning(&server.object_ref(&()), &reason, "Change", message).await;
        }
        Ok(())
    }

    fn book(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
