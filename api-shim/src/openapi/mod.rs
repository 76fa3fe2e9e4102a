//! The services described as OpenAPI 3.1, made from the table of operations: `GET /openapi.json`, and below each service's root.

mod body;
mod query;

use serde_json::{Map, Value, json};

use crate::{
    fault::Fault,
    http::{Handler, Inbound, Microversion, Reply, Route, Service, method},
    routes,
};

/// `GET /{service}/openapi.json`, for anybody.
pub async fn serve(inbound: Inbound) -> Result<Reply, Fault> {
    let service = Service::of_path(&inbound.path);
    Ok(Reply::ok(&document(service, inbound.base.as_str())))
}

/// The document of a service that clients reach under `url`. Operations of all microversions are in it; extensions with
/// `x-openstack-` say which versions have one, and what permission it needs.
pub fn document(service: Service, url: &str) -> Value {
    let mut paths = Map::new();
    for route in routes::all().filter(|r| r.service == service) {
        let Some(path) = route.paths().into_iter().next() else { continue };
        let method = method(route.method).as_str().to_lowercase();
        let entry = paths.entry(path.clone()).or_insert_with(|| json!({}));
        entry[method] = operation(route, &path);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": format!("Ostler: {} ({})", service.name(), service.type_()),
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What this version serves. docs/permissions.md says who may do it.",
        },
        "servers": [{"url": url}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {
                "type": "apiKey", "in": "header", "name": "X-Auth-Token",
                "description": "What POST /identity/v3/auth/tokens answers in X-Subject-Token.",
            }},
            "schemas": {"Fault": fault(service)},
        },
    })
}

fn operation(route: &Route, path: &str) -> Value {
    let method = method(route.method);
    let mut parameters: Vec<Value> = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}}))
        .collect();
    let versioned = route.service == Service::Compute;
    if versioned {
        parameters.push(json!({
            "name": "OpenStack-API-Version", "in": "header", "required": false,
            "description": format!("`compute 2.N`; {} without it, at most {}", Microversion::MIN, Microversion::MAX),
            "schema": {"type": "string"},
        }));
    }
    let keys = query::keys(route);
    parameters.extend(keys.iter().map(|key| json!({"name": key, "in": "query", "schema": {"type": "string"}})));

    let mut operation = json!({
        "operationId": operation_id(method.as_str(), path),
        "tags": [route.service.name()],
        "parameters": parameters,
        "responses": {
            "2XX": {"description": "Done, or begun"},
            "default": {
                "description": "Refused",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Fault"}}},
            },
        },
    });
    if let Some(body) = body::of(route) {
        operation["requestBody"] = body;
    }
    operation["security"] = match &route.handler {
        Handler::Open(_) => json!([]),
        _ => json!([{"token": []}]),
    };
    if let Handler::Authorized(rule, _) = &route.handler {
        let needs: Vec<String> = std::iter::once(rule).chain(route.needs).map(ToString::to_string).collect();
        operation["x-openstack-permissions"] = json!(needs);
    }
    if let Some(action) = route.iam {
        operation["x-openstack-iam-action"] = json!(action);
    }
    if versioned {
        operation["x-openstack-min-version"] = json!(route.since.to_string());
        if let Some(until) = route.until {
            operation["x-openstack-gone-from"] = json!(until.to_string());
        }
    }
    operation
}

/// `GET /compute/v2.1/servers/{id}` → `get_compute_v2_1_servers_by_id`.
fn operation_id(method: &str, path: &str) -> String {
    let parts = path.split('/').filter(|p| !p.is_empty()).map(|part| match part.strip_prefix('{') {
        Some(name) => format!("by_{}", name.trim_end_matches('}')),
        None => part.replace(['-', '.'], "_"),
    });
    std::iter::once(method.to_lowercase()).chain(parts).collect::<Vec<_>>().join("_")
}

/// The form of a refusal: Nova names its kind in the key, the others say it within.
fn fault(service: Service) -> Value {
    let inner = json!({"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]});
    match service {
        Service::Compute => {
            json!({"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": inner})
        }
        Service::Identity => json!({"type": "object", "properties": {"error": inner}, "required": ["error"]}),
        Service::Network => {
            json!({"type": "object", "properties": {"NeutronError": inner}, "required": ["NeutronError"]})
        }
        Service::Image => json!({"type": "object"}),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_row_is_described_once_under_an_id_of_its_own() {
        let mut ids = HashSet::new();
        let mut described = 0;
        for service in Service::ALL {
            let document = document(service, "https://cloud.example");
            for operations in document["paths"].as_object().unwrap().values() {
                for operation in operations.as_object().unwrap().values() {
                    let id = operation["operationId"].as_str().unwrap().to_owned();
                    assert!(ids.insert(id.clone()), "{id} is there twice");
                    described += 1;
                }
            }
        }
        assert_eq!(described, routes::all().count());
    }

    #[test]
    fn an_action_says_what_it_needs_and_which_keys_it_has() {
        let document = document(Service::Compute, "https://cloud.example");
        let body = &document["paths"]["/compute/v2.1/servers/{id}/action"]["post"]["requestBody"];
        let actions = body["content"]["application/json"]["schema"]["oneOf"].as_array().unwrap();
        let resize = actions.iter().find(|a| a["required"] == json!(["resize"])).unwrap();
        assert_eq!(resize["x-openstack-permissions"], json!(["update servers/resize"]));
        let argument = &resize["properties"]["resize"];
        assert!(argument["properties"]["flavorRef"].is_object() && argument["type"] == "object", "{argument}");
        let pause = actions.iter().find(|a| a["required"] == json!(["pause"])).unwrap();
        assert_eq!(pause["properties"]["pause"], json!({}));
    }

    #[test]
    fn a_body_tells_its_keys_and_since_when_they_are_there() {
        let document = document(Service::Compute, "https://cloud.example");
        let body = &document["paths"]["/compute/v2.1/servers"]["post"]["requestBody"]["content"]["application/json"];
        let server = &body["schema"]["properties"]["server"];
        assert_eq!(server["properties"]["tags"]["x-openstack-min-version"], "2.52");
        assert_eq!(server["properties"]["personality"]["x-openstack-gone-from"], "2.57");
        assert_eq!(server["additionalProperties"], false);
    }
}
