// A table of every error code: who must act, and what the caller sees, each row made by a real request. It is checked against
// docs/errors.md (no code without a row or a reason), and kept as docs/error-answers.md: `UPDATE=1` writes it.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { randomSealingKey } from "../../scripts/dev-vars.mjs";
import { HOST, HOST_KEY, PASSWORD, USER, fakeSftp } from "./fake-sftp.mjs";
import { fillIn, linkToken } from "./oauth-accounts.mjs";
import { assertError, eventually, install, importAccount, ok } from "./steps.mjs";
import { accountUrl, webhookAccount, received, send, standardRequest, wireBytes } from "./webhooks.mjs";
import { startScriptedProvider } from "./scripted-provider.mjs";

const DOCS = path.join(import.meta.dirname, "../../docs");
const WHO = {
  caller: "you, who calls: change the request",
  account: "you, or the customer: the account needs something",
  integration: "who writes the integration file, or its install",
  provider: "the provider; often it is enough to try later",
  internal: "try again; if it stays, who runs the gateway",
};
/** Codes that no request can bring about at will, and why. */
const UNREACHABLE = {
  "account.sync_limit": "the reason why a run of a sync has failed, in its `error`",
  "account.sync_suspicious": "the reason why a run of a sync has failed, in its `error`, and of the event `sync:suspicious`",
  "caller.not_reached": "it is in `errors` of a batch, or in the answer to an MCP message; both are 200",
  "internal.error": "our own mistake; were there a request that brings it about, it would be mended",
};
/** Codes that keep the provider's status instead of their own. */
const KEEP_STATUS = ["provider.rejected", "provider.failed", "provider.rate_limited", "account.needs_reauth"];

let scripted, gateway, environment, admin, client;
/** A call of this method and path ends as if its account's object had been restarted in the middle. */
let restarting;
before(async () => {
  const page = { format: "page", config: { page_key: "page" } };
  const ships = { list: { path: "/ships", response_path: "data", pagination: page }, get: { path: "/ships/{{id}}" }, create: { method: "post", path: "/ships" } };
  const big = { create: { method: "post", path: "/big", headers: { "x-t": "{{body.t}}" }, ignore_body: true } };
  const odd = { list: { path: "/odd/{{query.dock}}" }, get: { path: "/odd", headers: { "x-team": "{{team}}" } }, create: { method: "post", path: "/odd", authorization: { format: "header", config: { expression: "1" } } } };
  const many = { steps: Array.from({ length: 51 }, () => ({ type: "transform", config: { expression: "1" } })) };
  const syncs = { ships: { resource: "ships", record_id: "id", every: "30d", auto_start: false } };
  const config = { error_expression: "response.ok = false", resources: { ships, big, odd }, actions: { many }, syncs };
  const between = ({ when, where, what }) => {
    if (when === "after" && where === "Account" && what === restarting) throw new Error("the object was restarted");
  };
  scripted = await startScriptedProvider({ config, between, sftp: fakeSftp });
  ({ gateway, environment } = scripted);
  admin = (...request) => gateway.admin(...request);
  client = environment.call;
});
after(() => scripted?.stop());

const call = (...request) => scripted.call(...request);
const ship = (answer, headers, path = "/proxy/ships/1") => {
  scripted.answers.set("/ships", () => answer);
  scripted.answers.set("/ships/1", () => answer);
  return call("GET", path, undefined, { "x-max-retries": "0", ...headers });
};
const write = (key, body = { name: "Fram" }) => call("POST", "/proxy/ships", body, { "idempotency-key": key });

/** An account of a server of files, and its import; `change` is of its context. */
const fileServer = async (change) => {
  const file = JSON.parse(await readFile(path.join(DOCS, "../integrations/sftp.json"), "utf8"));
  ok(await admin("PUT", "/integration/sftp", file), 200, 201);
  const installed = ok(await client("POST", "/environment-integration", { integration_name: "sftp" }), 200, 201);
  const context = { host: HOST, username: USER, login: "password", password: PASSWORD, host_key: HOST_KEY, ...change };
  return client("POST", "/integrated-account", { tenant_id: "tenant-1", environment_integration_id: installed.id, authentication_method: "sftp", context });
};
const OTHER_KEY = HOST_KEY.replace("GYPGz1", "BBBGz1");

/** A feed read with a cursor of before a reset. */
const oldFeed = async () => {
  const account = { integrated_account_id: scripted.account.id };
  scripted.answers.set("/ships", () => ({ body: { data: [{ id: "ship-1" }] } }));
  ok(await client("POST", "/sync/ships/run", account), 202);
  const feed = `/record?integrated_account_id=${scripted.account.id}&sync=ships`;
  const cursor = await eventually(async () => {
    const read = ok(await client("GET", feed), 200);
    assert.equal(read.result.length, 1);
    return read.next_cursor;
  });
  ok(await client("POST", "/sync/ships/reset", account), 200);
  return client("GET", `${feed}&after=${cursor}`);
};

/** code → what is done, in words; and done. An optional third says which headers the answer has. The last ones restart the gateway. */
const ROWS = [
  ["caller.malformed", "a body that is not JSON", () => client("POST", "/webhook", "{")],
  ["caller.bad_cursor", "a list with a `next_cursor` of another account", () => call("GET", "/proxy/ships?next_cursor=foreign")],
  ["caller.cursor_expired", "a feed of records with a cursor of before a reset of its sync", oldFeed],
  ["caller.invalid", "an account without a `tenant_id`", () => client("POST", "/integrated-account", { tenant_id: "", environment_integration_id: scripted.installed.id, authentication_method: "api_key", context: {} })],
  ["caller.missing_value", "a method whose path needs `query.dock`, called without it", () => call("GET", "/proxy/odd")],
  ["caller.unauthenticated", "no token", () => gateway.as("none")("GET", "/integrated-account")],
  ["caller.bad_signature", "a webhook that is signed with another secret", async () => {
    const { account } = await webhookAccount(gateway, environment, { name: "webhook-sender-unsigned" });
    return send(gateway, accountUrl(account), standardRequest(`whsec_${"A".repeat(43)}=`, { type: "wave" }));
  }],
  ["caller.forbidden", "a token with the scope `read` writes", async () => {
    const { token } = ok(await client("POST", "/api-token", { name: "reads", scopes: ["read"] }), 201);
    return gateway.as(token)("POST", "/webhook", { target_url: "https://company.example" });
  }],
  ["caller.switched_off", "`/custom` of an integration whose file says `\"custom\": false`", async () => {
    const { account } = await scripted.install({ custom: false, resources: {} }, { name: "closed" });
    return call("GET", "/custom/ships", undefined, {}, { account });
  }],
  ["caller.wrong_address", "a delivery of the gateway that comes back to it", async () => {
    const { account, secret } = await webhookAccount(gateway, environment, { name: "webhook-sender-looped" });
    const { id } = ok(await client("POST", "/webhook", { target_url: `${scripted.url}/hook`, event_types: ["nothing"] }), 201);
    ok(await client("POST", "/webhook/test", { id }), 200);
    const mark = scripted.at("/hook")[0].headers["x-causeway-delivery"];
    const { headers, body } = standardRequest(secret, { type: "wave" });
    return send(gateway, accountUrl(account), { headers: { ...headers, "x-causeway-delivery": mark }, body });
  }],
  ["caller.not_found", "an account that does not exist, or of another environment", () => client("GET", `/integrated-account/${randomUUID()}`)],
  ["caller.method_not_allowed", "a method that the resource does not have", () => call("DELETE", "/proxy/ships/1")],
  ["caller.not_acceptable", "an MCP client that accepts no JSON", () => scripted.call("POST", "/mcp/x", {}, { accept: "text/event-stream" })],
  ["caller.duplicate", "an integration's name, twice", async () => {
    const file = { name: "twice", config: { label: "Twice", base_url: "https://api.example.com" } };
    ok(await admin("POST", "/integration", file), 201);
    return admin("POST", "/integration", file);
  }],
  ["caller.in_use", "an install that still has accounts is deleted", () => client("DELETE", `/environment-integration/${scripted.installed.id}`)],
  ["caller.version_mismatch", "a change for another version", () => admin("PATCH", "/integration/twice", { version: 999, config: { label: "Thrice" } })],
  ["caller.host_key", "a context value that names the host, without new credentials", async () => {
    const { id } = await importAccount(environment, await install(gateway, environment, "tenant-host"), { subdomain: "north", api_key: "k" });
    return client("PATCH", `/integrated-account/${id}`, { context: { subdomain: "south" } });
  }],
  ["caller.body_too_large", "an admin body over 1 MiB", () => client("POST", "/webhook", JSON.stringify({ target_url: "x".repeat(1024 * 1024) }))],
  ["caller.body_timeout", "a webhook whose body does not arrive within 10 s", async () => {
    const { account } = await webhookAccount(gateway, environment, { name: "webhook-sender-stalled" });
    return wireBytes(gateway, Buffer.from(`POST ${accountUrl(account)} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-length: 100\r\n\r\n{`));
  }],
  ["caller.idempotency_in_progress", "a write under a key whose first call was cut off by its time-out", async () => {
    const key = randomUUID();
    scripted.answers.set("/ships", () => "silent");
    await call("POST", "/proxy/ships", { name: "Fram" }, { "idempotency-key": key, "x-timeout-ms": "300" });
    return write(key);
  }],
  ["caller.idempotency_running", "a write under a key whose first call is not answered yet", async () => {
    const key = randomUUID();
    scripted.answers.set("/ships", () => ({ status: 201, body: {}, delayMs: 800 }));
    const first = write(key);
    await eventually(() => assert.ok(scripted.requests.some(({ headers }) => headers["idempotency-key"] === key)));
    const second = await write(key);
    await first;
    return second;
  }],
  ["caller.idempotency_not_replayable", "a write again, whose answer was over 256 KiB", async () => {
    const key = randomUUID();
    scripted.answers.set("/ships", () => ({ status: 201, body: `"${"x".repeat(257 * 1024)}"` }));
    ok(await write(key), 201);
    return write(key);
  }],
  ["caller.idempotency_mismatch", "another body under a key that was used", async () => {
    const key = randomUUID();
    scripted.answers.set("/ships", () => ({ status: 201, body: {} }));
    ok(await write(key), 201);
    return write(key, { name: "Gjøa" });
  }],
  ["account.needs_reauth", "a call after the provider refused the credential, which cannot be refreshed", async () => {
    const resources = { ships: { get: { path: "/ships/{{id}}" } } };
    const { account } = await scripted.install({ resources, actions: { validation: { type: "request", config: { path: "/me" } } } }, { name: "refused" });
    for (const path of ["/ships/1", "/me"]) scripted.answers.set(path, () => ({ status: 401, body: {} }));
    await call("GET", "/proxy/ships/1", undefined, {}, { account });
    return call("GET", "/proxy/ships/1", undefined, {}, { account });
  }],
  ["account.connection_error", "an import without a token, whose user name and password the provider refuses", async () => {
    const steps = [{ type: "request", config: { method: "post", path: "/login", body: { password: "{{password}}" } } }];
    const credentials = { custom_token: { format: "custom_token", config: { fields: [{ name: "password", label: "Password", type: "password" }], steps } } };
    scripted.answers.set("/login", () => ({ body: { access_token: "token-1" } }));
    const { installed } = await scripted.install({ credentials, authorization: { format: "bearer" } }, { context: { password: "right" }, authentication_method: "custom_token" });
    scripted.answers.set("/login", () => ({ status: 401, body: { message: "Wrong password." } }));
    return client("POST", "/integrated-account", { tenant_id: "tenant-1", environment_integration_id: installed.id, authentication_method: "custom_token", context: { password: "wrong" } });
  }],
  ["account.not_ready", "a call to an account whose validation failed", async () => {
    const { installed } = await scripted.install({ resources: {}, actions: { validation: { type: "request", config: { path: "/refuses" } } } }, { name: "unready" });
    scripted.answers.set("/refuses", () => ({ status: 403, body: {} }));
    await fillIn(await linkToken(environment, { integration: "unready" }), { values: { api_key: "k" } });
    const { result } = ok(await client("GET", `/integrated-account?environment_integration_id=${installed.id}&status=validation_error`), 200);
    return call("GET", "/custom/ships", undefined, {}, { account: result[0] });
  }],
  ["account.connecting", "a call to an account whose validation is still running", async () => {
    const { installed } = await scripted.install({ resources: {}, actions: { validation: { type: "request", config: { path: "/slow" } } } }, { name: "slow" });
    scripted.answers.set("/slow", () => ({ status: 200, body: {}, delayMs: 1_500 }));
    const filled = linkToken(environment, { integration: "slow" }).then((link) => fillIn(link, { values: { api_key: "k" } }));
    const early = await eventually(async () => {
      const { result } = ok(await client("GET", `/integrated-account?environment_integration_id=${installed.id}&status=connecting`), 200);
      assert.equal(result.length, 1);
      return call("GET", "/custom/ships", undefined, {}, { account: result[0] });
    });
    await filled;
    return early;
  }],
  ["account.not_refreshable", "an API key is refreshed", () => client("POST", "/integrated-account/refresh-credentials", { id: scripted.account.id })],
  ["account.install_disabled", "a call while the install is disabled", async () => {
    const { installed, account } = await scripted.install({ resources: {} }, { name: "disabled" });
    ok(await client("PATCH", `/environment-integration/${installed.id}`, { is_enabled: false }), 200);
    return call("GET", "/custom/ships", undefined, {}, { account });
  }],
  ["account.context_value", "a method whose header needs `team`, which the account does not have", () => call("GET", "/proxy/odd/1")],
  ["caller.length_required", "a file of 100 KB is uploaded without a `content-length`", async () => {
    const account = ok(await fileServer({}), 201);
    const pieces = ReadableStream.from([Buffer.alloc(50_000), Buffer.alloc(50_000)]);
    return scripted.call("PUT", "/proxy/files/a", pieces, {}, { account });
  }],
  ["account.host_key_missing", "an account of `sftp` is imported without the key of its server", () => fileServer({ host_key: null })],
  ["account.host_key_mismatch", "an account of `sftp` is imported with another key than the server presents", () => fileServer({ host_key: OTHER_KEY })],
  ["integration.invalid", "a template makes a header over 16 KiB", () => call("POST", "/proxy/big", { t: "x".repeat(17 * 1024) })],
  ["integration.secret_unbound", "a call after the file sends a secret of an install in another header, too", async () => {
    const { installed, account } = await scripted.install({ headers: { "x-key": "{{environment_variables.key:undefined}}" }, resources: {} }, { name: "moved" });
    ok(await client("PATCH", `/environment-integration/${installed.id}`, { override: { secret_environment_variables: { key: "k" } } }), 200);
    const { version } = ok(await admin("GET", "/integration/moved"), 200);
    ok(await admin("PATCH", "/integration/moved", { version, config: { headers: { "x-copy": "{{environment_variables.key}}" } } }), 200);
    return call("GET", "/custom/ships", undefined, {}, { account });
  }],
  ["integration.override_refused", "a call after the file names another host, which an API token's override holds on to", async () => {
    const { installed, account } = await scripted.install({ resources: {} }, { name: "held" });
    const { version, config } = ok(await admin("GET", "/integration/held"), 200);
    ok(await client("PATCH", `/environment-integration/${installed.id}`, { override: { base_url: config.base_url } }), 200);
    ok(await admin("PATCH", "/integration/held", { version, config: { base_url: `${config.base_url}/v2` } }), 200);
    return call("GET", "/custom/ships", undefined, {}, { account });
  }],
  ["integration.expression_failed", "an `authorization.expression` that gives no headers", () => call("POST", "/proxy/odd", {})],
  ["integration.transform_failed", "a replay of a webhook that the file still cannot read", async () => {
    const { account, secret } = await webhookAccount(gateway, environment, { name: "webhook-sender-broken", change: (webhook) => (webhook.payload_transform = '$error("no")') });
    await send(gateway, accountUrl(account), standardRequest(secret, { type: "wave" }));
    const [{ id }] = await eventually(async () => {
      const failed = await received(environment, account, { status: "failed" });
      assert.equal(failed.length, 1);
      return failed;
    });
    return client("POST", `/event/${id}/replay`);
  }],
  ["integration.unsupported", "an action of more than 50 steps", () => call("POST", "/proxy/_/many")],
  ["provider.rejected", "the provider answers 404", () => ship({ status: 404, body: { message: "no such ship" } })],
  ["provider.failed", "the provider answers 500", () => ship({ status: 500, body: { message: "sunk" } })],
  ["provider.rate_limited", "the provider answers 429", async () => {
    scripted.answers.set("/ships/1", () => ({ status: 429, headers: { "retry-after": "60" }, body: {} }));
    return call("GET", "/proxy/ships/1", undefined, { "x-max-retries": "0" }, { account: await scripted.another() });
  }],
  ["provider.error_in_body", "the provider answers 200 with an error, as `error_expression` finds", () => ship({ body: { ok: false } })],
  ["provider.unreachable", "the connection breaks", () => ship("dropped")],
  ["provider.token_endpoint", "the token endpoint answers 503, again and again", async () => {
    const fields = [{ name: "client_id", type: "text" }, { name: "client_secret", type: "password" }];
    const oauth = { format: "oauth2_client_credentials", config: { client: { id: "{{client_id}}", secret: "{{client_secret}}" }, auth: { tokenHost: scripted.url, tokenPath: "/token" }, fields } };
    scripted.answers.set("/token", () => ({ status: 503, body: {} }));
    const context = { client_id: "a", client_secret: "b", oauth: { token: { access_token: "old", expires_at: "2020-01-01T00:00:00.000Z" } } };
    const { account } = await scripted.install({ credentials: { oauth2_client_credentials: oauth }, authorization: { format: "bearer" } }, { name: "tokens", context, authentication_method: "oauth2_client_credentials" });
    return call("GET", "/custom/ships", undefined, {}, { account });
  }],
  ["provider.timeout", "no answer within `x-timeout-ms`", () => ship("silent", { "x-timeout-ms": "300" })],
  ["provider.answer_too_large", "a list of more than 8 MiB", () => ship({ body: `{"data":["${"x".repeat(8 * 1024 * 1024)}"]}` }, {}, "/proxy/ships")],
  ["provider.unexpected_answer", "a list that is not JSON", () => ship({ body: "<html>" }, {}, "/proxy/ships")],
  ["provider.redirect_needs_body", "a redirect (307) of a write whose body was streamed", () => {
    scripted.answers.set("/ships", () => ({ status: 307, headers: { location: "/api-key" } }));
    return call("POST", "/proxy/ships", ReadableStream.from([Buffer.from("{}")]));
  }],
  ["provider.redirect_refused", "a redirect that never ends", () => ship({ status: 302, headers: { location: "/ships/1" } })],
  ["internal.busy", "a fifth call of an account, while four wait for the provider", async () => {
    const account = await scripted.another();
    scripted.answers.set("/ships/1", () => ({ body: {}, delayMs: 1_500 }));
    const before = scripted.at("/ships/1").length;
    const four = Array.from({ length: 4 }, () => call("GET", "/proxy/ships/1", undefined, {}, { account }));
    await eventually(() => assert.equal(scripted.at("/ships/1").length, before + 4));
    const fifth = await call("GET", "/proxy/ships/1", undefined, { "x-timeout-ms": "300" }, { account });
    await Promise.all(four);
    return fifth;
  }],
  ["internal.storage", "a write under way while the account's object restarts", async () => {
    restarting = "POST /proxy/ships";
    try {
      return await call("POST", "/proxy/ships", {});
    } finally {
      restarting = undefined;
    }
  }],
  ["caller.rate_limited", "more calls than ACCOUNT_RATE in 10 s", async () => {
    await gateway.restart({ vars: { ACCOUNT_RATE: "1" } });
    await ship({ body: {} });
    const refused = await ship({ body: {} }, { "x-timeout-ms": "300" });
    await gateway.restart({ vars: { ACCOUNT_RATE: "0" } });
    return refused;
  }],
  ["integration.upstream_refused", "a private address, where the operator has not allowed it", async () => {
    await gateway.restart({ vars: { ALLOW_PRIVATE_UPSTREAMS: "false" } });
    const refused = await ship({ body: {} });
    await gateway.restart({ vars: { ALLOW_PRIVATE_UPSTREAMS: "true" } });
    return refused;
  }],
  ["internal.sftp_missing", "an account of `sftp` is imported, and the gateway has no service binding `SFTP`", async () => {
    gateway.sftp = undefined;
    await gateway.restart();
    const refused = await fileServer({});
    gateway.sftp = fakeSftp;
    await gateway.restart();
    return refused;
  }],
  ["internal.sealing_key", "a call after the key that sealed the account was dropped from SEALING_KEYS", async () => {
    const { SEALING_KEYS } = gateway.vars;
    await gateway.restart({ vars: { SEALING_KEYS: randomSealingKey() } });
    // A token would end with the key that signed it, too.
    const refused = await admin("GET", `/proxy/ships/1?integrated_account_id=${scripted.account.id}`);
    await gateway.restart({ vars: { SEALING_KEYS } });
    return refused;
  }],
];

/** code → `{status, message}` as a caller saw them. */
const seen = new Map();

for (const [code, what, make] of ROWS) {
  test(`${code}: ${what}`, async () => {
    scripted.answers.clear();
    const answer = await make();
    const error = assertError(answer, answer.status, code);
    assert.equal(error.is_remote_error === true, "raw_response" in error);
    if ([429, 503].includes(answer.status) && !error.is_remote_error) assert.ok(Number(answer.headers.get("retry-after")) > 0, "retry-after");
    const documented = (await documentedCodes()).get(code);
    assert.ok(documented, `${code} is not in docs/errors.md`);
    if (!KEEP_STATUS.includes(code)) assert.equal(answer.status, documented);
    seen.set(code, { what, status: answer.status, message: steady(error.message), isRemote: error.is_remote_error === true });
  });
}

test("every code of docs/errors.md has a row here, or a reason why it cannot", async () => {
  const rows = ROWS.map(([code]) => code);
  const missing = [...(await documentedCodes()).keys()].filter((code) => !rows.includes(code) && !(code in UNREACHABLE));
  assert.deepEqual(missing, []);
  assert.deepEqual(rows.filter((code) => code in UNREACHABLE), []);
});

test("docs/error-answers.md says what was seen", async (context) => {
  const codes = [...(await documentedCodes()).keys()];
  if (codes.some((code) => !seen.has(code) && !(code in UNREACHABLE))) return context.skip("not every row was made");
  const file = path.join(DOCS, "error-answers.md");
  const text = document(codes);
  if (process.env.UPDATE) await writeFile(file, text);
  assert.equal(await readFile(file, "utf8").catch(() => ""), text, "run `make fix`");
});

/** code → its status in docs/errors.md. */
async function documentedCodes() {
  const rows = (await readFile(path.join(DOCS, "errors.md"), "utf8")).matchAll(/^\| `([a-z_.]+)` \| (\d{3}) \|/gm);
  return new Map([...rows].map(([, code, status]) => [code, Number(status)]));
}

/** What differs from run to run is named. */
const steady = (message) =>
  message
    .replace(/http:\/\/127\.0\.0\.1:\d+/g, "https://provider.example")
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "…")
    .replaceAll("|", "\\|");

function document(codes) {
  const row = (code) => {
    const { what, status, message, isRemote } = seen.get(code);
    return `| \`${code}\` | ${what} | ${status}${isRemote ? ", the provider's" : ""} | ${message} |`;
  };
  const part = (who) => {
    const rows = codes.filter((code) => code.startsWith(`${who}.`) && seen.has(code)).map(row);
    return `## \`${who}.\`: ${WHO[who]}\n\n| code | for example | status | what the caller reads |\n|---|---|---|---|\n${rows.join("\n")}\n`;
  };
  const reasons = Object.entries(UNREACHABLE).map(([code, reason]) => `- \`${code}\`: ${reason}.`);
  return `# Who must act

Written from real requests by \`UPDATE=1 make worker-test TESTS=tests/worker/error-table.test.mjs\`; what each code means is in
[errors.md](errors.md). An error of the provider also has \`is_remote_error: true\` and its answer in \`raw_response\`.

${Object.keys(WHO).map(part).join("\n")}
## Not here

${reasons.join("\n")}
`;
}
