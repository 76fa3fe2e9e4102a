//! Makes the axum router from the table of operations, and walks each request through the pipeline.

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, RawPathParams, Request, State},
    response::Response,
    routing::on,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use tower_http::catch_panic::CatchPanicLayer;
use uuid::Uuid;

use super::{
    BaseUrl, Handler, Inbound, Microversion, Query, Reply, Route, Service, action, bounded::Peer, microversion,
    unserved::unserved,
};
use crate::{
    app::App,
    authenticate::{Caller, User},
    authorize::{Permit, Rule},
    fault::Fault,
    routes,
    store::named::{elsewhere, named},
};

/// The router of all services.
pub fn router(app: Arc<App>) -> Router {
    let mut router = Router::new();
    for route in routes::all() {
        for path in route.paths() {
            let handler = move |State(app): State<Arc<App>>, params: RawPathParams, request: Request| {
                serve(app, route, params, request)
            };
            router = router.route(&path, on(route.method, handler));
        }
    }
    router
        .fallback(|State(app): State<Arc<App>>, request: Request| stray(app, request, StatusCode::NOT_FOUND))
        .method_not_allowed_fallback(|State(app): State<Arc<App>>, request: Request| {
            stray(app, request, StatusCode::METHOD_NOT_ALLOWED)
        })
        .layer(CatchPanicLayer::new())
        .with_state(app)
}

/// Answers a request that no row matches.
async fn stray(app: Arc<App>, request: Request, status: StatusCode) -> Response {
    let service = Service::of_path(request.uri().path());
    let fault = match (unserved(service, request.uri().path()), status) {
        (Some(what), _) => Fault::not_served(&format!("The API for {what}")),
        (None, StatusCode::METHOD_NOT_ALLOWED) => {
            Fault::new(status, "The method is not allowed for this resource, or not served by this version.")
        }
        (None, _) => Fault::new(status, "The resource could not be found: this version serves nothing at this path."),
    };
    let base = BaseUrl::of(app.settings.public_url.as_ref(), request.headers());
    finish(service, &request_id(), None, &base, Err(fault))
}

async fn serve(app: Arc<App>, route: &'static Route, params: RawPathParams, request: Request) -> Response {
    let (start, method, id) = (Instant::now(), request.method().clone(), request_id());
    let base = BaseUrl::of(app.settings.public_url.as_ref(), request.headers()).at(request.uri().path());
    let versioned = route.service == Service::Compute && !Service::is_legacy_compute(request.uri().path());
    let version = if versioned { Microversion::of(request.headers()) } else { Ok(Microversion::MIN) };
    let echoed = version.clone().ok().filter(|_| versioned);
    let answer = match version {
        Ok(version) => {
            let inbound = inbound(app.clone(), params, request, base.clone(), version, &id);
            walk(route, inbound).await
        }
        Err(fault) => Err(fault),
    };
    let response = finish(route.service, &id, echoed, &base, answer);
    let (status, seconds) = (response.status().as_u16(), start.elapsed().as_secs_f64());
    app.metrics.answered(route.service.type_(), &method, route.path, status, seconds);
    tracing::info!(
        service = route.service.type_(), %method, route = route.path, status, seconds, request = %id, "answered"
    );
    response
}

fn inbound(
    app: Arc<App>,
    params: RawPathParams,
    request: Request,
    base: BaseUrl,
    version: Microversion,
    id: &str,
) -> Inbound {
    let (parts, body): (_, Body) = request.into_parts();
    let peer = parts.extensions.get::<ConnectInfo<Peer>>().map(|c| c.0.0.ip());
    Inbound {
        app,
        version,
        params: params.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        query: Query::parse(parts.uri.query().unwrap_or_default()),
        path: parts.uri.path().to_owned(),
        headers: parts.headers,
        base,
        peer: peer.unwrap_or(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED)),
        request: id.to_owned(),
        body: std::sync::Mutex::new(body),
    }
}

/// authenticate → authorize → the handler.
async fn walk(route: &'static Route, mut inbound: Inbound) -> Result<Reply, Fault> {
    if !route.exists_at(inbound.version) {
        return Err(Fault::not_found("The resource could not be found."));
    }
    let app = inbound.app.clone();
    match &route.handler {
        Handler::Open(run) => run(inbound).await,
        Handler::Authenticated(run) => {
            let caller = app.authenticator.caller(&inbound.headers).await?;
            run(inbound, caller).await
        }
        Handler::Authorized(rule, run) => {
            let caller = app.authenticator.caller(&inbound.headers).await?;
            same_project(&inbound, &caller)?;
            for needed in route.needs {
                authorize(&app, caller.clone(), *needed, &inbound).await?;
            }
            let permit = authorize(&app, caller, *rule, &inbound).await?;
            run(inbound, permit).await
        }
        Handler::Actions(rows) => {
            let caller = app.authenticator.caller(&inbound.headers).await?;
            same_project(&inbound, &caller)?;
            let body = inbound.json().await?;
            let (row, argument) = action::pick(rows, body, inbound.version)?;
            let permit = authorize(&app, caller, row.rule, &inbound).await?;
            (row.run)(inbound, permit, argument).await
        }
    }
}

async fn authorize(app: &App, caller: Caller, rule: Rule, inbound: &Inbound) -> Result<Permit, Fault> {
    let project = caller.project.as_deref().unwrap_or_default();
    // Who may do it in the whole cluster may do it to a server of another project too, as Nova's administrators.
    if let Some(other) = elsewhere(&app.stores, project, rule, &inbound.params)
        && let Some(permit) = app.authorizer.authorize_elsewhere(&caller, rule, other).await?
    {
        return Ok(permit);
    }
    let name = |user: &User, project: &str| named(&app.stores, user, project, rule, &inbound.params);
    app.authorizer.authorize(caller, rule, name).await
}

/// A project in the path must be the token's (compute-v2 §1).
fn same_project(inbound: &Inbound, caller: &Caller) -> Result<(), Fault> {
    match (inbound.params.get("project_id"), &caller.project) {
        (Some(asked), Some(own)) if asked != own => {
            Err(Fault::bad_request("Malformed request URL: the project in the URL is not the project of the token."))
        }
        _ => Ok(()),
    }
}

fn request_id() -> String {
    format!("req-{}", Uuid::new_v4())
}

/// The headers that every answer carries, and the form of a fault.
fn finish(
    service: Service,
    id: &str,
    version: Option<Microversion>,
    base: &BaseUrl,
    answer: Result<Reply, Fault>,
) -> Response {
    let mut response = match answer {
        Ok(reply) => reply.into_response(),
        Err(fault) => {
            let mut reply = Reply::json(fault.status, &fault.body(service));
            if let Some(seconds) = fault.retry_after {
                reply = reply.header("retry-after", &seconds.to_string());
            }
            if fault.status == StatusCode::UNAUTHORIZED {
                let uri = format!("Keystone uri=\"{}\"", base.service(Service::Identity));
                reply = reply.header("www-authenticate", &uri);
            }
            reply.into_response()
        }
    };
    let headers = response.headers_mut();
    put(headers, "x-openstack-request-id", id);
    if service == Service::Compute {
        put(headers, "x-compute-request-id", id);
    }
    if let Some(version) = version {
        put(headers, microversion::HEADER, &format!("compute {version}"));
        put(headers, microversion::LEGACY_HEADER, &version.to_string());
        headers.append(header::VARY, HeaderValue::from_static("OpenStack-API-Version"));
        headers.append(header::VARY, HeaderValue::from_static("X-OpenStack-Nova-API-Version"));
    }
    if service == Service::Identity {
        headers.append(header::VARY, HeaderValue::from_static("X-Auth-Token"));
    }
    response
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
