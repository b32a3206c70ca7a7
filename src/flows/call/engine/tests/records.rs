//! The records of an account whose file has a few methods.

use serde_json::json;

use crate::account::Account;
use crate::account::status::Status;
use crate::config::reserved::Trusted;
use crate::flows::base::records::{InstallRecord, IntegrationRecord};
use crate::ids::{
    AccountId, EnvironmentId, EuJurisdiction, InstallId, IntegrationId, Placement, Region,
};
use crate::time::Timestamp;

pub(in crate::flows) const NOW: i64 = 1_700_000_000_000;

pub(in crate::flows) fn account_id() -> AccountId {
    let placement = Placement::new(Region::Wnam, EuJurisdiction::Off);
    AccountId::new(Timestamp::from_millis(NOW), placement, [7; 10])
}

pub(in crate::flows) fn account() -> Account {
    let now = Timestamp::from_millis(NOW);
    let placement = Placement::new(Region::Wnam, EuJurisdiction::Off);
    Account {
        id: account_id(),
        tenant_id: "tenant".to_owned(),
        environment_id: EnvironmentId::new(now, placement, [1; 10]),
        environment_integration_id: InstallId::new(now, [2; 10]),
        integration_id: IntegrationId::new(now, [3; 10]),
        context: json!({}),
        status: Status::Active,
        authentication_method: "oauth2".to_owned(),
        region: Region::Wnam,
        is_sandbox: false,
        last_error: None,
        last_action_run_result: None,
        last_forbidden_error: None,
        integration_override: None,
        override_by_admin_token: Trusted::default(),
        created_at: now,
        updated_at: now,
    }
}

pub(in crate::flows) fn install() -> InstallRecord {
    let Account {
        environment_id,
        environment_integration_id: id,
        integration_id,
        created_at,
        updated_at,
        ..
    } = account();
    InstallRecord {
        id,
        environment_id,
        integration_id,
        integration_name: "lock".to_owned(),
        is_enabled: true,
        show_in_catalog: true,
        edge_calls: false,
        version: 1,
        overrides: json!({}),
        by_admin_token: Trusted::default(),
        created_at,
        updated_at,
        sealed: None,
    }
}

pub(in crate::flows) fn integration() -> IntegrationRecord {
    let own = "https://api.lock.example";
    let now = Timestamp::from_millis(NOW);
    IntegrationRecord {
        id: IntegrationId::new(now, [3; 10]),
        name: "lock".to_owned(),
        category: None,
        is_beta: false,
        version: 1,
        config: json!({
            "base_url": own,
            "credentials": { "oauth2": { "format": "oauth2", "config": {
                "client": { "id": "our-id" },
                "auth": { "tokenHost": own, "authorizePath": "/authorize", "tokenPath": "/token" },
            } } },
            "authorization": { "format": "bearer", "config": { "token": "{{oauth.token.access_token}}" } },
            "resources": { "keys": {
                "get": { "path": "/keys/{{id}}" },
                "inner": { "path": "/keys/{{id}}", "response_path": "key" },
                "create": { "method": "post", "path": "/keys" },
                "list": { "path": "/keys", "pagination": { "format": "page", "config": {
                    "page_key": "page", "limit_key": "size", "max_limit": 2,
                } } },
            } },
        }),
        created_at: now,
        updated_at: now,
        sealed: None,
    }
}
