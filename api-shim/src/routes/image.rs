//! Glance's rows.

use axum::routing::MethodFilter as Method;

use super::{authorized, open};
use crate::{
    authorize::Rule,
    glance::{
        images::{actions, create, delete, file, import, list, members, show, tags, update},
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
    Route::root(Image, "/openapi.json", open!(crate::openapi::serve)),
    Route::root(Image, "/versions", open!(versions::list)),
    get("/schemas/image", open!(schemas::image)),
    get("/schemas/images", open!(schemas::images)),
    get("/schemas/{name}", open!(schemas::others)),
    get("/schemas/{group}/{name}", open!(schemas::others)),
    get("/info/import", authorized!(LIST, import::methods)),
    get("/info/stores", authorized!(LIST, import::stores)),
    // C-57 … C-62
    get("/images", authorized!(LIST, list::list)).iam("ims:images:list"),
    Route::new(Image, Method::POST, "/images", authorized!(Rule::on("create", "images"), create::create))
        .iam("ims:images:create"),
    get("/images/{id}", authorized!(GET, show::show)).iam("ims:images:get"),
    Route::new(Image, Method::PATCH, "/images/{id}", authorized!(UPDATE, update::update)).iam("ims:images:update"),
    Route::new(Image, Method::DELETE, "/images/{id}", authorized!(Rule::on("delete", "images"), delete::delete))
        .iam("ims:images:delete"),
    Route::new(Image, Method::PUT, "/images/{id}/file", authorized!(UPLOAD, file::put))
        .iam("ims:images:upload")
        .needs(&[GET, UPDATE]),
    // N-04
    get("/images/{id}/file", authorized!(DOWNLOAD, file::get)),
    Route::new(Image, Method::PUT, "/images/{id}/stage", authorized!(UPLOAD, import::stage)),
    Route::new(Image, Method::POST, "/images/{id}/import", authorized!(UPLOAD, import::import)),
    get("/images/{id}/tasks", authorized!(GET, import::tasks)),
    Route::new(Image, Method::POST, "/images/{id}/actions/deactivate", authorized!(UPDATE, actions::deactivate)),
    Route::new(Image, Method::POST, "/images/{id}/actions/reactivate", authorized!(UPDATE, actions::reactivate)),
    get("/images/{id}/members", authorized!(GET, members::list)),
    Route::new(Image, Method::POST, "/images/{id}/members", authorized!(UPDATE, members::create)),
    get("/images/{id}/members/{member}", authorized!(GET, members::show)),
    Route::new(Image, Method::PUT, "/images/{id}/members/{member}", authorized!(UPDATE, members::update)),
    Route::new(Image, Method::DELETE, "/images/{id}/members/{member}", authorized!(UPDATE, members::delete)),
    Route::new(Image, Method::PUT, "/images/{id}/tags/{tag}", authorized!(UPDATE, tags::add)),
    Route::new(Image, Method::DELETE, "/images/{id}/tags/{tag}", authorized!(UPDATE, tags::remove)),
];
