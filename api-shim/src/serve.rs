//! Starts the listeners and ends them gracefully.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::StatusCode;
use tokio::{net::TcpListener, signal::unix, sync::watch};

use crate::{
    app::App,
    authenticate::keys,
    client,
    config::ServeArgs,
    http::{
        bounded::{Bounded, Peer},
        router::router,
    },
    store::files,
    streams,
};

/// How long open requests may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(20);

/// Serves until SIGTERM or SIGINT.
pub async fn serve(args: ServeArgs) -> anyhow::Result<()> {
    let client = client::connect().await.context("no Kubernetes configuration (KUBECONFIG or in-cluster)")?;
    let app = App::new(&args, client);
    app.files.prepare().await.with_context(|| format!("cannot use the image folder {}", args.image_dir.display()))?;
    tokio::spawn(keep_keys(app.clone(), args.namespace.clone()));
    files::spawn_cleaner(&app);

    let (stop, stopped) = watch::channel(false);
    let api = TcpListener::bind(args.listen_addr).await.context("cannot bind listen-addr")?;
    let health = TcpListener::bind(args.health_addr).await.context("cannot bind health-addr")?;
    tracing::info!(addr = %args.listen_addr, "serving the OpenStack APIs");
    let health_app = health_router(app.clone());
    tokio::spawn(async move { axum::serve(health, health_app).await });
    let service = router(app.clone()).into_make_service_with_connect_info::<Peer>();
    let api = tokio::spawn(
        axum::serve(Bounded::new(api), service).with_graceful_shutdown(ended(stopped.clone())).into_future(),
    );
    let stream = match (&args.tls_cert, &args.tls_key) {
        (Some(cert), Some(key)) => {
            let listener = streams::tls::TlsListener::bind(args.stream_addr, cert, key).await?;
            tracing::info!(addr = %args.stream_addr, "serving image streams");
            let service = streams::images::router(app.clone()).merge(streams::snapshots::router(app.clone()));
            Some(tokio::spawn(
                axum::serve(Bounded::new(listener), service).with_graceful_shutdown(ended(stopped)).into_future(),
            ))
        }
        _ => {
            tracing::warn!("no --tls-cert: image streams are not served, so hosts cannot fetch uploaded images");
            None
        }
    };

    terminated().await?;
    tracing::info!("stopping");
    let _ = stop.send(true);
    let all = async {
        let _ = api.await;
        if let Some(stream) = stream {
            let _ = stream.await;
        }
    };
    if tokio::time::timeout(GRACE, all).await.is_err() {
        tracing::warn!("requests were still open");
    }
    Ok(())
}

async fn ended(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|s| *s).await;
}

async fn terminated() -> anyhow::Result<()> {
    let (mut term, mut int) =
        (unix::signal(unix::SignalKind::terminate())?, unix::signal(unix::SignalKind::interrupt())?);
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}

/// Makes the keys for tokens, and makes them again if somebody deletes them.
async fn keep_keys(app: Arc<App>, namespace: String) {
    loop {
        let there = app.stores.keystone.get(Some(&namespace), keys::SECRET).is_some();
        if !there && let Err(error) = keys::ensure(&app.client, &namespace).await {
            tracing::warn!(error = %crate::observe::clean(&error.to_string()), "cannot make the keys for tokens; trying again");
        }
        tokio::time::sleep(Duration::from_secs(if there { 30 } else { 2 })).await;
    }
}

fn health_router(app: Arc<App>) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(async |State(app): State<Arc<App>>| app.metrics.text()))
        .with_state(app)
}

async fn ready(State(app): State<Arc<App>>) -> Response {
    match app.stores.missing() {
        missing if missing.is_empty() => "ok\n".into_response(),
        missing => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("not listed yet: {}\n", missing.join(", "))).into_response()
        }
    }
}
