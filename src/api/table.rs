//! The route table: every route of the API with its right, body, answer, status and summary. `route::find`, the check of
//! rights, the dispatch of admin calls, `/openapi.json` and the tests' list of routes are made of it. `table/grammar.rs`
//! explains a row. The first row that fits a request counts.

#[macro_use]
mod grammar;

use super::admin;
use super::admin::account_token::{AccountTokenCreated, ChangeOfMe, NewAccountToken};
use super::admin::answer::{Deleted, List, Saved, respond};
use super::admin::api_token::{ApiToken, ApiTokenCreated, NewApiToken};
use super::admin::call::{AdminCall, JsonBody};
use super::admin::environment::{Environment, EnvironmentPatch, NewEnvironment};
use super::admin::environment_integration::{InstallPatch, NewInstall, ShownInstall};
use super::admin::event::{
    EventInList, EventReplay, EventWithDeliveries, EventsReplayed, ReplayedEvent,
};
use super::admin::integrated_account::{
    AccountPatch, ChangedAccount, IntegratedAccount, ListedAccount, NamedAccount, NamedAccounts,
    NewCredentials, NewIntegratedAccount, Refreshed, RemovedAccounts,
};
use super::admin::integration::{
    IntegrationFilePatch, IntegrationSaved, SentIntegrationFile, ShownIntegration, Validation,
};
use super::admin::link_token::{LinkToken, LinkTokenCreated, NewLinkToken};
use super::admin::mcp_token::{McpTokenCreated, NewMcpToken};
use super::admin::sealing::SealingKeys;
use super::admin::sync::{NewSyncRun, SyncAccount, SyncList, SyncPatch};
use super::admin::webhook::{
    NamedEnvironment, NewWebhook, Subscription, SubscriptionCreated, SubscriptionPatch,
    WebhookSecret,
};
use super::admin::webhook_test::{WebhookTest, WebhookTested};
use super::openapi::describe::{
    asks_provider, filters_of_tools, if_match, may_name_account, may_name_log_type,
    must_name_account, overrides,
};
use super::openapi::operation::{Group, Operation};
use super::openapi::shapes::Shapes;
use super::openapi::{connect, data_plane, files, public, received, record};
use super::path_id::{IntegrationKey, PathId, SyncName};
use super::rights::Right;
use super::route::{ConnectRoute as C, Route, RouteRow, WebhookRoute as W};
use serde_json::Value;

use crate::error::Failure;
use crate::flows::account::capabilities::{AccountCapabilities, IntegrationCapabilities};
use crate::flows::agents::tools::{AccountTools, ToolList};
use crate::flows::base::records::TokenScope;
use crate::flows::lifecycle::sftp_login::PresentedHostKey;
use crate::flows::messages::account::OwnAccount;
use crate::flows::messages::category::Category;
use crate::flows::messages::log_line::LogLine;
use crate::flows::messages::mcp::McpTokenRecord;
use crate::flows::messages::sync::{SyncRun, SyncView};
use crate::ids::{
    AccountId, ApiTokenId, EnvironmentId, EventId, InstallId, IntegrationId, LinkTokenId,
    McpTokenId, WebhookId,
};
use crate::ports::{Body, Outside, Reply};

const OPEN: Right = Right::Open;
const ADMIN_TOKEN: Right = Right::AdminToken;
const ACCOUNT_TOKEN: Right = Right::AccountToken;
const READ: Right = Right::Scope(TokenScope::Read);
const PROXY: Right = Right::Scope(TokenScope::Proxy);
const CONNECT: Right = Right::Scope(TokenScope::Connect);
const ADMIN: Right = Right::Scope(TokenScope::Admin);
const READ_OR_ACCOUNT_TOKEN: Right = Right::ReadOrAccountToken;
const CALL: Right = Right::Call;

/// Every row, in the order in which they are tried. The data plane comes first: it is asked most.
pub fn rows() -> impl Iterator<Item = &'static RouteRow> {
    OTHER_ROWS.iter().chain(ADMIN_ROWS)
}

/// Every operation of the document.
pub(super) fn groups(shapes: &mut Shapes) -> Vec<Group> {
    let mut groups = other_groups(shapes);
    groups.extend(admin_groups(shapes));
    groups
}

other_routes! {
    "data plane" "The provider's records, with the account's own credential. Query parameters that are not listed go on to the provider, and so \
        do `accept`, `accept-language`, `content-type`, `if-*`, `range`, `idempotency-key` and `x-forward-<name>` as `<name>`. The fields \
        `ratelimit-*` of an answer, and `retry-after`, say what is known of the provider's limit." {
        GET     "/proxy/{resource}"      listRecords,  CALL, "Lists records":                                 |path| path.call("list"), data_plane::list;
        POST    "/proxy/{resource}"      createRecord, CALL, "Makes a record":                                |path| path.call("create"), data_plane::write;
        POST    "/proxy/_/{action}"      runAction,    CALL, "Runs an action of the integration":             |path| path.action(), data_plane::action;
        GET     "/proxy/{resource}/{id}" getRecord,    CALL, "Gets a record":                                 |path| path.call("get"), data_plane::read;
        PATCH   "/proxy/{resource}/{id}" updateRecord, CALL, "Changes a record":                              |path| path.call("update"), data_plane::write;
        PUT     "/proxy/{resource}/{id}" putRecord,    CALL, "Changes a record; the same as PATCH":           |path| path.call("update"), data_plane::write;
        DELETE  "/proxy/{resource}/{id}" deleteRecord, CALL, "Deletes a record":                              |path| path.call("delete"), data_plane::delete;
        POST    "/proxy/{resource}/{id}" callMethod,   CALL, "Calls a method of the resource: `id` is its name": |path| path.named_call(), data_plane::method;
        POST    "/batch-request"         runBatch,     CALL, "Makes several calls of an account, some with the results of others": |_| Some(Route::Batch), data_plane::batch;
        // `route::lookup` finds these, for any method.
        GET     "/custom/{path}" customGet,     CALL, "Calls the provider's own path, authenticated": |_| None, data_plane::custom;
        HEAD    "/custom/{path}" customHead,    CALL, "Calls the provider's own path, authenticated": |_| None, data_plane::custom;
        OPTIONS "/custom/{path}" customOptions, CALL, "Calls the provider's own path, authenticated": |_| None, data_plane::custom;
        POST    "/custom/{path}" customPost,    CALL, "Calls the provider's own path, authenticated": |_| None, data_plane::custom_with_body;
        PUT     "/custom/{path}" customPut,     CALL, "Calls the provider's own path, authenticated": |_| None, data_plane::custom_with_body;
        PATCH   "/custom/{path}" customPatch,   CALL, "Calls the provider's own path, authenticated": |_| None, data_plane::custom_with_body;
        DELETE  "/custom/{path}" customDelete,  CALL, "Calls the provider's own path, authenticated": |_| None, data_plane::custom_with_body;
    }
    "record" "The records of syncs, as a feed: the last cursor gives what changed since, each record in its newest state." {
        GET  "/record"      listChanges, READ_OR_ACCOUNT_TOKEN, "Lists what changed of a sync's records": |_| Some(Route::Changes), record::changes;
        GET  "/record/{id}" getSyncRecord, READ_OR_ACCOUNT_TOKEN, "Shows a record of a sync":             |path| path.record(), record::one;
    }
    "files" "Files on a server of SFTP, of an account with the credential `sftp`. A resource of that name in an integration file has the calls \
        of every resource instead." {
        // The rows of every resource come first, and mean the same.
        GET    "/proxy/files"        listFiles,    CALL, "Lists a folder":                |path| Some(path.files("list")), files::list;
        GET    "/proxy/files/{path}" readFile,     CALL, "Reads a file":                  |path| Some(path.files("get")), files::read;
        PUT    "/proxy/files/{path}" writeFile,    CALL, "Writes a file":                 |path| Some(path.files("update")), files::write;
        DELETE "/proxy/files/{path}" deleteFile,   CALL, "Deletes a file":                |path| Some(path.files("delete")), files::delete;
        POST   "/proxy/files/stat"   describeFile, CALL, "Describes a file or a folder":  |path| Some(path.files("stat")), files::stat;
        POST   "/proxy/files/mkdir"  makeFolder,   CALL, "Makes a folder":                |path| Some(path.files("mkdir")), files::of_one_path;
        POST   "/proxy/files/rmdir"  removeFolder, CALL, "Deletes an empty folder":       |path| Some(path.files("rmdir")), files::of_one_path;
        POST   "/proxy/files/rename" renameFile,   CALL, "Moves a file or a folder":      |path| Some(path.files("rename")), files::rename;
    }
    "received" "Webhooks of providers. The signature authenticates them, as the integration says. Nothing is answered before it is stored." {
        POST "/integrated-account-webhook/{id}"      receiveForAccount,    OPEN, "Takes a webhook of one account":                    |path| path.webhook(W::Account), received::for_account;
        GET|HEAD "/integrated-account-webhook/{id}"  shakeHandsForAccount, OPEN, "Answers a provider's URL verification by GET or HEAD": |path| path.webhook(W::Account), received::verification_for_account;
        POST "/environment-integration-webhook/{id}" receiveForInstall,    OPEN, "Takes a webhook of all accounts of an install":     |path| path.webhook(W::Install), received::for_install;
        GET|HEAD "/environment-integration-webhook/{id}" shakeHandsForInstall, OPEN, "Answers a provider's URL verification by GET or HEAD": |path| path.webhook(W::Install), received::verification_for_install;
    }
    "connect" "The hosted pages. A link token opens them; no other token does." {
        GET  "/connect"                        chooseIntegration, OPEN, "Shows what can be connected":       |_| Some(Route::Connect(C::Choose)), connect::choice;
        GET  "/connect/{integration}"          showConnectForm,   OPEN, "Shows the form of an integration":  |path| path.connect(C::Form), connect::form;
        POST "/connect/{integration}"          submitConnectForm, OPEN, "Takes the form":                    |path| path.connect(C::Submit), connect::submission;
        GET  "/connect/{integration}/callback" comeBack,          OPEN, "Takes a customer who comes back from the provider": |path| path.connect(C::Callback), connect::callback;
        POST "/connect/{integration}/callback" comeBackByPost,    OPEN, "Takes a customer who comes back from the provider": |path| path.connect(C::Callback), connect::callback_by_post;
    }
    "mcp" "An account as an MCP server, for the clients of agents. The token in the path authenticates them." {
        POST|OPTIONS "/mcp/{token}" sendMcpMessage, OPEN, "Takes a message of the Model Context Protocol (Streamable HTTP, stateless)": |path| path.mcp(), public::mcp;
    }
    "client" "The gateway as an OAuth client." {
        GET|HEAD "/oauth-client/{id}" getClientDocument, OPEN, "Gives the metadata document of an install's OAuth client": |path| path.client_document(), public::client_document;
    }
    "gateway" "The gateway itself. No token is needed. HEAD answers as GET does, without the body." {
        GET|HEAD "/"             showHome,   OPEN, "Shows a page with links to what is here": |_| Some(Route::Home), public::home;
        GET|HEAD "/health"       getHealth,  OPEN, "Says whether the gateway can work":       |_| Some(Route::Health), public::health;
        GET|HEAD "/openapi.json" getOpenApi, OPEN, "Gives this document":                     |_| Some(Route::OpenApi), public::openapi;
        GET|HEAD "/integration.schema.json" getIntegrationSchema, OPEN, "Gives the JSON Schema of integration files": |_| Some(Route::IntegrationSchema), public::schema;
    }
}

admin_routes! {
    "environment" in_gateway "What keeps its tokens, installs and accounts apart from all others." {
        GET    "/environment" ListEnvironments, ADMIN_TOKEN, "Lists environments":
            noun::list() lists Environment;
        POST   "/environment" CreateEnvironment, ADMIN_TOKEN, "Makes an environment":
            environment::create() takes NewEnvironment answers 201 Environment, refuses [409];
        GET    "/environment/{id}" GetEnvironment, ADMIN_TOKEN, "Shows an environment":
            noun::get(id: EnvironmentId) answers 200 Environment;
        PATCH  "/environment/{id}" ChangeEnvironment, ADMIN_TOKEN, "Changes an environment":
            environment::change(id: EnvironmentId) takes EnvironmentPatch answers 200 Environment, refuses [409];
        DELETE "/environment/{id}" DeleteEnvironment, ADMIN_TOKEN, "Deletes an empty environment":
            noun::delete(id: EnvironmentId) answers 200 Deleted<EnvironmentId>, refuses [409];
    }
    "api-token" in_environment "Tokens of an environment. Only their hashes are kept." {
        GET    "/api-token" ListApiTokens, READ, "Lists API tokens":
            noun::list() lists ApiToken;
        POST   "/api-token" CreateApiToken, ADMIN, "Makes an API token":
            api_token::create() takes NewApiToken answers 201 ApiTokenCreated;
        DELETE "/api-token/{id}" DeleteApiToken, ADMIN, "Revokes an API token":
            noun::delete(id: ApiTokenId) answers 200 Deleted<ApiTokenId>;
    }
    "integration" in_gateway "Providers as data: files shared by all environments. Client secrets in them are write-only." {
        GET    "/integration" ListIntegrations, READ, "Lists integrations":
            noun::list() lists ShownIntegration;
        POST   "/integration" CreateIntegration, ADMIN_TOKEN, "Stores a new integration":
            integration::create() takes SentIntegrationFile answers 201 IntegrationSaved, refuses [409];
        POST   "/integration/validate" ValidateIntegration, READ, "Checks an integration file":
            integration::validate() takes Value answers 200 Validation;
        GET    "/integration/{id}" GetIntegration, READ, "Shows an integration":
            noun::get(id: IntegrationKey) answers 200 ShownIntegration;
        PUT    "/integration/{id}" ReplaceIntegration, ADMIN_TOKEN, "Stores the whole file under its name":
            integration::replace(id: IntegrationKey) takes SentIntegrationFile saves IntegrationSaved, refuses [409];
        PATCH  "/integration/{id}" ChangeIntegration, ADMIN_TOKEN, "Merges changes into the file":
            integration::change(id: IntegrationKey) takes IntegrationFilePatch answers 200 ShownIntegration, refuses [409], with [if_match];
        GET    "/integration/{id}/capabilities" GetIntegrationCapabilities, READ, "Says what can be asked of an integration":
            capabilities::of_integration(id: IntegrationKey) answers 200 IntegrationCapabilities;
        GET    "/integration/{id}/tools" ListIntegrationTools, READ, "Lists the tools of an integration: its methods, described for agents":
            tools::of_integration(id: IntegrationKey) answers 200 ToolList, with [filters_of_tools];
        DELETE "/integration/{id}" DeleteIntegration, ADMIN_TOKEN, "Deletes an integration without installs":
            noun::delete(id: IntegrationKey) answers 200 Deleted<IntegrationId>, refuses [409];
    }
    "category" in_gateway "What integrations are grouped by: the `category` of their files." {
        GET    "/category" ListCategories, READ, "Lists the categories of the integrations":
            category::list() lists Category;
    }
    "environment-integration" in_environment "An integration made available in an environment, with its own changes." {
        GET    "/environment-integration" ListInstalls, READ, "Lists installs":
            noun::list() lists ShownInstall;
        POST   "/environment-integration" CreateInstall, ADMIN, "Installs an integration":
            environment_integration::create() takes NewInstall saves ShownInstall, refuses [409], with [overrides];
        GET    "/environment-integration/{id}" GetInstall, READ, "Shows an install":
            noun::get(id: InstallId) answers 200 ShownInstall;
        PATCH  "/environment-integration/{id}" ChangeInstall, ADMIN, "Changes an install":
            environment_integration::change(id: InstallId) takes InstallPatch answers 200 ShownInstall, refuses [409], with [overrides];
        DELETE "/environment-integration/{id}" DeleteInstall, ADMIN, "Deletes an install without accounts":
            noun::delete(id: InstallId) answers 200 Deleted<InstallId>, refuses [409];
    }
    "integrated-account" in_environment "One customer's connection to a provider, without its secrets." {
        GET    "/integrated-account" ListAccounts, READ, "Lists accounts":
            integrated_account::list() lists ListedAccount;
        POST   "/integrated-account" ImportAccount, CONNECT, "Imports credentials":
            integrated_account::import() takes NewIntegratedAccount answers 201 IntegratedAccount, with [asks_provider];
        GET    "/integrated-account/me" GetMe, ACCOUNT_TOKEN, "Shows the account of an account token":
            account_token::get_me() answers 200 OwnAccount;
        PATCH  "/integrated-account/me" ChangeMe, ACCOUNT_TOKEN, "Changes plain fields of the account's credential, at most 10 times a minute":
            account_token::change_me() takes ChangeOfMe answers 200 OwnAccount, with [asks_provider];
        GET    "/integrated-account/{id}" GetAccount, READ, "Shows an account":
            integrated_account::get(id: AccountId) answers 200 IntegratedAccount;
        PATCH  "/integrated-account/{id}" ChangeAccount, CONNECT, "Changes an account":
            integrated_account::change(id: AccountId) takes AccountPatch answers 200 ChangedAccount, with [asks_provider, overrides];
        DELETE "/integrated-account/{id}" DeleteAccount, ADMIN, "Erases an account":
            integrated_account::delete(id: AccountId) answers 200 Deleted<AccountId>, refuses [409];
        PATCH  "/integrated-account/{id}/credentials" ReplaceCredentials, CONNECT, "Merges new credentials into the context":
            integrated_account::replace_credentials(id: AccountId) takes NewCredentials answers 200 ChangedAccount, with [asks_provider];
        GET    "/integrated-account/{id}/capabilities" GetAccountCapabilities, READ, "Says what can be asked of an account":
            capabilities::of_account(id: AccountId) answers 200 AccountCapabilities;
        GET    "/integrated-account/{id}/tools" ListAccountTools, READ_OR_ACCOUNT_TOKEN, "Lists the tools of an account":
            tools::of_account(id: AccountId) answers 200 AccountTools, with [filters_of_tools];
        GET    "/integrated-account/{id}/mcp" ListMcpTokens, PROXY, "Lists the MCP tokens of an account":
            mcp_token::list(id: AccountId) lists McpTokenRecord;
        POST   "/integrated-account/{id}/mcp" CreateMcpToken, PROXY, "Makes an MCP token: the address of the account's tools for an agent":
            mcp_token::create(id: AccountId) takes NewMcpToken answers 201 McpTokenCreated;
        GET    "/integrated-account/{id}/mcp/{token_id}" GetMcpToken, PROXY, "Shows an MCP token":
            mcp_token::get(id: AccountId, token_id: McpTokenId) answers 200 McpTokenRecord;
        DELETE "/integrated-account/{id}/mcp/{token_id}" DeleteMcpToken, PROXY, "Revokes an MCP token":
            mcp_token::delete(id: AccountId, token_id: McpTokenId) answers 200 Deleted<McpTokenId>;
        POST   "/integrated-account/{id}/host-key" ShowHostKey, ADMIN, "Shows the key that the account's SFTP server presents":
            integrated_account::host_key(id: AccountId) answers 200 PresentedHostKey, refuses [409], with [asks_provider];
        POST   "/integrated-account/refresh-credentials" RefreshCredentials, CONNECT, "Refreshes an account's token now":
            integrated_account::refresh_credentials() takes NamedAccount answers 200 Refreshed, with [asks_provider];
        POST   "/integrated-account/token" CreateAccountToken, PROXY, "Makes a token of one account":
            account_token::create() takes NewAccountToken answers 201 AccountTokenCreated, refuses [409];
        POST   "/integrated-account/bulk-delete" DeleteAccounts, ADMIN, "Erases up to 1,000 accounts":
            integrated_account::delete_all() takes NamedAccounts answers 200 RemovedAccounts;
    }
    "link-token" in_environment "What a customer's browser may connect; once, within a day unless it says otherwise." {
        GET    "/link-token" ListLinkTokens, READ, "Lists link tokens":
            noun::list() lists LinkToken;
        POST   "/link-token" CreateLinkToken, CONNECT, "Makes a link that a customer connects an account by":
            link_token::create() takes NewLinkToken answers 201 LinkTokenCreated, refuses [409];
        DELETE "/link-token/{id}" DeleteLinkToken, CONNECT, "Revokes a link token":
            noun::delete(id: LinkTokenId) answers 200 Deleted<LinkTokenId>;
    }
    "webhook" in_environment "Subscriptions: where events are delivered, signed as Standard Webhooks says." {
        GET    "/webhook" ListWebhooks, READ, "Lists subscriptions":
            noun::list() lists Subscription;
        POST   "/webhook" CreateWebhook, ADMIN, "Subscribes to events":
            webhook::create() takes NewWebhook answers 201 SubscriptionCreated, refuses [409];
        POST   "/webhook/test" TestWebhook, ADMIN, "Sends one signed request now":
            webhook_test::send() takes WebhookTest answers 200 WebhookTested;
        GET    "/webhook/{id}" GetWebhook, READ, "Shows a subscription":
            noun::get(id: WebhookId) answers 200 Subscription;
        PATCH  "/webhook/{id}" ChangeWebhook, ADMIN, "Changes, pauses or resumes a subscription":
            webhook::change(id: WebhookId) takes SubscriptionPatch answers 200 Subscription;
        DELETE "/webhook/{id}" DeleteWebhook, ADMIN, "Ends a subscription":
            webhook::delete(id: WebhookId) answers 200 Deleted<WebhookId>;
        POST   "/webhook/{id}/rotate-secret" RotateWebhookSecret, ADMIN, "Makes a new secret":
            webhook::rotate(id: WebhookId) may_take NamedEnvironment answers 200 WebhookSecret;
    }
    "event" in_environment "What happened to accounts, and delivering it again. Newest first." {
        GET    "/event" ListEvents, READ, "Lists events":
            event::list() lists EventInList, with [may_name_account];
        POST   "/event/replay" ReplayEvents, ADMIN, "Delivers all events of a range again":
            event::replay_all() takes EventReplay answers 200 EventsReplayed;
        GET    "/event/{id}" GetEvent, READ, "Shows an event and its deliveries":
            event::get(id: EventId) answers 200 EventWithDeliveries;
        POST   "/event/{id}/replay" ReplayEvent, ADMIN, "Delivers an event again":
            event::replay(id: EventId) answers 200 ReplayedEvent, refuses [409];
    }
    "log" in_environment "One line for each call of the data plane, newest first: no value of a query, no header, no body." {
        GET    "/log" ListLog, READ, "Lists the calls of an account":
            log::list() lists LogLine, with [must_name_account, may_name_log_type];
    }
    "sync" in_environment "An account's records kept up to date, as its integration file says." {
        GET    "/sync" ListSyncs, READ, "Lists the syncs of an account":
            sync::list() answers 200 SyncList, with [must_name_account];
        POST   "/sync/{name}/run" RunSync, PROXY, "Starts a run; where one is under way, another one follows it":
            sync::run(name: SyncName) takes NewSyncRun answers 202 SyncRun, refuses [409];
        PATCH  "/sync/{name}" ChangeSync, ADMIN, "Pauses or resumes a sync of an account, or changes when it runs":
            sync::change(name: SyncName) takes SyncPatch answers 200 SyncView, refuses [409];
        POST   "/sync/{name}/stop" StopSync, ADMIN, "Ends the run under way":
            sync::stop(name: SyncName) takes SyncAccount answers 200 SyncView, refuses [409];
        POST   "/sync/{name}/reset" ResetSync, ADMIN, "Forgets the records of a sync, and its place":
            sync::reset(name: SyncName) takes SyncAccount answers 200 SyncView, refuses [409];
        GET    "/sync-run" ListSyncRuns, READ, "Lists the runs of an account's syncs that have ended, newest first":
            sync::list_runs() lists SyncRun, with [must_name_account];
    }
    "sealing" in_gateway "The keys that secrets are encrypted with." {
        GET    "/sealing" GetSealing, ADMIN_TOKEN, "Counts sealed values by key":
            sealing::get() answers 200 SealingKeys;
        POST   "/sealing/rotate" RotateSealing, ADMIN_TOKEN, "Begins to seal all secrets under the first key":
            sealing::rotate() answers 200 SealingKeys;
    }
}
