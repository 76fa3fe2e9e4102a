//! Rows.
pub(super) const ROUTES: &[crate::http::Route] = &[];
