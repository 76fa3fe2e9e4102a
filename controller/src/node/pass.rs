//! One pass over one guest: observe, validate, decide, act, report.

use std::time::Duration;

use kube::ResourceExt;
use ostler_crds::{Server, names::GUEST_FINALIZER};
use ostler_engine::evacuation::must_claim;
use ostler_engine::guest::{
    Decision, Failure, Goal, Identity, Memory, Retry, ValidatedServer, Verdict, decide, identify, validate,
};
use ostler_hypervisor::{Hypervisor, HypervisorStep, ObservedDomain, Step, StorageStep};

use super::{
    Node,
    act::{Acted, act},
    observe,
    remember::Remembered,
    report, watch,
};

/// A guest is looked at this often even if nothing is heard of it. Costs the API server nothing.
pub const SAFETY_NET: Duration = Duration::from_secs(600);
/// When a pass that waits for the guest's turn to boot is repeated.
const TURN: Duration = Duration::from_millis(200);
/// When a pass that waits for its image, or for a copy of its disk, is repeated, if no signal comes before.
const FETCHING: Duration = Duration::from_secs(60);

/// What a pass found out, before it is reported.
pub struct Found {
    /// What it came to.
    pub verdict: Verdict,
    /// The domain after the steps, where it could be seen.
    pub domain: Option<ObservedDomain>,
    /// Steps that were done.
    pub steps: Vec<Step>,
    /// When to look again.
    pub requeue: Option<Duration>,
    /// What was wished, where that could be made out.
    pub validated: Option<ValidatedServer>,
}

/// One pass. Says when to look again at the latest; `None`: when something happens.
pub async fn pass<H: Hypervisor>(node: &Node<H>, server: Server) -> Option<Duration> {
    let Ok(id) = identify(&server) else {
        tracing::error!(name = server.name_any(), "a Server has no usable id");
        return None;
    };
    let ours = server.finalizers().iter().any(|f| f == GUEST_FINALIZER);
    if server.metadata.deletion_timestamp.is_some() && !ours {
        // Cleaned up already; somebody else's finalizer holds it.
        return None;
    }
    let mut remembered = node.memories.get(&id.owner.uid);
    if remembered.is_gone() {
        return None;
    }
    if node.host.is_fenced() {
        return hold_still(node, &id).await;
    }
    let server = remembered.freshen(server);
    match work(node, &id, &server, &mut remembered).await {
        Worked::Gone { foreign } => report::gone(node, &id, &server, foreign).await,
        Worked::Found(found) => {
            let wait = report::report(node, &id, &server, &found, &mut remembered).await;
            node.memories.put(&id.owner.uid, remembered);
            match (wait, wait_for(node, &id, &found)) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            }
        }
    }
}

/// A fenced machine runs no guest and says nothing of it: the Server may live elsewhere at any moment.
async fn hold_still<H: Hypervisor>(node: &Node<H>, id: &Identity) -> Option<Duration> {
    let ours = |d: &ObservedDomain| d.owner.as_ref().is_some_and(|o| o.uid == id.owner.uid);
    if observe::domain(node, id.guest).await.ok()?.is_some_and(|d| ours(&d) && d.state.is_active()) {
        tracing::warn!(server = id.owner.name, namespace = id.owner.namespace, "this machine is fenced: powering off");
        let off = Step::Hypervisor(HypervisorStep::Destroy(id.guest));
        let accelerator = observe::context(node, id.guest).await.ok()?.accelerator;
        act(node, id, accelerator, &[off]).await;
    }
    None
}

enum Worked {
    /// Nothing of the guest is left.
    Gone { foreign: bool },
    /// It is to be reported.
    Found(Box<Found>),
}

async fn work<H: Hypervisor>(node: &Node<H>, id: &Identity, server: &Server, remembered: &mut Remembered) -> Worked {
    let failed = |failure, validated| {
        let verdict = Verdict::Failed(failure);
        Worked::Found(Box::new(Found { verdict, domain: None, steps: vec![], requeue: None, validated }))
    };
    let validated = match validate(id.clone(), server, &watch::by_name(&node.networks)) {
        Ok(validated) => validated,
        Err(failure) => return failed(failure, None),
    };
    match decided(node, id, server, &validated, remembered).await {
        Err(failure) => failed(failure, Some(validated)),
        Ok((decision, before, acted)) => {
            let worked = concluded(node, id, validated, decision, before, acted, remembered).await;
            guarded(node, id, worked).await
        }
    }
}

/// A guest that runs is not as wished before the rules at its port are.
async fn guarded<H: Hypervisor>(node: &Node<H>, id: &Identity, mut worked: Worked) -> Worked {
    if let Worked::Found(found) = &mut worked
        && matches!(found.verdict, Verdict::Settled(_))
        && found.domain.as_ref().is_some_and(|d| d.state.is_active())
        && let Err(failure) = node.port_rules.ensure_for(&id.owner.uid).await
    {
        found.verdict = Verdict::Failed(failure);
    }
    worked
}

async fn decided<H: Hypervisor>(
    node: &Node<H>,
    id: &Identity,
    server: &Server,
    validated: &ValidatedServer,
    remembered: &mut Remembered,
) -> Result<(Decision, Option<ObservedDomain>, Acted), Failure> {
    let observed = observe::observe(node, id, server).await?;
    let host = observe::context(node, id.guest).await?;
    let decision = decide(validated, &observed, &host, &remembered.memory, node.clock.now());
    let known = server.status.clone().unwrap_or_default();
    let acted = if must_claim(&known, node.host.generation(), &decision.steps) {
        claim(node, id, server, remembered).await
    } else {
        act(node, id, host.accelerator, &decision.steps).await
    };
    Ok((decision, observed.domain, acted))
}

/// The first start under a Host that was changed since the guest was bound: the next pass starts it, once the API server
/// has taken the claim. One that is refused is of a Server that lives elsewhere by now; the watch tells.
async fn claim<H: Hypervisor>(node: &Node<H>, id: &Identity, server: &Server, remembered: &mut Remembered) -> Acted {
    match report::claim(node, id, server, remembered).await {
        Ok(()) => Acted::Deferred,
        Err(error) => {
            tracing::warn!(%error, server = id.owner.name, namespace = id.owner.namespace, "cannot claim a Server");
            Acted::NotClaimed(node.retries.soon(&id.owner.uid))
        }
    }
}

/// What came of the steps.
async fn concluded<H: Hypervisor>(
    node: &Node<H>,
    id: &Identity,
    validated: ValidatedServer,
    decision: Decision,
    before: Option<ObservedDomain>,
    acted: Acted,
    remembered: &mut Remembered,
) -> Worked {
    let attempted = match &acted {
        Acted::Failed(failure) => decision.failed(failure),
        Acted::Done
        | Acted::Deferred
        | Acted::Fetching
        | Acted::Copying
        | Acted::NotFetched(..)
        | Acted::NotClaimed(_) => None,
    };
    let Decision { steps, goal, requeue, memory, .. } = decision;
    // What failed is told in the echo of the momentary wish; it is over.
    let (acted, memory) = match attempted {
        Some(echo) => (Acted::Done, Memory { finished: Some(echo), ..memory }),
        None => (acted, memory),
    };
    let domain = if steps.is_empty() { before } else { observe::domain(node, id.guest).await.ok().flatten() };
    let (verdict, steps, requeue) = match acted {
        Acted::Failed(failure) => {
            // A guest that could not even be asked has its time all the same: it is powered off in the end.
            remembered.memory.asked_off = memory.asked_off.or(remembered.memory.asked_off);
            (Verdict::Failed(failure), vec![], None)
        }
        Acted::NotFetched(failure, rest) => (Verdict::Failed(failure), vec![], Some(rest)),
        Acted::Deferred => (Verdict::Waiting, vec![], Some(TURN)),
        Acted::NotClaimed(rest) => (Verdict::Waiting, vec![], Some(rest)),
        Acted::Copying => (Verdict::Waiting, vec![], Some(FETCHING)),
        Acted::Fetching => {
            remembered.fetched = steps.into_iter().find(|s| matches!(s, Step::Storage(StorageStep::FetchImage { .. })));
            (Verdict::Waiting, vec![], Some(FETCHING))
        }
        Acted::Done => {
            remembered.memory = memory;
            let verdict = match goal {
                Goal::Settled(settled) => Verdict::Settled(settled),
                Goal::Waiting => Verdict::Waiting,
                Goal::Rebooting(type_) => Verdict::Rebooting(type_),
                Goal::Resting => Verdict::Resting,
                Goal::Blocked(failure) => Verdict::Failed(failure),
                Goal::Gone => return Worked::Gone { foreign: false },
                Goal::GoneButForeign => return Worked::Gone { foreign: true },
            };
            // What was fetched for an earlier pass is part of the story.
            (verdict, remembered.fetched.take().into_iter().chain(steps).collect(), requeue)
        }
    };
    Worked::Found(Box::new(Found { verdict, domain, steps, requeue, validated: Some(validated) }))
}

fn wait_for<H: Hypervisor>(node: &Node<H>, id: &Identity, found: &Found) -> Option<Duration> {
    let Verdict::Failed(failure) = &found.verdict else {
        node.retries.succeeded(&id.owner.uid);
        return found.requeue;
    };
    if found.requeue.is_some() {
        return found.requeue;
    }
    Some(match failure.kind.retry() {
        Retry::Soon => node.retries.soon(&id.owner.uid),
        Retry::Slowly => node.retries.slowly(&id.owner.uid),
        Retry::OnChange => SAFETY_NET / 2,
    })
}
