//! A request and its answer.

use jiff::Timestamp;

use super::{
    Found, MAX_PASSWORD, TEXT, ec2, listing, openstack,
    token::{NONCE_LENGTH, Sealer, TTL},
};
use crate::guest::config_drive::DriveSource;
use ostler_crds::server::MetadataOptions;

/// Methods that mean something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Read without the contents.
    Head,
    /// Ask for a token.
    Put,
    /// Leave the password.
    Post,
    /// Any other.
    Other,
}

/// A request. Names of headers are lower case.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Its method.
    pub method: Method,
    /// Its path without the query.
    pub path: &'a str,
    /// Its headers.
    pub headers: &'a [(String, String)],
    /// Its body; longer than [`MAX_PASSWORD`] is enough to know that it is too long.
    pub body: &'a [u8],
}

/// Who asks, and what is known of him.
pub struct Caller<'a> {
    /// `metadata.uid` of the Server.
    pub uid: &'a str,
    /// The guest's data.
    pub source: &'a DriveSource,
    /// How it may ask.
    pub options: MetadataOptions,
    /// The host's availability zone.
    pub zone: &'a str,
    /// The password that it left, if any.
    pub password: Option<&'a [u8]>,
    /// Random text for `random_seed`, another one at each request.
    pub seed: &'a str,
    /// Makes a token another one.
    pub nonce: [u8; NONCE_LENGTH],
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Media type of the body.
    pub kind: &'static str,
    /// More headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// IP TTL that the answer must be sent with.
    pub hop_limit: Option<u32>,
    /// The password that is to be kept before the answer is sent.
    pub keep_password: Option<Vec<u8>>,
}

/// A token's life, in EC2's and in Alibaba's spelling; the token itself likewise.
const TTL_HEADERS: [&str; 2] = ["x-aws-ec2-metadata-token-ttl-seconds", "x-aliyun-ecs-metadata-token-ttl-seconds"];
const TOKEN_HEADERS: [&str; 2] = ["x-aws-ec2-metadata-token", "x-aliyun-ecs-metadata-token"];
const TOKEN_PATH: [&str; 3] = ["latest", "api", "token"];

/// Answers one request.
pub fn answer(request: &Request<'_>, caller: &Caller<'_>, sealer: &Sealer, now: Timestamp) -> Response {
    if !caller.options.endpoint_enabled {
        return refuse(403, "The metadata service is turned off for this server.");
    }
    let path: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
    match request.method {
        Method::Put => put_token(request, caller, sealer, now, &path),
        Method::Get | Method::Head if path == TOKEN_PATH => not_allowed("PUT"),
        Method::Get | Method::Head => match unentitled(request, caller, sealer, now) {
            Some(refusal) => refusal,
            None => get(caller, &path),
        },
        Method::Post | Method::Other => match path.split_first() {
            Some((&"openstack", rest)) if openstack::takes_password(rest) => {
                match unentitled(request, caller, sealer, now) {
                    Some(refusal) => refusal,
                    None => post_password(request, caller),
                }
            }
            _ if path == TOKEN_PATH => not_allowed("PUT"),
            _ => not_allowed("GET, HEAD"),
        },
    }
}

/// Why this request may not be served, if so: a token that is given must hold, even where none is required.
fn unentitled(request: &Request<'_>, caller: &Caller<'_>, sealer: &Sealer, now: Timestamp) -> Option<Response> {
    match header(request, TOKEN_HEADERS) {
        Some(token) if sealer.holds(token, caller.uid, now) => None,
        Some(_) => Some(refuse(401, "The session token is unknown or has ended.")),
        None if caller.options.tokens_required => Some(refuse(401, "A session token is required.")),
        None => None,
    }
}

fn get(caller: &Caller<'_>, path: &[&str]) -> Response {
    let found = match path {
        ["openstack", rest @ ..] => openstack::find(caller.source, caller.zone, caller.seed, caller.password, rest),
        ["ec2", rest @ ..] => ec2::find(caller.source, caller.zone, caller.options.tags_enabled, rest),
        [] => Some(Found::Folder(root(caller))),
        _ => ec2::find(caller.source, caller.zone, caller.options.tags_enabled, path),
    };
    match found {
        Some(Found::File(kind, body)) => Response { kind, body, ..ok() },
        Some(Found::Folder(names)) => Response { body: listing(&names), ..ok() },
        None => refuse(404, "There is nothing of this name."),
    }
}

/// EC2's versions. As in Nova, `openstack` is not listed: a client that knows it asks for it.
fn root(caller: &Caller<'_>) -> Vec<String> {
    match ec2::find(caller.source, caller.zone, false, &[]) {
        Some(Found::Folder(names)) => names,
        Some(Found::File(..)) | None => Vec::new(),
    }
}

fn put_token(request: &Request<'_>, caller: &Caller<'_>, sealer: &Sealer, now: Timestamp, path: &[&str]) -> Response {
    if path != TOKEN_PATH {
        // EC2 serves tokens under `latest` only.
        return if path.ends_with(&["api", "token"]) {
            refuse(403, "Ask /latest/api/token.")
        } else {
            not_allowed("GET, HEAD")
        };
    }
    if header(request, ["x-forwarded-for"]).is_some() {
        return refuse(403, "A session token is given to no proxy.");
    }
    let Some(ttl) = header(request, TTL_HEADERS).and_then(|text| text.parse().ok()).filter(|ttl| TTL.contains(ttl))
    else {
        return refuse(400, "The token's life must be given in seconds, from 1 to 21600.");
    };
    let token = sealer.seal(caller.uid, ttl, caller.nonce, now);
    Response {
        headers: TTL_HEADERS.iter().map(|name| (*name, ttl.to_string())).collect(),
        body: token.into_bytes(),
        hop_limit: Some(caller.options.hop_limit),
        ..ok()
    }
}

fn post_password(request: &Request<'_>, caller: &Caller<'_>) -> Response {
    if request.method != Method::Post {
        return refuse(400, "A password is read with GET and left with POST.");
    }
    if caller.password.is_some_and(|there| !there.is_empty()) {
        return refuse(409, "A password is there already.");
    }
    if request.body.len() > MAX_PASSWORD {
        return refuse(400, "A password has at most 1020 bytes.");
    }
    Response { keep_password: Some(request.body.to_vec()), ..ok() }
}

fn header<'a, const N: usize>(request: &Request<'a>, names: [&str; N]) -> Option<&'a str> {
    request.headers.iter().find(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| value.as_str())
}

fn ok() -> Response {
    Response { status: 200, kind: TEXT, headers: vec![], body: vec![], hop_limit: None, keep_password: None }
}

fn refuse(status: u16, why: &str) -> Response {
    Response { status, body: format!("{why}\n").into_bytes(), ..ok() }
}

fn not_allowed(allowed: &str) -> Response {
    Response { headers: vec![("allow", allowed.to_owned())], ..refuse(405, "This method is not for this path.") }
}
