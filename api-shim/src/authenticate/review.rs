//! Kubernetes bearer tokens, checked by TokenReview.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec};
use kube::{Api, Client, api::PostParams};

use super::caller::User;
use crate::fault::Fault;

/// Longest token that is passed on, in bytes.
const LONGEST: usize = 16 * 1024;
/// What the API server says of a token that is bound to a Pod.
const NODE_NAME: &str = "authentication.kubernetes.io/node-name";

/// Whether `token` may be a Kubernetes token: a JSON Web Token has two dots, one of ours has none. What cannot be one is
/// not worth a question to the API server.
pub fn may_be_one(token: &str) -> bool {
    token.len() <= LONGEST && token.matches('.').count() == 2
}

/// When a token ends by what it says of itself, in seconds since 1970. Proves nothing: ask [`review`] first.
pub fn expiry(token: &str) -> Option<i64> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<serde_json::Value>(&claims).ok()?.get("exp")?.as_i64()
}

/// The user behind `token`, or `None` if the API server does not know it. With an `audience` the token must be meant
/// for it; without one, for the API server.
pub async fn review(client: &Client, token: &str, audience: Option<&str>) -> Result<Option<User>, Fault> {
    Ok(reviewed(client, token, audience).await?.map(|reviewed| reviewed.user))
}

/// Who is behind a token.
#[derive(Debug, Clone)]
pub struct Reviewed {
    /// The user.
    pub user: User,
    /// The machine that a ServiceAccount's token was made for; it runs the Pod that the token is bound to.
    pub node: Option<String>,
}

/// As [`review`], with the machine.
pub async fn reviewed(client: &Client, token: &str, audience: Option<&str>) -> Result<Option<Reviewed>, Fault> {
    let review = TokenReview {
        spec: TokenReviewSpec { token: token.to_owned(), audiences: audience.map(|a| vec![a.to_owned()]) },
        ..Default::default()
    };
    let api: Api<TokenReview> = Api::all(client.clone());
    let answer = api.create(&PostParams::default(), &review).await;
    let status = answer.map_err(|e| crate::store::refusal::read_fault("TokenReview", &e))?.status.unwrap_or_default();
    // An API server that does not know audiences answers without them: then nothing is proven.
    let meant = audience.is_none_or(|a| status.audiences.iter().flatten().any(|b| b == a));
    if status.authenticated != Some(true) || !meant {
        return Ok(None);
    }
    let reviewed = status.user.and_then(|u| {
        let node = u.extra.as_ref().and_then(|e| e.get(NODE_NAME)).and_then(|names| names.first().cloned());
        Some(Reviewed { user: User { name: u.username?, groups: u.groups.unwrap_or_default(), ceiling: None }, node })
    });
    Ok(reviewed.filter(|r| !r.user.name.is_empty()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_tells_when_it_ends() {
        let token = format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(br#"{"exp":1795000000,"sub":"x"}"#));
        assert!(may_be_one(&token));
        assert_eq!(expiry(&token), Some(1_795_000_000));
        assert_eq!(expiry("e30.e30.sig"), None);
        assert!(!may_be_one("gAAAAABn") && !may_be_one(&format!("a.{}.c", "b".repeat(LONGEST))));
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,100}") {
            let _ = (may_be_one(&text), expiry(&text));
        }
    }
}
