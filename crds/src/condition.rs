//! Conditions as kstatus reads them: `Ready` always present, `Reconciling` and `Stalled` present only while true.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// The status of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// Nobody can tell at present.
    Unknown,
}

impl Status {
    /// The text in the object.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// What a condition says, before it has a transition time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionBuilder {
    /// One of [`crate::names::condition`].
    pub type_: &'static str,
    /// Whether it holds.
    pub status: Status,
    /// One of [`crate::names::reason`].
    pub reason: &'static str,
    /// A sentence for the user that names the field and the next step.
    pub message: String,
}

impl ConditionBuilder {
    /// A condition at `generation`; its transition time is kept from `previous` if the status is the same.
    pub fn build(self, generation: i64, previous: &[Condition], now: Timestamp) -> Condition {
        let same = find_condition(previous, self.type_).filter(|c| c.status == self.status.as_str());
        Condition {
            type_: self.type_.to_owned(),
            status: self.status.as_str().to_owned(),
            reason: self.reason.to_owned(),
            // The API server refuses more than 32,768 characters.
            message: self.message.chars().take(2048).collect(),
            observed_generation: Some(generation),
            last_transition_time: same.map_or(Time(now), |c| c.last_transition_time.clone()),
        }
    }
}

/// The condition of a type, if present.
pub fn find_condition<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|c| c.type_ == type_)
}

/// Replaces or appends the condition of the same type.
pub fn set_condition(conditions: &mut Vec<Condition>, condition: Condition) {
    match conditions.iter_mut().find(|c| c.type_ == condition.type_) {
        Some(slot) => *slot = condition,
        None => conditions.push(condition),
    }
}

/// Schema of a list of conditions: a map keyed by type, so that two writers may each own theirs.
pub fn conditions_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let item = generator.subschema_for::<Condition>();
    schemars::json_schema!({
        "type": "array",
        "description": "Conditions, keyed by type. Ready is always present; Reconciling and Stalled only while true (kstatus).",
        "items": item,
        "maxItems": 16,
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["type"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(status: Status) -> ConditionBuilder {
        ConditionBuilder { type_: "Ready", status, reason: "Test", message: String::new() }
    }

    #[test]
    fn the_transition_time_is_kept_while_the_status_stays() {
        let (t0, t1) = (Timestamp::from_second(100).unwrap(), Timestamp::from_second(200).unwrap());
        let first = ready(Status::True).build(1, &[], t0);
        let again = ready(Status::True).build(2, std::slice::from_ref(&first), t1);
        assert_eq!(again.last_transition_time, Time(t0));
        assert_eq!(again.observed_generation, Some(2));
        let changed = ready(Status::False).build(2, &[first], t1);
        assert_eq!(changed.last_transition_time, Time(t1));
    }
}
