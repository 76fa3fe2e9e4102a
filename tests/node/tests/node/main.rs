//! The node role with real guests. Needs root.

mod crashes;
mod errors;
mod life;
mod streams;
