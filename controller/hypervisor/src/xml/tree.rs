//! A document as a tree of elements: enough to read what libvirt says.

use quick_xml::{
    NsReader, XmlVersion,
    events::{BytesStart, Event},
    name::{Namespace, ResolveResult},
};

use super::{NAMESPACE, XmlError};

/// An element with its attributes and children; text is left out, for nothing that Ostler reads is text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    name: String,
    /// Whether it is in Ostler's namespace.
    ours: bool,
    attributes: Vec<(String, String)>,
    children: Vec<Element>,
}

impl Element {
    /// Reads a whole document and returns its root. Comments, text and instructions are skipped.
    pub(crate) fn parse(xml: &str) -> Result<Self, XmlError> {
        let mut reader = NsReader::from_str(xml);
        reader.config_mut().expand_empty_elements = true;
        let mut open: Vec<Element> = vec![Element::default()];
        loop {
            let (namespace, event) = reader.read_resolved_event().map_err(unreadable)?;
            match event {
                Event::Start(start) => {
                    open.push(Element::open(&start, namespace == ResolveResult::Bound(Namespace(NAMESPACE)))?);
                }
                Event::End(_) => {
                    let closed = open.pop();
                    if let (Some(closed), Some(parent)) = (closed, open.last_mut()) {
                        parent.children.push(closed);
                    }
                }
                Event::Eof => break,
                _ => {}
            }
        }
        let document = open.pop().filter(|_| open.is_empty());
        document.and_then(|d| d.children.into_iter().next()).ok_or_else(|| unreadable("the document ends early"))
    }

    fn open(start: &BytesStart<'_>, ours: bool) -> Result<Self, XmlError> {
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(unreadable)?;
            let value = attribute.normalized_value(XmlVersion::Explicit1_0).map_err(unreadable)?;
            attributes.push((attribute.key.0.to_owned(), value.into_owned()));
        }
        Ok(Self { name: start.local_name().into_inner().to_owned(), ours, attributes, children: Vec::new() })
    }

    /// The attribute of that name.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Its children of that name, whatever their namespace.
    pub(crate) fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Its first child of that name.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Ostler's mark of that name under `<metadata>`. Another tool's metadata never counts: the namespace must be ours.
    pub(crate) fn mark(&self, name: &str) -> Option<&Element> {
        self.child("metadata")?.children.iter().find(|child| child.ours && child.name == name)
    }
}

fn unreadable(error: impl ToString) -> XmlError {
    XmlError::Read(error.to_string())
}
