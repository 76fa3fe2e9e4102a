//! Tables of specs and changes with the verdict that each must get.

use anyhow::{Context, Result};
use kube::Client;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::object::{api, merged, object};
use crate::verdict::expect;

/// One spec, or one change of it, and the verdict.
#[derive(Debug, Clone)]
pub struct Case {
    /// A phrase for the failure's message.
    pub what: &'static str,
    /// Laid over the table's base spec; null removes a field.
    pub spec: Value,
    /// With it, `spec` must be accepted and this change of it is what is judged.
    pub change: Option<Value>,
    /// Text of the refusal; `None`: accepted.
    pub refusal: Option<&'static str>,
}

/// A spec that must be accepted.
pub fn accepts(what: &'static str, spec: Value) -> Case {
    Case { what, spec, change: None, refusal: None }
}

/// A spec that must be refused with this text.
pub fn refuses(spec: Value, refusal: &'static str) -> Case {
    Case { what: refusal, spec, change: None, refusal: Some(refusal) }
}

/// A change that must be accepted.
pub fn allows_change(what: &'static str, spec: Value, change: Value) -> Case {
    Case { what, spec, change: Some(change), refusal: None }
}

/// A change that must be refused with this text.
pub fn refuses_change(spec: Value, change: Value, refusal: &'static str) -> Case {
    Case { what: refusal, spec, change: Some(change), refusal: Some(refusal) }
}

/// All cases of one kind.
#[derive(Debug, Clone)]
pub struct Table {
    /// Plural of the kind.
    pub plural: &'static str,
    /// A spec that is accepted as it is.
    pub base: Value,
    /// The cases.
    pub cases: Vec<Case>,
}

impl Table {
    /// Puts every case before the API server, and tells all that came out wrong. Objects are made only for changes.
    ///
    /// # Errors
    /// A verdict is not the expected one.
    pub async fn judge(&self, client: &Client, namespace: &str) -> Result<()> {
        let mut wrong = Vec::new();
        let base = accepts("the base spec", json!({}));
        for (n, case) in std::iter::once(&base).chain(&self.cases).enumerate() {
            let name = format!("{namespace}-{n}");
            if let Err(error) = self.judge_one(client, namespace, &name, case).await {
                wrong.push(format!("{error:#}"));
            }
        }
        anyhow::ensure!(wrong.is_empty(), "{} wrong verdicts on {}:\n{}", wrong.len(), self.plural, wrong.join("\n"));
        Ok(())
    }

    async fn judge_one(&self, client: &Client, namespace: &str, name: &str, case: &Case) -> Result<()> {
        let api = api(client, self.plural, namespace)?;
        let object = object(self.plural, name, &merged(&self.base, &case.spec))?;
        let dry = PostParams { dry_run: true, ..Default::default() };
        let Some(change) = &case.change else {
            return expect(case.what, api.create(&dry, &object).await, case.refusal);
        };
        api.create(&PostParams::default(), &object)
            .await
            .with_context(|| format!("{}: before the change", case.what))?;
        let patch = Patch::Merge(json!({"spec": change}));
        let dry = PatchParams { dry_run: true, ..Default::default() };
        expect(case.what, api.patch(name, &dry, &patch).await, case.refusal)
    }
}
