//! Against a real kube-apiserver with the chart's CRDs, RBAC and policies. One binary, because it starts one control
//! plane for all its tests.

mod chart;
mod custom_resources;
mod finalizer_at_birth;
mod policies;
mod role_tables;
mod roles;
mod rules;
