//! The manager against a real API server, under the chart's ServiceAccount, with Hosts that the test stands in for.

mod away;
mod crash;
mod images;
mod place;
mod quota;
mod refusals;
mod silent;
