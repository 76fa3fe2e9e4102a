//! The filter `status`: Nova's words and the seed's own spellings (spec D-04).

use crate::{
    fault::Fault,
    http::{Microversion, Query},
};

/// What clients may write, and what it means.
const WORDS: &[(&str, &str)] = &[
    ("ACTIVE", "ACTIVE"),
    ("BUILD", "BUILD"),
    ("BUILDING", "BUILD"),
    ("DELETED", "DELETED"),
    ("ERROR", "ERROR"),
    ("HARD_REBOOT", "HARD_REBOOT"),
    ("MIGRATING", "MIGRATING"),
    ("PASSWORD", "PASSWORD"),
    ("PAUSED", "PAUSED"),
    ("REBOOT", "REBOOT"),
    ("REBUILD", "REBUILD"),
    ("RESCUE", "RESCUE"),
    ("RESCUED", "RESCUE"),
    ("RESIZE", "RESIZE"),
    ("RESIZED", "RESIZE"),
    ("REVERT_RESIZE", "REVERT_RESIZE"),
    ("SHELVED", "SHELVED"),
    ("SHELVED_OFFLOADED", "SHELVED_OFFLOADED"),
    ("SHUTOFF", "SHUTOFF"),
    ("STOPPED", "SHUTOFF"),
    ("SOFT_DELETED", "SOFT_DELETED"),
    ("SUSPENDED", "SUSPENDED"),
    ("UNKNOWN", "UNKNOWN"),
    ("VERIFY_RESIZE", "VERIFY_RESIZE"),
];

/// From here on an unknown word is 400; before, nothing has it.
const STRICT: Microversion = Microversion(38);

/// The wanted words; the key may come several times. DELETED is for administrators.
pub fn wanted(query: &Query, version: Microversion, privileged: bool) -> Result<Option<Vec<String>>, Fault> {
    let mut wanted = Vec::new();
    let mut asked = false;
    for word in query.all("status").filter(|w| !w.is_empty()) {
        asked = true;
        let upper = word.to_ascii_uppercase();
        match WORDS.iter().find(|(name, _)| *name == upper) {
            Some((_, "DELETED")) if !privileged => {
                return Err(Fault::forbidden("Only administrators may list deleted instances"));
            }
            Some((_, nova)) => wanted.push((*nova).to_owned()),
            None if version >= STRICT => {
                return Err(Fault::bad_request(format!("Invalid status value {}", crate::observe::clean(word))));
            }
            None => {}
        }
    }
    Ok(asked.then_some(wanted))
}
