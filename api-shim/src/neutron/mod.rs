//! neutron.
