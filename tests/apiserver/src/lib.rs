//! Tests against a real kube-apiserver with the chart: see the test binaries in `tests/`.
