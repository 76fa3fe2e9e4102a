//! Nova's rows that stand for Glance, of old (spec C-27 … C-36).

use super::{
    authorized,
    compute::{get, post, put, remove},
};
use crate::{
    authorize::Rule,
    http::Route,
    nova::images::{self, metadata},
};

const LIST: Rule = Rule::on("list", "images");
const GET: Rule = Rule::on("get", "images");
const UPDATE: Rule = Rule::on("update", "images");

pub(super) const ROUTES: &[Route] = &[
    // C-27 … C-30
    get("/images", authorized!(LIST, images::brief)).until(36),
    get("/images/detail", authorized!(LIST, images::detail)).until(36),
    get("/images/{id}", authorized!(GET, images::show)).until(36),
    remove("/images/{id}", authorized!(Rule::on("delete", "images"), images::delete)).until(36),
    // C-31 … C-36
    get("/images/{id}/metadata", authorized!(GET, metadata::list)).until(39),
    put("/images/{id}/metadata", authorized!(UPDATE, metadata::replace)).until(39),
    post("/images/{id}/metadata", authorized!(UPDATE, metadata::merge)).until(39),
    get("/images/{id}/metadata/{key}", authorized!(GET, metadata::show)).until(39),
    put("/images/{id}/metadata/{key}", authorized!(UPDATE, metadata::set)).until(39),
    remove("/images/{id}/metadata/{key}", authorized!(UPDATE, metadata::remove)).until(39),
];
