//! Kubernetes bearer tokens, checked by TokenReview.

use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec};
use kube::{Api, Client, api::PostParams};

use super::caller::User;
use crate::fault::Fault;

/// The user behind `token`, or `None` if the API server does not know it. With an `audience` the token must be meant
/// for it; without one, for the API server.
pub async fn review(client: &Client, token: &str, audience: Option<&str>) -> Result<Option<User>, Fault> {
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
    let user = status.user.and_then(|u| Some(User { name: u.username?, groups: u.groups.unwrap_or_default() }));
    Ok(user.filter(|u| !u.name.is_empty()))
}
