//! Integrations, and their installs in environments.

use serde_json::{Value, json};

use super::capabilities;
use super::operation::{Group, Operation};
use super::shapes::{Shapes, flag, list_of, object, text, uuid, webhook_url, with};
use crate::api::admin::environment_integration::{self as install, Change, New};
use crate::api::admin::integration::{FIELDS, SHOWN};
use crate::api::admin::webhook_url;
use crate::config::Finding;
use crate::flows::base::records::{InstallRecord, IntegrationRecord};

/// Integrations have names beside their ids.
const ONE: &str = "/integration/{id}";

pub(super) fn group(shapes: &mut Shapes) -> Group {
    let shown = shapes.picked::<IntegrationRecord>(&SHOWN);
    let findings = list_of(&shapes.answered::<Finding>());
    let saved = with(&shown, &json!({ "findings": findings }));
    let (shown, saved) = (
        shapes.name("Integration", shown),
        shapes.name("SavedIntegration", saved),
    );
    let checked = object(&json!({ "valid": flag(), "findings": findings }));
    let file = shapes.name("IntegrationFile", file());
    let (all, validate) = ("/integration", "/integration/validate");
    Group {
        tag: "integration",
        about: "Providers as data: files shared by all environments. Client secrets in them are write-only.",
        operations: vec![
            Operation::new("GET", all, "listIntegrations", "Lists integrations")
                .lists(&FIELDS, &shown),
            Operation::new("POST", all, "createIntegration", "Stores a new integration")
                .takes(&file)
                .answers("201", "The integration, and what to look at.", &saved)
                .refuses(&[409]),
            Operation::new(
                "POST",
                validate,
                "validateIntegration",
                "Checks an integration file",
            )
            .takes(&json!({}))
            .answers("200", "What is wrong with it; nothing is stored.", &checked),
            of_one("GET", "getIntegration", "Shows an integration").answers(
                "200",
                "The integration.",
                &shown,
            ),
            of_one(
                "PUT",
                "replaceIntegration",
                "Stores the whole file under its name",
            )
            .takes(&file)
            .answers("200", "It has replaced the one before.", &saved)
            .answers("201", "It is new.", &saved)
            .refuses(&[409]),
            changing(&shown),
            capabilities::of_integration(shapes),
            of_one(
                "DELETE",
                "deleteIntegration",
                "Deletes an integration without installs",
            )
            .deletes(&uuid())
            .refuses(&[409]),
        ],
    }
}

fn changing(shown: &Value) -> Operation {
    let version =
        json!({ "type": "integer", "minimum": 1, "description": "The version it is meant for." });
    let patch = json!({ "type": "object", "properties": { "version": version }, "additionalProperties": true });
    let about = "The version it is meant for, where the body has none.";
    of_one("PATCH", "changeIntegration", "Merges changes into the file")
        .header("if-match", about, &text())
        .takes(&patch)
        .answers("200", "The integration.", shown)
        .refuses(&[409])
}

fn of_one(method: &'static str, id: &'static str, summary: &'static str) -> Operation {
    let schema = json!({ "type": "string", "minLength": 1, "description": "Its id or its name; with PUT its name." });
    Operation::new(method, ONE, id, summary).word("id", schema)
}

/// Its own schema is a document of 90 KB.
fn file() -> Value {
    json!({
        "type": "object",
        "description": "An integration file; `/integration.schema.json` has its whole schema.",
        "properties": {
            "name": { "type": "string" },
            "category": { "type": ["string", "null"] },
            "is_beta": { "type": "boolean" },
            "config": { "type": "object" },
        },
        "required": ["name", "config"],
        "additionalProperties": true,
    })
}

pub(super) fn installs(shapes: &mut Shapes) -> Group {
    let shown = shapes.picked::<InstallRecord>(&install::SHOWN);
    let shown = with(&shown, &json!({ (webhook_url::KEY): webhook_url() }));
    let shown = shapes.name("EnvironmentIntegration", shown);
    let (new, change) = (shapes.asked::<New>(), shapes.asked::<Change>());
    let (all, one) = ("/environment-integration", "/environment-integration/{id}");
    Group {
        tag: "environment-integration",
        about: "An integration made available in an environment, with changes of its own.",
        operations: vec![
            Operation::new("GET", all, "listInstalls", "Lists installs")
                .in_environment()
                .lists(&install::FIELDS, &shown),
            Operation::new("POST", all, "createInstall", "Installs an integration")
                .in_environment()
                .takes(&new)
                .answers("201", "The install.", &shown)
                .answers("200", "The install that was there.", &shown)
                .refuses(&[409]),
            Operation::new("GET", one, "getInstall", "Shows an install")
                .in_environment()
                .answers("200", "The install.", &shown),
            Operation::new("PATCH", one, "changeInstall", "Changes an install")
                .in_environment()
                .takes(&change)
                .answers("200", "The install.", &shown)
                .refuses(&[409]),
            Operation::new(
                "DELETE",
                one,
                "deleteInstall",
                "Deletes an install without accounts",
            )
            .in_environment()
            .deletes(&uuid())
            .refuses(&[409]),
        ],
    }
}
