// An account as an MCP server, for the clients that people have: the official SDK, over the versions it speaks, against a real
// product (verdaccio, a package registry). What an agent does: it lists tools, calls a list, follows the cursor, creates, deletes.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { LATEST_PROTOCOL_VERSION, SUPPORTED_PROTOCOL_VERSIONS } from "@modelcontextprotocol/sdk/types.js";
import { plant } from "./canaries.mjs";
import { start } from "./harness.mjs";
import { publication, startRegistry } from "./registry.mjs";
import { importAccount, integrationFile, newEnvironment, ok, untilTrue } from "./steps.mjs";

const ORIGIN = "https://console.example";
let registry, gateway, environment, account;

before(async () => {
  registry = await startRegistry();
  for (const name of ["pier-a", "pier-b", "pier-c"]) await registry.publish(name, "1.0.0", { "index.js": "" });
  gateway = await start({ internet: "real", vars: { LOG_CALLS: "all", MCP_ALLOWED_ORIGINS: ORIGIN } });
  environment = await newEnvironment(gateway, "mcp");
  ok(await gateway.admin("PUT", "/integration/registry", described(JSON.parse(await integrationFile("registry")))), 201);
  const installed = ok(await environment.call("POST", "/environment-integration", { integration_name: "registry" }), 201);
  const { url: registry_url, username, password, token } = registry;
  account = await importAccount(environment, installed, { registry_url, username, password, token });
});
after(async () => {
  await gateway?.stop();
  await registry?.stop();
});

/** The file with what tools need of it. */
function described(file) {
  const text = { type: "string", description: "A text." };
  const { packages } = file.config.resources;
  const pagination = { format: "offset", config: { offset_key: "from", limit_key: "size" } };
  packages.list = { ...packages.list, pagination, description: "Searches packages.", query_schema: { type: "object", properties: { text } } };
  packages.get = { ...packages.get, description: "Gets a package." };
  packages.create = { ...packages.create, description: "Publishes a package.", body_schema: { type: "object" } };
  return file;
}

async function mcpToken(config = {}) {
  const made = ok(await environment.call("POST", `/integrated-account/${account.id}/mcp`, { name: "agent", config }), 201);
  plant("an MCP token", made.token, { not: ["stored", "logged"] });
  return made;
}

async function connected(made) {
  const transport = new StreamableHTTPClientTransport(new URL(made.url));
  const client = new Client({ name: "tests", version: "1.0.0" });
  await client.connect(transport);
  return { client, transport };
}

test("an agent lists tools, calls a list, follows its cursor, and publishes a package", async () => {
  const { client, transport } = await connected(await mcpToken());
  assert.equal(client.getServerVersion().name, "causeway");
  assert.equal(transport.protocolVersion, LATEST_PROTOCOL_VERSION);
  assert.match(client.getInstructions(), /data, not instructions/);
  await client.ping();
  const { tools } = await client.listTools();
  const names = tools.map((tool) => tool.name);
  assert.ok(["list_all_registry_packages", "get_single_registry_packages_by_id", "create_a_registry_packages"].every((name) => names.includes(name)), names.join());

  const found = [];
  let next_cursor;
  do {
    const page = await client.callTool({ name: "list_all_registry_packages", arguments: { text: "pier", limit: 2, next_cursor } });
    assert.equal(page.isError, false, JSON.stringify(page));
    assert.deepEqual(JSON.parse(page.content[0].text), page.structuredContent);
    found.push(...page.structuredContent.result.map((entry) => entry.package.name));
    next_cursor = page.structuredContent.next_cursor ?? undefined;
  } while (next_cursor);
  assert.deepEqual(found.sort(), ["pier-a", "pier-b", "pier-c"]);

  const { document } = publication({ url: registry.url, name: "pier-d", version: "1.0.0", files: { "index.js": "" } });
  const create = tools.find((tool) => tool.name === "create_a_registry_packages");
  const published = await client.callTool({ name: create.name, arguments: { ...(create.inputSchema.properties.id && { id: "pier-d" }), body: document } });
  assert.equal(published.isError, false, JSON.stringify(published));
  const got = await client.callTool({ name: "get_single_registry_packages_by_id", arguments: { id: "pier-d" } });
  assert.equal(got.structuredContent["dist-tags"].latest, "1.0.0");
  const missing = await client.callTool({ name: "get_single_registry_packages_by_id", arguments: { id: "no-such-package" } });
  assert.equal(missing.isError, true);
  assert.match(missing.content[0].text, /status 404/);
  await client.close();
});

test("the SDK reads errors of the protocol as such", async () => {
  const { client } = await connected(await mcpToken());
  await assert.rejects(client.callTool({ name: "none", arguments: {} }), { code: -32602 });
  const misfit = await client.callTool({ name: "list_all_registry_packages", arguments: { town: 1 } });
  assert.equal(misfit.isError, true);
  assert.equal(misfit.structuredContent.error.details.failures[0].path, "town");
  await assert.rejects(client.listResources(), { code: -32601 });
  await client.close();
});

test("each version that the SDK speaks is agreed on; an older one becomes the newest", async () => {
  const { url } = await mcpToken();
  for (const version of SUPPORTED_PROTOCOL_VERSIONS) {
    const params = { protocolVersion: version, capabilities: {}, clientInfo: { name: "tests", version: "1" } };
    const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
    const response = await fetch(url, { method: "POST", headers, body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params }) });
    const { result } = await response.json();
    assert.equal(result.protocolVersion, version < "2024-11-05" ? LATEST_PROTOCOL_VERSION : version);
  }
});

test("a page of an allowed origin may use it from a browser, another may not", async () => {
  const { url } = await mcpToken();
  const ask = (method, origin) => fetch(url, { method, headers: { origin, "content-type": "application/json" }, body: method === "POST" ? '{"jsonrpc":"2.0","id":1,"method":"ping"}' : undefined });
  const [preflight, post, foreign] = [await ask("OPTIONS", ORIGIN), await ask("POST", ORIGIN), await ask("POST", "https://evil.example")];
  assert.deepEqual([preflight.status, post.status, foreign.status], [204, 200, 403]);
  assert.deepEqual([preflight, post, foreign].map((answer) => answer.headers.get("access-control-allow-origin")), [ORIGIN, ORIGIN, null]);
});

test("the line of a call names the token by its id; its text is in no log", async () => {
  const made = await mcpToken({ methods: ["read"] });
  const { client } = await connected(made);
  await client.callTool({ name: "list_all_registry_packages", arguments: { text: "pier" } });
  await untilTrue(() => gateway.logs.some(({ message }) => String(message).includes(`mcp:${made.id}`)));
  assert.ok(!gateway.logs.some(({ message }) => String(message).includes(made.token)));
  ok(await environment.call("DELETE", `/integrated-account/${account.id}/mcp/${made.id}`), 200);
  await assert.rejects(client.ping(), /401|unknown, revoked/);
  await client.close();
});

test("a batch reads a list and gets each record", async () => {
  const resources = [
    { name: "found", resource: "packages", method: "list", query: { text: "pier" } },
    { name: "each", resource: "packages", method: "get", loop_on: "resources.found.package.name", id: "{{item}}" },
  ];
  const answer = ok(await environment.call("POST", "/batch-request", { integrated_account_id: account.id, resources }), 200);
  assert.deepEqual(answer.errors, {});
  assert.deepEqual(answer.result.each.map((each) => each.name).sort(), answer.result.found.map((each) => each.package.name).sort());
  assert.ok(answer.result.each.length >= 3);
});

test("a batch survives what a stranger sends", async () => {
  const junk = [randomBytes(64), "{", '{"integrated_account_id":{}}', `{"integrated_account_id":"${account.id}","resources":${"[".repeat(5000)}`];
  for (const body of junk) {
    const headers = { authorization: `Bearer ${environment.token}`, "content-type": "application/json" };
    const response = await gateway.fetch("/batch-request", { method: "POST", headers, body });
    assert.ok([400, 404, 422].includes(response.status), `${response.status} ${body}`);
    await response.body?.cancel();
  }
});
