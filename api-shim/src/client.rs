//! The API server's client, as kube makes it, but for one thing: no request waits for ever. Behind an API server that
//! stands still every caller would hang; so they are told that it is away, and when to come again.

use std::time::Duration;

use kube::{Client, Config, client::ClientBuilder};
use tower::timeout::TimeoutLayer;

/// How long the API server may take to begin its answer. A watch begins at once and may then last.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// A client by `KUBECONFIG` or the pod's ServiceAccount. Fails without either; whether the API server is there does not
/// matter.
pub async fn connect() -> Result<Client, kube::Error> {
    of(Config::infer().await.map_err(kube::Error::InferConfig)?, ANSWER_WITHIN)
}

fn of(config: Config, within: Duration) -> Result<Client, kube::Error> {
    Ok(ClientBuilder::try_from(config)?.with_layer(&TimeoutLayer::new(within)).build())
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::{Api, api::WatchParams, core::WatchEvent};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::{http::Service, store::refusal};

    const WITHIN: Duration = Duration::from_millis(300);

    async fn api() -> (TcpListener, Api<ConfigMap>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        (listener, Api::namespaced(of(Config::new(url), WITHIN).unwrap(), "a"))
    }

    #[tokio::test]
    async fn an_api_server_that_stands_still_means_503_and_when_to_come_again() {
        // It takes the connection and says nothing.
        let (_listener, api) = api().await;
        let error = tokio::time::timeout(WITHIN * 10, api.get("x")).await.unwrap().unwrap_err();
        for fault in [refusal::read_fault("Server", &error), refusal::write_fault("Server", &error)] {
            assert_eq!((fault.status.as_u16(), fault.retry_after), (503, Some(2)));
            assert_eq!(fault.body(Service::Compute)["serviceUnavailable"]["retryAfter"], "2");
        }
    }

    #[tokio::test]
    async fn a_watch_outlasts_the_deadline() {
        let (listener, api) = api().await;
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 4096]).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
            tokio::time::sleep(WITHIN * 3).await;
            let event = "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"late\"}}}\n";
            stream.write_all(format!("{:x}\r\n{event}\r\n", event.len()).as_bytes()).await.unwrap();
            std::future::pending::<()>().await;
        });
        let events = api.watch(&WatchParams::default(), "0").await.unwrap();
        let event = std::pin::pin!(events).next().await.unwrap().unwrap();
        assert!(matches!(event, WatchEvent::Added(o) if o.metadata.name.as_deref() == Some("late")));
    }
}
