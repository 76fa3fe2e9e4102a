//! glance.
