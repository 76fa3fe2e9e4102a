//! `changePassword` (spec C-17). The password is kept as a one-way hash (docs/decisions/0009).

use http::StatusCode;
use ostler_crds::{
    Server,
    server::{ActionType, AdminPassword, ServerAction},
};
use rand::Rng;
use serde::Deserialize;
use serde_json::Value;
use sha_crypt::{PasswordHasher, ShaCrypt};
use uuid::Uuid;

use super::{body, run, table::Row};
use crate::{
    authorize::Permit,
    fault::Fault,
    http::{Inbound, Reply},
};

#[derive(Deserialize)]
struct Ask {
    #[serde(rename = "adminPass")]
    admin_pass: String,
}

/// Asks for the new password to be set in the running guest.
pub async fn change(row: &'static Row, inbound: Inbound, permit: Permit, argument: Value) -> Result<Reply, Fault> {
    row.body.check(&argument, row.name, inbound.version)?;
    let ask: Ask = body::read(argument, row.name)?;
    // Before the hash, which costs time.
    run::find_fit(row, &inbound, &permit).await?;
    let password = AdminPassword { hash: hashed(ask.admin_pass).await? };
    let action = ServerAction { id: Uuid::new_v4().to_string(), type_: ActionType::ChangePassword };
    let wish = |server: &mut Server| {
        server.spec.admin_password = Some(password.clone());
        server.spec.action = Some(action.clone());
        Ok(())
    };
    run::change(row, &inbound, &permit, wish).await?;
    Ok(Reply::empty(StatusCode::ACCEPTED))
}

/// SHA-512 in the form of crypt(3) with a fresh salt, off the threads that answer requests.
pub async fn hashed(password: String) -> Result<String, Fault> {
    let failed = |e: &dyn std::fmt::Display| Fault::internal("hash of a password", e);
    tokio::task::spawn_blocking(move || hash(&password)).await.map_err(|e| failed(&e))?.map_err(|e| failed(&e))
}

fn hash(password: &str) -> Result<String, sha_crypt::password_hash::Error> {
    let salt: [u8; 12] = rand::rng().random();
    Ok(ShaCrypt::SHA512.hash_password_with_salt(password.as_bytes(), &salt)?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_is_of_the_form_that_a_server_takes_and_never_the_same_twice() {
        let (a, b) = (hashed("secret".into()).await.unwrap(), hashed("secret".into()).await.unwrap());
        let form = regex::Regex::new(r"^\$(5|6|y)\$[./A-Za-z0-9=$]+$").unwrap();
        assert!(form.is_match(&a) && a.starts_with("$6$") && a.len() < 255, "{a}");
        assert_ne!(a, b);
        assert!(!a.contains("secret"));
    }
}
