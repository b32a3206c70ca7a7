//! Environments, and the keys that all of them are sealed with.

use serde_json::json;

use super::operation::{Group, Operation};
use super::shapes::{Shapes, count, flag, list_of, object, text, uuid};
use crate::api::admin::environment::{Change, FIELDS, New, SHOWN};
use crate::flows::base::records::EnvironmentRecord;

pub(super) fn group(shapes: &mut Shapes) -> Group {
    let shown = shapes.picked::<EnvironmentRecord>(&SHOWN);
    let shown = shapes.name("Environment", shown);
    let (new, change) = (shapes.asked::<New>(), shapes.asked::<Change>());
    let (all, one) = ("/environment", "/environment/{id}");
    Group {
        tag: "environment",
        about: "What keeps its tokens, installs and accounts apart from all others.",
        operations: vec![
            Operation::new("GET", all, "listEnvironments", "Lists environments")
                .lists(&FIELDS, &shown),
            Operation::new("POST", all, "createEnvironment", "Makes an environment")
                .takes(&new)
                .answers("201", "The environment.", &shown)
                .refuses(&[409]),
            Operation::new("GET", one, "getEnvironment", "Shows an environment").answers(
                "200",
                "The environment.",
                &shown,
            ),
            Operation::new("PATCH", one, "changeEnvironment", "Changes an environment")
                .takes(&change)
                .answers("200", "The environment.", &shown)
                .refuses(&[409]),
            Operation::new(
                "DELETE",
                one,
                "deleteEnvironment",
                "Deletes an empty environment",
            )
            .deletes(&uuid())
            .refuses(&[409]),
        ],
    }
}

pub(super) fn sealing() -> Group {
    let key = object(&json!({ "id": text(), "count": count(), "is_current": flag() }));
    let state = object(&json!({ "keys": list_of(&key), "is_rotating": flag() }));
    let rotate = "Begins to seal all secrets under the first key";
    Group {
        tag: "sealing",
        about: "Which keys secrets rest under.",
        operations: vec![
            Operation::new(
                "GET",
                "/sealing",
                "getSealing",
                "Counts sealed values by key",
            )
            .answers("200", "A key whose count is 0 may be dropped.", &state),
            Operation::new("POST", "/sealing/rotate", "rotateSealing", rotate).answers(
                "200",
                "It has begun.",
                &state,
            ),
        ],
    }
}
