//! nova.
