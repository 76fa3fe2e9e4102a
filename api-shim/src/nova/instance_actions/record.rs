//! What was asked of a server, by whom and when: a line each in an annotation, the newest last. Pure.
//!
//! A line is `action request user milliseconds [project]`; the project is there if it is not the server's own.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::{authorize::Permit, http::Inbound, store::names};

/// Most lines kept.
const KEPT: usize = 20;

/// What was asked of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Nova's name of the action.
    pub action: String,
    /// Id of the request.
    pub request: String,
    /// OpenStack id of the user.
    pub user: String,
    /// The project of the user's token, if it is not the server's.
    pub project: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl Record {
    /// Of this request.
    pub fn new(action: &str, inbound: &Inbound, permit: &Permit, at: Timestamp) -> Self {
        let caller = permit.caller();
        Self {
            action: action.to_owned(),
            request: inbound.request.clone(),
            user: caller.user.id(),
            project: caller.project.clone().filter(|p| p != permit.project()),
            at,
        }
    }

    fn line(&self) -> String {
        let request = self.request.strip_prefix("req-").unwrap_or(&self.request);
        let mut line = format!("{} {request} {} {}", self.action, self.user, self.at.as_millisecond());
        if let Some(project) = &self.project {
            line.push(' ');
            line.push_str(project);
        }
        line
    }

    /// Anybody may write the annotation with kubectl, so what is no record is left out.
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let (action, request, user) = (words.next()?, words.next()?, words.next()?);
        let at = Timestamp::from_millisecond(words.next()?.parse().ok()?).ok()?;
        Some(Self {
            action: action.to_owned(),
            request: format!("req-{request}"),
            user: user.to_owned(),
            project: words.next().map(str::to_owned),
            at,
        })
    }
}

/// Adds a record; the oldest goes when there are many. The first one, the creation, stays.
pub fn note(meta: &mut ObjectMeta, record: &Record) {
    let mut records = of(meta);
    if records.len() >= KEPT {
        records.remove(1);
    }
    records.push(record.clone());
    let lines: Vec<String> = records.iter().map(Record::line).collect();
    meta.annotations.get_or_insert_default().insert(names::EVENTS.to_owned(), lines.join("\n"));
}

/// The records, the oldest first.
pub fn of(meta: &ObjectMeta) -> Vec<Record> {
    let text = meta.annotations.as_ref().and_then(|a| a.get(names::EVENTS));
    text.into_iter().flat_map(|t| t.lines()).filter_map(Record::read).take(KEPT).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(number: i64) -> Record {
        Record {
            action: "reboot".into(),
            request: format!("req-{number}"),
            user: "u".into(),
            project: (number % 2 == 0).then(|| "admin".to_owned()),
            at: Timestamp::from_millisecond(number).unwrap(),
        }
    }

    #[test]
    fn records_are_read_back_and_bounded_and_the_first_stays() {
        let mut meta = ObjectMeta::default();
        for number in 0..50 {
            note(&mut meta, &record(number));
        }
        let records = of(&meta);
        assert_eq!(records.len(), KEPT);
        assert_eq!(records[0], record(0));
        assert_eq!(records[1..], (50 - KEPT as i64 + 1..50).map(record).collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn no_annotation_breaks_the_reader(text in "\\PC{0,200}") {
            let annotations = Some([(names::EVENTS.to_owned(), text)].into());
            let mut meta = ObjectMeta { annotations, ..ObjectMeta::default() };
            let count = of(&meta).len();
            note(&mut meta, &record(1));
            prop_assert!(of(&meta).len() == (count + 1).min(KEPT));
        }
    }
}
