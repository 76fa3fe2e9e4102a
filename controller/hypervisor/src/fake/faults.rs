//! Faults on demand.

use crate::{ErrorClass, HypervisorError, HypervisorStep};

type FaultWhere = Box<dyn Fn(&HypervisorStep) -> Option<ErrorClass> + Send + Sync>;

#[derive(Default)]
pub(super) struct Faults {
    unreachable: bool,
    next: Option<(u32, ErrorClass)>,
    lost: u32,
    matching: Option<FaultWhere>,
    pub(super) asked: u64,
}

impl Faults {
    /// Returns whether that changed anything.
    pub(super) fn set_reachable(&mut self, reachable: bool) -> bool {
        std::mem::replace(&mut self.unreachable, !reachable) == reachable
    }

    pub(super) fn fail_next(&mut self, steps: u32, class: ErrorClass) {
        self.next = Some((steps, class));
    }

    pub(super) fn lose_answers(&mut self, steps: u32) {
        self.lost = steps;
    }

    pub(super) fn fail_where(&mut self, fault: FaultWhere) {
        self.matching = Some(fault);
    }

    pub(super) fn reach(&self) -> Result<(), HypervisorError> {
        if self.unreachable {
            return Err(HypervisorError::new(ErrorClass::Unreachable, "the model was told to be unreachable"));
        }
        Ok(())
    }

    /// Fails where a fault is due; returns whether the step's answer is to be lost.
    pub(super) fn before(&mut self, step: &HypervisorStep) -> Result<bool, HypervisorError> {
        self.asked += 1;
        self.reach()?;
        if let Some((left @ 1.., class)) = &mut self.next {
            *left -= 1;
            return Err(HypervisorError::new(*class, "the model was told to fail"));
        }
        if let Some(class) = self.matching.as_ref().and_then(|fault| fault(step)) {
            return Err(HypervisorError::new(class, "the model was told to fail this step"));
        }
        let lost = self.lost > 0;
        self.lost = self.lost.saturating_sub(1);
        Ok(lost)
    }
}
