//! What every XML document for libvirt shares: its namespace, its escaping, its errors.
//!
//! Documents are written by a serializer from typed structs, so user text is always escaped. What XML cannot carry at
//! all (control characters) is refused before.

mod tree;

use std::path::{Path, PathBuf};

pub(crate) use self::tree::Element;
use quick_xml::se::Serializer;
use serde::Serialize;
use thiserror::Error;

use crate::error::{ErrorClass, HypervisorError};

/// XML namespace of what Ostler writes into `<metadata>`. A domain or network that carries it is Ostler's.
pub const NAMESPACE: &str = "https://compute.ostler.dev/xmlns/libvirt/1";

/// A definition cannot be written as XML, or libvirt's XML cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum XmlError {
    /// A text holds a character that XML cannot carry.
    #[error("{field} holds a character that XML cannot carry")]
    Character {
        /// Which text.
        field: &'static str,
    },
    /// A path is relative or not UTF-8.
    #[error("the path {0:?} is not absolute or not UTF-8")]
    Path(PathBuf),
    /// The serializer failed.
    #[error("cannot write XML: {0}")]
    Write(String),
    /// libvirt's XML is not what its documentation promises.
    #[error("cannot read libvirt's XML: {0}")]
    Read(String),
}

impl From<XmlError> for HypervisorError {
    fn from(error: XmlError) -> Self {
        Self::new(ErrorClass::Refused, error.to_string())
    }
}

/// Returns `text` if XML 1.0 can carry it unchanged, in an attribute too: no control characters (attributes turn line
/// breaks into blanks), no noncharacters.
pub(crate) fn text<'a>(field: &'static str, text: &'a str) -> Result<&'a str, XmlError> {
    let carried = |c: char| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}');
    if text.chars().all(carried) { Ok(text) } else { Err(XmlError::Character { field }) }
}

/// Returns an absolute path as text.
pub(crate) fn path<'a>(field: &'static str, path: &'a Path) -> Result<&'a str, XmlError> {
    match path.to_str() {
        Some(utf8) if path.is_absolute() => text(field, utf8),
        _ => Err(XmlError::Path(path.to_owned())),
    }
}

/// Writes a document, indented by two blanks.
pub(crate) fn write<T: Serialize>(document: &T) -> Result<String, XmlError> {
    let mut out = String::new();
    let mut serializer = Serializer::new(&mut out);
    serializer.indent(' ', 2);
    document.serialize(serializer).map_err(|error| XmlError::Write(error.to_string()))?;
    Ok(out)
}
