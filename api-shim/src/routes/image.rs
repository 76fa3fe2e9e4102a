//! Glance's rows.

use axum::routing::MethodFilter as Method;

use super::{authorized, open};
use crate::{
    authorize::Rule,
    glance::{
        images::{create, delete, file, list, show, tags, update},
        schemas, versions,
    },
    http::{Handler, Route, Service::Image},
};

const fn get(path: &'static str, handler: Handler) -> Route {
    Route::new(Image, Method::GET, path, handler)
}

const LIST: Rule = Rule::on("list", "images");
const GET: Rule = Rule::on("get", "images");
const UPDATE: Rule = Rule::on("update", "images");
const UPLOAD: Rule = Rule::sub("update", "images", "bytes");
const DOWNLOAD: Rule = Rule::sub("get", "images", "bytes");

pub(super) const ROUTES: &[Route] = &[
    // C-63
    Route::root(Image, "", open!(versions::choices)),
    Route::root(Image, "/versions", open!(versions::list)),
    get("/schemas/image", open!(schemas::image)),
    get("/schemas/images", open!(schemas::images)),
    // C-57 … C-62
    get("/images", authorized!(LIST, list::list)).iam("ims:images:list"),
    Route::new(Image, Method::POST, "/images", authorized!(Rule::on("create", "images"), create::create))
        .iam("ims:images:create"),
    get("/images/{id}", authorized!(GET, show::show)).iam("ims:images:get"),
    Route::new(Image, Method::PATCH, "/images/{id}", authorized!(UPDATE, update::update)).iam("ims:images:update"),
    Route::new(Image, Method::DELETE, "/images/{id}", authorized!(Rule::on("delete", "images"), delete::delete))
        .iam("ims:images:delete"),
    Route::new(Image, Method::PUT, "/images/{id}/file", authorized!(UPLOAD, file::put)).iam("ims:images:upload"),
    // N-04
    get("/images/{id}/file", authorized!(DOWNLOAD, file::get)),
    Route::new(Image, Method::PUT, "/images/{id}/tags/{tag}", authorized!(UPDATE, tags::add)),
    Route::new(Image, Method::DELETE, "/images/{id}/tags/{tag}", authorized!(UPDATE, tags::remove)),
];
