//! The API server's answer as a test looks at it.

use anyhow::{Result, ensure};

/// Checks an answer: `None` expects yes, `Some(text)` a refusal whose message has `text`.
///
/// # Errors
/// The answer is another one; the error names `what` was asked and tells the answer.
pub fn expect<T>(what: &str, answer: Result<T, kube::Error>, refusal: Option<&str>) -> Result<()> {
    match (answer, refusal) {
        (Ok(_), None) => Ok(()),
        (Ok(_), Some(text)) => anyhow::bail!("{what}: accepted, but should have been refused with {text:?}"),
        (Err(error), None) => anyhow::bail!("{what}: refused: {error}"),
        (Err(kube::Error::Api(status)), Some(text)) => {
            ensure!(status.message.contains(text), "{what}: refused with {:?}, not {text:?}", status.message);
            Ok(())
        }
        (Err(error), Some(_)) => Err(error.into()),
    }
}
