// The steps every story of these tests begins with.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { plant } from "./canaries.mjs";

/** The text of tests/worker/integrations/<name>.json. */
export const integrationFile = (name) => readFile(path.join(import.meta.dirname, "integrations", `${name}.json`), "utf8");

/** `{id, token, call}` of a new environment and an API token for all of it. */
export async function newEnvironment(gateway, name) {
  const environment = ok(await gateway.admin("POST", "/environment", { name }), 201);
  const { token } = ok(await gateway.admin("POST", "/api-token", { environment_id: environment.id, name: "tests" }), 201);
  plant("an API token", token);
  return { id: environment.id, token, call: gateway.as(token) };
}

/** Publishes a test integration and installs it: the install. */
export async function install(gateway, environment, name) {
  ok(await gateway.admin("PUT", `/integration/${name}`, await integrationFile(name)), 200, 201);
  return ok(await environment.call("POST", "/environment-integration", { integration_name: name }), 200, 201);
}

/** Imports credentials without lifecycle actions: the account. */
export async function importAccount(environment, installed, context, more = {}) {
  const account = { tenant_id: "tenant-1", environment_integration_id: installed.id, authentication_method: "api_key", context, run_actions: false, ...more };
  return ok(await environment.call("POST", "/integrated-account", account), 201);
}

/** An environment, the API with a key installed in it, one account with this key. */
export async function apiKeyAccount(gateway, apiKey = "key-1") {
  const environment = await newEnvironment(gateway, `api-key-${randomUUID()}`);
  const installed = await install(gateway, environment, "api-key");
  const account = await importAccount(environment, installed, { api_key: apiKey });
  return { environment, installed, account };
}

/** What the check gives, once it does not throw any more; a condition is for `untilTrue`. Alarms ring when they do. */
export async function eventually(check, seconds = 20) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    let outcome;
    try {
      outcome = await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
      continue;
    }
    assert.notEqual(typeof outcome, "boolean", `a check throws, it does not return a boolean: ${check}`);
    return outcome;
  }
}

/** Waits until this holds, at most 15 s. */
export const untilTrue = (holds) => eventually(async () => assert.ok(await holds(), `not within 15 s: ${holds}`), 15);

/** The body of an answer that must have one of these statuses. */
export function ok(answer, ...statuses) {
  assert.ok(statuses.includes(answer.status), `expected ${statuses.join(" or ")}, got ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** Checks the one error envelope, and returns it. `code` may be a prefix that ends with a dot. */
export function assertError(answer, status, code) {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  const { statusCode, error, message, request_id } = answer.body;
  assert.equal(statusCode, status);
  assert.equal(typeof error, "string");
  assert.ok(message.length > 0);
  assert.equal(request_id, answer.headers.get("x-request-id"));
  const matches = code.endsWith(".") ? answer.body.code.startsWith(code) : answer.body.code === code;
  assert.ok(matches, `expected code ${code}, got ${answer.body.code}: ${message}`);
  return answer.body;
}
