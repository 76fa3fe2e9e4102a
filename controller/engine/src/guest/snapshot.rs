//! Copies of a guest's disk go on beside its passes; this lays what is told of them over what a pass says.

use ostler_crds::server::{
    FailedSnapshot, ServerStatus,
    state::{ServerState, TaskState},
};

/// How the images that are to be made of a guest stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copying {
    /// Nova's task, while one is being made.
    pub task: Option<TaskState>,
    /// Those that could not be made, until the manager has noted it.
    pub failed: Vec<FailedSnapshot>,
}

impl Copying {
    /// Completes a report of the node role. A task of the guest itself goes before.
    pub fn lay_over(&self, next: &mut ServerStatus) {
        next.failed_snapshots.clone_from(&self.failed);
        let ours = |task: TaskState| matches!(task, TaskState::ImageSnapshot | TaskState::ImageUploading);
        if let Some(state) = next.state.as_mut().filter(|s| s.task_state.is_none_or(ours)) {
            *state = ServerState::new(state.vm_state, self.task, state.power_state);
        }
    }
}

#[cfg(test)]
mod tests {
    use ostler_crds::server::state::{ObservedPower, VmState};

    use super::*;

    fn told(before: Option<TaskState>, task: Option<TaskState>) -> Option<TaskState> {
        let state = ServerState::new(VmState::Active, before, ObservedPower::Running);
        let mut next = ServerStatus { state: Some(state), ..ServerStatus::default() };
        Copying { task, failed: vec![] }.lay_over(&mut next);
        next.state.unwrap().task_state
    }

    #[test]
    fn a_copy_shows_unless_the_guest_has_a_task_of_its_own_and_is_forgotten_when_it_is_over() {
        use TaskState::{ImageSnapshot, ImageUploading, PoweringOn};
        assert_eq!(told(None, Some(ImageSnapshot)), Some(ImageSnapshot));
        assert_eq!(told(Some(ImageSnapshot), Some(ImageUploading)), Some(ImageUploading));
        assert_eq!(told(Some(ImageUploading), None), None);
        assert_eq!(told(Some(PoweringOn), Some(ImageSnapshot)), Some(PoweringOn));
        assert_eq!(told(Some(PoweringOn), None), Some(PoweringOn));
    }
}
