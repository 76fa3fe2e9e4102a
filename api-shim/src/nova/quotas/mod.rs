//! Quotas: `os-quota-sets`, `os-quota-class-sets`, and what they let in. The limits are ProjectQuotas, which the manager
//! looks at too before it places a Server, so that no front passes them by.

pub mod admit;
pub mod classes;
pub mod sets;
mod view;
mod wire;

pub use wire::FIELDS as UPDATE;
