// The playground of `make dev`: a provider on loopback (scripts/playground/), its integration, an environment `dev` with a token and an
// account, and commands that can be pasted. It is no part of a deployment.

import { createHash, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { CLIENT } from "./playground/oauth.mjs";
import { API_KEY, WEBHOOK_SECRET, startProvider } from "./playground/provider.mjs";

const FILE = path.join(import.meta.dirname, "playground/playground.json");
const WRITTEN_FOR = "http://127.0.0.1:8788";
const ENVIRONMENT = "dev";
const HEADERS = `-H 'content-type: application/json'`;

/**
 * Starts the provider and makes what is missing: the lines to print. `state`: a folder that keeps the token, and `playground.env`, which a
 * shell reads. `port`: the provider's, or a free one where it is taken.
 */
export async function startPlayground({ url, admin, state, port }) {
  const place = path.join(state, "playground.json");
  const kept = await readFile(place, "utf8").then(JSON.parse).catch(() => ({}));
  kept.secret ??= randomBytes(32).toString("hex");
  const provider = await startProvider({ port, secret: kept.secret }).catch(() => startProvider({ secret: kept.secret }));
  const call = caller(url);
  const isNew = await publish(call, admin, kept, provider.url);
  if (isNew || !(await isUsable(call, kept))) await make(call, admin, kept);
  kept.tools = await tools(call, kept);
  await writeFile(place, JSON.stringify(kept), { mode: 0o600 });
  const shell = { api: url, token: kept.token, account: kept.account, playground: provider.url, playground_key: API_KEY, mcp: kept.tools.url };
  await writeFile(path.join(state, "playground.env"), Object.entries(shell).map(([name, value]) => `${name}='${value}'\n`).join(""), { mode: 0o600 });
  return [`The playground is a provider on ${provider.url} with one account, in the environment \`${ENVIRONMENT}\` (docs/quickstart.md).`, ...(await lines(call, kept, url))];
}

/** Calls of the gateway: `call(token, method, path, body)` → `{status, answer}`; `ok` throws what is not 2xx. */
function caller(url) {
  const call = async (token, method, resource, body) => {
    const response = await fetch(url + resource, { method, headers: { authorization: `Bearer ${token}`, "content-type": "application/json" }, body: body && JSON.stringify(body) });
    return { status: response.status, answer: await response.json() };
  };
  call.ok = async (...request) => {
    const { status, answer } = await call(...request);
    if (status >= 300) throw new Error(`${request[1]} ${request[2]}: ${status} ${answer.code}: ${answer.message}`);
    return answer;
  };
  return call;
}

/** Publishes the file for this address of the provider; whether the gateway had another one. */
async function publish(call, admin, kept, provider) {
  const text = (await readFile(FILE, "utf8")).replaceAll(WRITTEN_FOR, provider);
  const digest = createHash("sha256").update(text).digest("hex");
  const { answer } = await call(admin, "GET", "/integration/playground");
  if (kept.digest === digest && kept.version === answer.version) return false;
  ({ version: kept.version } = await call.ok(admin, "PUT", "/integration/playground", JSON.parse(text)));
  kept.digest = digest;
  return true;
}

/** Whether the token of the last start can still call the account. */
async function isUsable(call, { token, account }) {
  if (!token) return false;
  return (await call(token, "GET", `/proxy/contacts?limit=1&integrated_account_id=${account}`)).status === 200;
}

/** What is missing. Secrets are bound to where they are sent, so a new file needs them again. */
async function make(call, admin, kept) {
  const { result } = await call.ok(admin, "GET", `/environment?name=${ENVIRONMENT}`);
  const environment = result[0] ?? (await call.ok(admin, "POST", "/environment", { name: ENVIRONMENT, display_name: "Your product" }));
  if (!kept.token || (await call(kept.token, "GET", "/api-token")).status !== 200) {
    ({ token: kept.token } = await call.ok(admin, "POST", "/api-token", { environment_id: environment.id, name: "make dev" }));
  }
  const override = { environment_variables: { client_id: CLIENT.id }, secret_environment_variables: { client_secret: CLIENT.secret, webhook_secret: WEBHOOK_SECRET } };
  const installed = await call.ok(kept.token, "POST", "/environment-integration", { integration_name: "playground" });
  // With the admin token: an API token may not say which secrets a client has.
  await call.ok(admin, "PATCH", `/environment-integration/${installed.id}?environment_id=${environment.id}`, { override });
  if (await isUsable(call, kept)) return;
  const account = { tenant_id: "acme", environment_integration_id: installed.id, authentication_method: "api_key", context: { api_key: API_KEY } };
  const made = await call.ok(kept.token, "POST", "/integrated-account", account);
  if (made.status !== "active") throw new Error(`The playground's account is ${made.status}: ${made.last_error}`);
  kept.account = made.id;
  delete kept.tools;
}

/** An MCP server of the account's tools, `{id, url}`; its URL is shown once, so it is kept. */
async function tools(call, { token, account, tools: known }) {
  const at = `/integrated-account/${account}/mcp`;
  if (known && (await call(token, "GET", `${at}/${known.id}`)).status === 200) return known;
  const { id, url } = await call.ok(token, "POST", at, { name: "make dev" });
  return { id, url };
}

async function lines(call, { token, account, tools: server }, url) {
  const { url: link } = await call.ok(token, "POST", "/link-token", { tenant_id: "me", integration: "playground" });
  const ask = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "list_all_playground_contacts", arguments: { limit: 2 } } });
  return [
    `  Token        ${token}`,
    `  A list       curl -H 'authorization: Bearer ${token}' '${url}/proxy/contacts?integrated_account_id=${account}&limit=2'`,
    `  Connect      ${link}`,
    `  A tool       curl ${HEADERS} -H 'accept: application/json, text/event-stream' ${server.url} -d '${ask}'`,
  ];
}
