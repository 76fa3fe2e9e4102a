//! What the test binaries here share: cases for the API server's verdict, and objects to put before it.

pub mod case;
pub mod object;
pub mod verdict;
