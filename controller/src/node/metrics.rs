//! What Prometheus is told of the node role.

use std::time::Duration;

use ostler_engine::guest::{FailureKind, Verdict};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

use super::storage::CacheState;

/// Counters of the node role. Labels have few values; no guest's name is among them.
#[derive(Clone)]
pub struct Metrics {
    passes: Family<PassLabels, Counter>,
    steps: Family<StepLabels, Counter>,
    seconds: Family<NameLabels, Histogram>,
    removed: Counter,
    hypervisor_up: Gauge,
    metadata: Family<StatusLabels, Counter>,
    cache: CacheMetrics,
}

#[derive(Clone, Default)]
struct CacheMetrics {
    images: Gauge,
    bytes: Gauge,
    needed: Gauge,
    limit: Gauge,
    removed: Counter,
    removed_bytes: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabels {
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PassLabels {
    outcome: &'static str,
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StepLabels {
    step: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NameLabels {
    step: &'static str,
}

impl Metrics {
    /// Counters in this registry.
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            passes: Family::default(),
            steps: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(exponential_buckets(0.001, 4.0, 10))),
            removed: Counter::default(),
            hypervisor_up: Gauge::default(),
            metadata: Family::default(),
            cache: CacheMetrics::default(),
        };
        let registry = registry.sub_registry_with_prefix("ostler_node");
        registry.register("passes", "Passes over guests by what they came to", metrics.passes.clone());
        registry.register("steps", "Steps done for guests by result", metrics.steps.clone());
        registry.register("step_seconds", "Time that steps took", metrics.seconds.clone());
        registry.register("guests_removed", "Guests removed with all that belonged to them", metrics.removed.clone());
        registry.register("hypervisor_up", "Whether libvirt answers (1) or not (0)", metrics.hypervisor_up.clone());
        registry.register(
            "metadata_answers",
            "Answers of the metadata service by HTTP status; 0: a connection too many",
            metrics.metadata.clone(),
        );
        let cache = metrics.cache.clone();
        registry.register("image_cache_images", "Images in the cache", cache.images);
        registry.register("image_cache_bytes", "Bytes that cached images take", cache.bytes);
        registry.register("image_cache_needed_bytes", "Bytes of those that guests here need", cache.needed);
        registry.register("image_cache_limit_bytes", "Bytes that cached images may take", cache.limit);
        registry.register("image_cache_removed", "Images removed because nobody needed them", cache.removed);
        registry.register("image_cache_removed_bytes", "Bytes of those", cache.removed_bytes);
        metrics
    }

    /// A pass came to something.
    pub fn pass(&self, verdict: &Verdict) {
        let (outcome, reason) = match verdict {
            Verdict::Settled(_) => ("settled", ""),
            Verdict::Waiting => ("waiting", ""),
            Verdict::Rebooting(_) => ("rebooting", ""),
            Verdict::Resting => ("resting", ""),
            Verdict::Failed(failure) => ("failed", failure.kind.label()),
        };
        self.passes.get_or_create(&PassLabels { outcome, reason }).inc();
    }

    /// A step was done or failed.
    pub fn step(&self, step: &'static str, failure: Option<FailureKind>, took: Duration) {
        let result = failure.map_or("ok", FailureKind::label);
        self.steps.get_or_create(&StepLabels { step, result }).inc();
        self.seconds.get_or_create(&NameLabels { step }).observe(took.as_secs_f64());
    }

    /// The image cache was looked at.
    pub fn image_cache(&self, state: &CacheState) {
        let gauge = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        self.cache.images.set(gauge(state.images));
        self.cache.bytes.set(gauge(state.bytes));
        self.cache.needed.set(gauge(state.needed_bytes));
        self.cache.limit.set(gauge(state.limit_bytes));
        self.cache.removed.inc_by(state.removed);
        self.cache.removed_bytes.inc_by(state.removed_bytes);
    }

    /// A guest is gone.
    pub fn removed(&self) {
        self.removed.inc();
    }

    /// A guest was answered with this HTTP status, or with none (0).
    pub fn metadata(&self, status: u16) {
        self.metadata.get_or_create(&StatusLabels { status }).inc();
    }

    /// Whether libvirt answers.
    pub fn hypervisor(&self, up: bool) {
        self.hypervisor_up.set(i64::from(up));
    }
}
