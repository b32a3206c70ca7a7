// What /openapi.json says is what the Worker does: every operation is called, and each answer has a documented status, type and shape.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { openapi } from "./openapi.mjs";
import { eventually } from "./steps.mjs";
import { accountUrl, fileAround, installUrl, newSecret, standardRequest } from "./webhooks.mjs";

const NAME = "pilot";
const TARGET = "https://company.example/hooks";

let gateway, api, admin;
before(async () => {
  gateway = await start({ internet: provider });
  api = await openapi(gateway);
  admin = (id, words, options) => api.call(id, words, { token: gateway.vars.ADMIN_TOKEN, ...options });
});
after(() => gateway.stop());

/** What every call to the outside gets: something to list, to read, to delete. */
function provider({ method, url }) {
  const { pathname } = new URL(url);
  if (method === "HEAD") return new Response(null, { headers: { "content-type": "application/json" } });
  if (method === "DELETE") return new Response(null, { status: 204 });
  if (pathname.endsWith("/gone")) return Response.json({ message: "no such ship" }, { status: 404 });
  if (pathname.endsWith("/ships") && method === "GET") return Response.json([{ id: 1, name: "Fram" }]);
  return Response.json({ id: 1, name: "Fram" }, { status: method === "POST" ? 201 : 200 });
}

/** A file with everything that can be called. */
function file() {
  const webhook = {
    signature_verification: { format: "standard_webhooks", config: { secret: "{{webhook_secret|environment_variables.webhook_secret}}" } },
    payload_transform: '{ "event_type": body.type, "payload": body }',
  };
  const around = fileAround(NAME, webhook, ["webhook_secret", { name: "note", label: "Note", type: "text" }]);
  const resources = {
    ships: {
      list: { path: "/ships", description: "Lists ships." },
      get: { path: "/ships/{{id}}" },
      create: { method: "post", path: "/ships" },
      update: { method: "patch", path: "/ships/{{id}}" },
      delete: { method: "delete", path: "/ships/{{id}}" },
      merge: { method: "post", path: "/ships/merge" },
    },
  };
  const actions = { ping: { type: "request", config: { method: "get", path: "/ships" } } };
  const syncs = { ships: { resource: "ships", record_id: "id", every: "30d", auto_start: false } };
  return { ...around, config: { ...around.config, resources, actions, syncs } };
}

/** An environment with an install and an account. */
async function setting() {
  await admin("replaceIntegration", { id: NAME }, { body: file(), status: [200, 201] });
  const environment = await admin("createEnvironment", {}, { body: { name: `pilots-${randomUUID()}` }, status: 201 });
  const made = await admin("createApiToken", {}, { body: { environment_id: environment.id, name: "tests" }, status: 201 });
  const call = (id, words, options) => api.call(id, words, { token: made.token, ...options });
  const secret = newSecret();
  const override = { secret_environment_variables: { webhook_secret: secret } };
  const installed = await call("createInstall", {}, { body: { integration_name: NAME, override }, status: 201 });
  const account = await call("importAccount", {}, { body: { tenant_id: "t-1", environment_integration_id: installed.id, authentication_method: "api_key", context: { api_key: "key-1", webhook_secret: secret } }, status: 201 });
  return { environment, apiToken: made, call, installed, account, secret };
}

test("what is open to everybody", async () => {
  const page = await api.call("showHome", {}, { status: 200 });
  await eachCase(["/openapi.json", "/integration.schema.json", "/health"], (link) => assert.ok(page.includes(`href="${link}"`), link));
  await api.call("getHealth", {}, { status: 200 });
  await api.call("getOpenApi", {}, { status: 200 });
  await api.call("getIntegrationSchema", {}, { status: 200 });
});

test("environments, tokens and sealing", async () => {
  const { environment, apiToken, call } = await setting();
  await admin("listEnvironments", {}, { query: { limit: "2", "created_at[gt]": "2020-01-01T00:00:00Z" }, status: 200 });
  await admin("getEnvironment", { id: environment.id }, { status: 200 });
  await admin("changeEnvironment", { id: environment.id }, { body: { allowed_redirect_origins: ["https://company.example"] }, status: 200 });
  await admin("deleteEnvironment", { id: environment.id }, { status: 409 });
  await admin("createEnvironment", {}, { body: { name: environment.name }, status: 409 });
  await admin("createEnvironment", {}, { body: { names: 1 }, status: 422 });
  await admin("createEnvironment", {}, { body: "{", headers: { "content-type": "application/json" }, status: 400 });
  await api.call("listEnvironments", {}, { status: 401 });
  await call("listEnvironments", {}, { status: 403 });
  await call("listApiTokens", {}, { status: 200 });
  await call("listApiTokens", {}, { query: { nmae: "x" }, status: 400 });
  await call("deleteApiToken", { id: apiToken.id }, { status: 200 });
  await call("deleteApiToken", { id: apiToken.id }, { status: 401 });
  await admin("getSealing", {}, { status: 200 });
  await admin("rotateSealing", {}, { status: 200 });
});

test("integrations and installs", async () => {
  const { call, installed } = await setting();
  const name = `pilot-${randomUUID().slice(0, 8)}`;
  const other = { ...file(), name };
  const made = await admin("createIntegration", {}, { body: other, status: 201 });
  await admin("createIntegration", {}, { body: other, status: 409 });
  await admin("validateIntegration", {}, { body: { name: 1 }, status: 200 });
  await admin("changeIntegration", { id: name }, { body: { version: made.version, category: "ships" }, status: 200 });
  await admin("changeIntegration", { id: name }, { body: { version: made.version }, status: 409 });
  await admin("deleteIntegration", { id: name }, { status: 200 });
  await call("getIntegration", { id: name }, { status: 404 });
  await call("getIntegration", { id: NAME }, { status: 200 });
  await call("listIntegrations", {}, { status: 200 });
  await call("listCategories", {}, { query: { next_cursor: "" }, status: 200 });
  await call("createInstall", {}, { body: { integration_name: NAME }, status: 200 });
  await call("getInstall", { id: installed.id }, { status: 200 });
  await api.call("getClientDocument", { id: installed.id }, { status: 404 });
  await call("listInstalls", {}, { query: { "integration.name": NAME, is_enabled: "true" }, status: 200 });
  await call("changeInstall", { id: installed.id }, { body: { show_in_catalog: false }, status: 200 });
  await call("deleteInstall", { id: installed.id }, { status: 409 });
});

test("accounts", async () => {
  const { call, account } = await setting();
  const { id } = account;
  await call("getAccount", { id }, { status: 200 });
  const { result } = await call("listAccounts", {}, { status: 200 });
  assert.equal(result.length, 1);
  await call("changeAccount", { id }, { body: { tenant_id: "t-2" }, status: 200 });
  await call("replaceCredentials", { id }, { body: { context: { api_key: "key-2" } }, status: 200 });
  await call("refreshCredentials", {}, { body: { id }, status: 422 });
  const made = await call("createAccountToken", {}, { body: { integrated_account_id: id }, status: 201 });
  const me = { token: made.integrated_account_token };
  await api.call("getMe", {}, { ...me, status: 200 });
  await api.call("changeMe", {}, { ...me, body: { context: { note: "n" } }, status: 200 });
  await call("getMe", {}, { status: 403 });
  await call("deleteAccount", { id }, { status: 200 });
  await call("getAccount", { id }, { status: 404 });
  await call("deleteAccounts", {}, { body: { ids: [id, "x"] }, status: 200 });
});

test("the data plane", async () => {
  const { call, account } = await setting();
  const query = { integrated_account_id: account.id };
  const ships = (id, words, options) => call(id, { resource: "ships", ...words }, { query, ...options });
  const { result } = await ships("listRecords", {}, { status: 200 });
  assert.deepEqual(result, [{ id: 1, name: "Fram" }]);
  await ships("getRecord", { id: "1" }, { status: 200 });
  await ships("getRecord", { id: "gone" }, { status: 404 });
  await ships("createRecord", {}, { body: { name: "Fram" }, status: 201 });
  await ships("updateRecord", { id: "1" }, { body: { name: "Fram" }, status: 200 });
  await ships("putRecord", { id: "1" }, { body: { name: "Fram" }, status: 200 });
  await ships("deleteRecord", { id: "1" }, { status: 204 });
  await ships("callMethod", { id: "merge" }, { body: {}, status: 201 });
  await call("listRecords", { resource: "boats" }, { query, status: 404 });
  await call("listRecords", { resource: "ships" }, { status: 422 });
  await call("runAction", { action: "ping" }, { query, body: {}, status: 200 });
  for (const id of ["listFiles", "readFile", "writeFile", "deleteFile", "describeFile", "makeFolder", "removeFolder", "renameFile"]) {
    // tests/sftp/gateway.test.mjs has a server; here is no credential of SFTP.
    await call(id, { path: "a" }, { query, status: [404, 405] });
  }
  await call("runAction", { action: "pong" }, { query, body: {}, status: 404 });
  for (const method of ["Get", "Head", "Options", "Post", "Put", "Patch", "Delete"]) {
    const body = ["Post", "Put", "Patch"].includes(method) ? "{}" : undefined;
    await call(`custom${method}`, { path: "ships" }, { query, body, status: [200, 201, 204] });
  }
  const log = await call("listLog", {}, { query: { ...query, resource: "ships" }, status: 200 });
  assert.ok(log.result.some(({ resource_method, status }) => resource_method === "get" && status === 404));
  await call("listLog", {}, { status: 422 });
  await call("listLog", {}, { query: { ...query, resouce: "ships" }, status: 400 });
  await call("showHostKey", { id: account.id }, { body: {}, status: 422 });
  const { resources } = await call("getAccountCapabilities", { id: account.id }, { status: 200 });
  assert.equal(resources.ships.methods.get.is_allowed, true);
  await call("getIntegrationCapabilities", { id: NAME }, { status: 200 });
  await call("getIntegrationCapabilities", { id: "boats" }, { status: 404 });
});

test("tools, MCP tokens and batches", async () => {
  const { call, account } = await setting();
  const { id } = account;
  await call("listIntegrationTools", { id: NAME }, { query: { methods: "read" }, status: 200 });
  await call("listIntegrationTools", { id: "boats" }, { status: 404 });
  const tools = await call("listAccountTools", { id }, { query: { has_description: "false", resources: "ships" }, status: 200 });
  assert.ok(tools.result.some(({ method, annotations }) => method === "delete" && annotations.destructiveHint));
  await call("listAccountTools", { id }, { query: { tag: "x" }, status: 400 });
  const made = await call("createMcpToken", { id }, { body: { name: "agent" }, status: 201 });
  await call("createMcpToken", { id }, { body: { name: "agent", config: { tags: ["none"] } }, status: 422 });
  const { result } = await call("listMcpTokens", { id }, { status: 200 });
  assert.deepEqual(result.map((token) => token.id), [made.id]);
  await call("getMcpToken", { id, token_id: made.id }, { status: 200 });
  const ping = { jsonrpc: "2.0", id: 1, method: "ping" };
  await api.call("sendMcpMessage", { token: made.token }, { body: ping, status: 200 });
  await api.call("sendMcpMessage", { token: made.token }, { body: { jsonrpc: "2.0", method: "notifications/initialized" }, status: 202 });
  await api.call("sendMcpMessage", { token: made.token }, { body: ping, headers: { origin: "https://evil.example" }, status: 403 });
  await api.call("sendMcpMessage", { token: "forged" }, { body: ping, status: 401 });
  await call("deleteMcpToken", { id, token_id: made.id }, { status: 200 });
  await call("deleteMcpToken", { id, token_id: made.id }, { status: 404 });
  const resources = [{ resource: "ships", method: "list" }, { name: "first", resource: "ships", method: "get", id: "{{resources.ships.0.id}}" }];
  const batch = await call("runBatch", {}, { body: { integrated_account_id: id, resources }, status: 200 });
  assert.deepEqual([batch.result.ships, batch.errors], [[{ id: 1, name: "Fram" }], {}]);
  await call("runBatch", {}, { body: { integrated_account_id: id, resources: [] }, status: 422 });
});

test("link tokens and the hosted pages", async () => {
  const { call } = await setting();
  const link = await call("createLinkToken", {}, { body: { tenant_id: "t-9", integration: NAME }, status: 201 });
  await call("createLinkToken", {}, { body: {}, status: 422 });
  await call("listLinkTokens", {}, { status: 200 });
  const query = { link_token: link.link_token };
  const form = { "content-type": "application/x-www-form-urlencoded" };
  await api.call("chooseIntegration", {}, { query, status: 303 });
  await api.call("chooseIntegration", {}, { status: 401 });
  await api.call("showConnectForm", { integration: NAME }, { query, status: 200 });
  await api.call("submitConnectForm", { integration: NAME }, { query, body: "api_key=key-9", headers: form, status: 200 });
  await api.call("comeBack", { integration: NAME }, { query: { code: "c", state: "s" }, status: 401 });
  await api.call("comeBackByPost", { integration: NAME }, { body: "code=c&state=s", headers: form, status: 401 });
  await call("deleteLinkToken", { id: link.id }, { status: 200 });
});

test("webhooks in, events, subscriptions", async () => {
  const { call, account, installed, secret } = await setting();
  const hook = await call("createWebhook", {}, { body: { target_url: TARGET }, status: 201 });
  const { id } = hook;
  await call("createWebhook", {}, { body: { target_url: "nonsense" }, status: 422 });
  await call("getWebhook", { id }, { status: 200 });
  await call("listWebhooks", {}, { status: 200 });
  await call("changeWebhook", { id }, { body: { event_types: null, is_active: true }, status: 200 });
  await call("rotateWebhookSecret", { id }, { status: 200 });
  await call("testWebhook", {}, { body: { id }, status: 200 });

  for (const [operation, url] of [["receiveForAccount", accountUrl(account)], ["receiveForInstall", installUrl(installed)]]) {
    await receive(operation, url, secret);
    await api.call(operation, { id: url.split("/").at(-1) }, { body: {}, status: 401 });
  }
  await api.call("shakeHandsForAccount", { id: accountUrl(account).split("/").at(-1) }, { status: [401, 405] });
  await api.call("shakeHandsForInstall", { id: installUrl(installed).split("/").at(-1) }, { status: [401, 405] });

  const query = { integrated_account_id: account.id };
  const [event] = (await call("listEvents", {}, { query, status: 200 })).result;
  await eventually(async () => assert.ok((await call("getEvent", { id: event.id }, { status: 200 })).attempts.length > 0));
  await call("listEvents", {}, { status: 200 });
  await call("listEvents", {}, { query: { status: "lost" }, status: 422 });
  await call("replayEvent", { id: event.id }, { status: 200 });
  const [from, to] = ["2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"];
  await call("replayEvents", {}, { body: { ...query, status: "delivered", from, to }, status: 200 });
  await call("replayEvents", {}, { body: { from: to, to: from }, status: 422 });
  await call("deleteWebhook", { id }, { status: 200 });
});

test("syncs and their records", async () => {
  const { account, call } = await setting();
  const [query, body] = [{ integrated_account_id: account.id }, { integrated_account_id: account.id }];
  await call("listSyncs", {}, { query, status: 200 });
  await call("listSyncs", {}, { status: 422 });
  await call("changeSync", { name: "ships" }, { body: { ...body, every: "1d" }, status: 200 });
  await call("changeSync", { name: "boats" }, { body: { ...body, is_paused: true }, status: 404 });
  await call("runSync", { name: "ships" }, { body, status: 202 });
  const feed = { ...query, sync: "ships" };
  const { result } = await eventually(async () => {
    const read = await call("listChanges", {}, { query: feed, status: 200 });
    assert.equal(read.result.length, 1);
    return read;
  });
  await call("getSyncRecord", { id: result[0].id }, { query: feed, status: 200 });
  await call("getSyncRecord", { id: "gone" }, { query: feed, status: 404 });
  await call("listSyncRuns", {}, { query, status: 200 });
  await call("stopSync", { name: "ships" }, { body, status: 200 });
  await call("resetSync", { name: "ships" }, { body, status: 200 });
});

/** Sends a signed event; how an install without a field to look up by answers is the integration's business. */
async function receive(operation, url, secret) {
  const { headers, body } = standardRequest(secret, { type: "ship:sighted" });
  const response = await gateway.fetch(url, { method: "POST", headers, body });
  const text = await response.text();
  api.check(operation, response, text);
  if (operation === "receiveForAccount") assert.equal(response.status, 200, text);
}

test("every operation was called", () => {
  assert.deepEqual(api.uncalled(), []);
});
