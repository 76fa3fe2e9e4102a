//! Nova's rows about what hangs below a server, and about server groups.

use super::{
    authorized,
    compute::{get, post, put, remove},
};
use crate::{
    authorize::Rule,
    http::Route,
    nova::{
        server_groups as groups,
        server_parts::{interfaces, migrations, password, refuse, topology, volumes},
    },
};

const GET: Rule = Rule::on("get", "servers");
const UPDATE: Rule = Rule::on("update", "servers");
const INTERFACES: Rule = Rule::sub("update", "servers", "interfaces");
const VOLUMES: Rule = Rule::sub("update", "servers", "volumes");
const CONSOLE: Rule = Rule::sub("get", "servers", "console");
/// What administrators alone are told.
const HOST: Rule = Rule::sub("get", "servers", "host");

pub(super) const ROUTES: &[Route] = &[
    get("/servers/{id}/os-interface", authorized!(GET, interfaces::list)),
    get("/servers/{id}/os-interface/{port}", authorized!(GET, interfaces::show)),
    post("/servers/{id}/os-interface", authorized!(INTERFACES, refuse::interfaces)),
    remove("/servers/{id}/os-interface/{port}", authorized!(INTERFACES, refuse::interfaces)),
    get("/servers/{id}/os-volume_attachments", authorized!(GET, volumes::list)),
    get("/servers/{id}/os-volume_attachments/{volume}", authorized!(GET, volumes::show)),
    post("/servers/{id}/os-volume_attachments", authorized!(VOLUMES, refuse::volumes)),
    put("/servers/{id}/os-volume_attachments/{volume}", authorized!(VOLUMES, refuse::volumes)),
    remove("/servers/{id}/os-volume_attachments/{volume}", authorized!(VOLUMES, refuse::volumes)),
    get("/servers/{id}/os-server-password", authorized!(GET, password::show)),
    remove("/servers/{id}/os-server-password", authorized!(UPDATE, password::clear)),
    get("/servers/{id}/topology", authorized!(GET, topology::show)).since(78),
    get("/servers/{id}/migrations", authorized!(HOST, migrations::list)).since(23),
    get("/servers/{id}/migrations/{migration}", authorized!(HOST, migrations::show)).since(23),
    get("/servers/{id}/diagnostics", authorized!(HOST, refuse::diagnostics)),
    post("/servers/{id}/remote-consoles", authorized!(CONSOLE, refuse::consoles)).since(6),
    get("/os-server-groups", authorized!(Rule::on("list", "servergroups"), groups::list::list)),
    post("/os-server-groups", authorized!(Rule::on("create", "servergroups"), groups::create::create)),
    get("/os-server-groups/{id}", authorized!(Rule::on("get", "servergroups"), groups::show::show)),
    remove("/os-server-groups/{id}", authorized!(Rule::on("delete", "servergroups"), groups::delete::delete)),
];
