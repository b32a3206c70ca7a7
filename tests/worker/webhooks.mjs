// The steps of the webhook tests: accounts that receive, requests as they go over the wire, and what is stored of them.

import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { connect } from "node:net";
import path from "node:path";
import { Webhook } from "standardwebhooks";
import { parsed } from "./harness.mjs";
import { importAccount, integrationFile, ok } from "./steps.mjs";

const ROOT = path.join(import.meta.dirname, "../..");
const CASES = path.join(ROOT, "tests/cases/webhooks");
const json = async (file) => JSON.parse(await readFile(file, "utf8"));

/** A secret of Standard Webhooks. */
export const newSecret = () => `whsec_${randomBytes(32).toString("base64")}`;

// Files

/**
 * Every case of tests/cases/webhooks: `{name, story, webhook, fields}`. `webhook` is the shipped file's where the case names one, and
 * `fields` what a form asks for the names of its context: as the shipped file declares them, for expressions do not see a password.
 */
export async function webhookCases() {
  const files = (await readdir(CASES)).filter((file) => file.endsWith(".json")).sort();
  return Promise.all(files.map(async (file) => {
    const story = await json(path.join(CASES, file));
    const { webhook, credentials = {} } = story.webhook ? story : (await shippedFile(story.integration)).config;
    const declared = fieldsOf(credentials);
    const fields = Object.keys(story.context).map((name) => declared.find((field) => field.name === name) ?? name);
    return { name: path.basename(file, ".json"), story, webhook, fields };
  }));
}

/** Every field that the forms of a file ask for. */
export const fieldsOf = (credentials) => Object.values(credentials).flatMap(({ config }) => config?.fields ?? []);

/** integrations/<name>.json; while there is none, a file around the case of that name. */
export async function shippedFile(name) {
  const file = path.join(ROOT, "integrations", `${name}.json`);
  if (existsSync(file)) return json(file);
  return fileAround(name, (await json(path.join(CASES, `${name}.json`))).webhook);
}

/** A file with this `webhook` and the least else; of `fields` a bare name is a password. */
export function fileAround(name, webhook, fields = []) {
  const asField = (field) => (typeof field === "string" ? { name: field, label: field, type: "password" } : field);
  const all = ["api_key", ...fields].map(asField);
  return { name, config: { label: name, base_url: "https://api.example.com", credentials: { api_key: { format: "api_key", config: { fields: all } } }, webhook } };
}

/** Where a file takes a value from (`{{a|environment_variables.b}}`), with this value there: `{context, variables}`. */
export function placed(template, value) {
  const names = /^\{\{([^}]*)\}\}$/.exec(template)?.[1].split("|") ?? assert.fail(`not a placeholder: ${template}`);
  const of = (isOfInstall) => names.find((name) => name.startsWith("environment_variables.") === isOfInstall);
  const key = of(true)?.slice("environment_variables.".length);
  return { context: of(false) ? { [of(false)]: value } : {}, variables: key ? { [key]: value } : {} };
}

// Accounts

/** Publishes a file and installs it: the install. `variables` are secret ones of the install. */
export async function installFile(gateway, environment, file, variables) {
  ok(await gateway.admin("PUT", `/integration/${file.name}`, file), 200, 201);
  const override = variables && { secret_environment_variables: variables };
  return ok(await environment.call("POST", "/environment-integration", { integration_name: file.name, override }), 200, 201);
}

/** An account of an install that is like the form would make it, with any credential. */
export function importInto(environment, installed, file, context, more = {}) {
  const { credentials } = file.config;
  const method = "api_key" in credentials ? "api_key" : Object.keys(credentials)[0];
  const secrets = method === "api_key" ? { api_key: "key-1" } : { oauth: { token: { access_token: "token-1", token_type: "Bearer" } } };
  return importAccount(environment, installed, { ...secrets, ...context }, { authentication_method: method, ...more });
}

/** The webhook sender (integrations/webhook-sender.json) and one account of it, which signs with `secret`. `name` and `change` make another file of it. */
export async function webhookAccount(gateway, environment, { name = "webhook-sender", change = () => {} } = {}) {
  const file = { ...JSON.parse(await integrationFile("webhook-sender")), name };
  change(file.config.webhook);
  const installed = await installFile(gateway, environment, file);
  const secret = newSecret();
  const account = await importInto(environment, installed, file, { webhook_secret: secret });
  return { file, installed, account, secret };
}

/** The path of what an answer gives as `webhook_url`; of what was never made, an invented one. */
export const accountUrl = ({ id, webhook_url }) => (webhook_url ? new URL(webhook_url).pathname : `/integrated-account-webhook/${id}`);
export const installUrl = ({ id, webhook_url }) => (webhook_url ? new URL(webhook_url).pathname : `/environment-integration-webhook/${id}`);

// Requests

/** What the `standardwebhooks` library would send: `{headers, body}`. */
export function standardRequest(secret, event, { id = `msg_${randomUUID()}`, at = new Date() } = {}) {
  const body = JSON.stringify(event);
  const signature = new Webhook(secret).sign(id, at, body);
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  return { headers: { "content-type": "application/json", "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature }, body };
}

/** Posts a request to a path of the gateway: `{status, headers, body}`. */
export async function send(gateway, pathAndQuery, { method = "POST", headers, body }) {
  const response = await gateway.fetch(pathAndQuery, { method, headers, body: method === "GET" ? undefined : body });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: parsed(text) };
}

/** Sends what the webhook sender sends: the id of the stored event. */
export async function sendEvent(gateway, { account, secret }, event, options) {
  const { id } = ok(await send(gateway, accountUrl(account), standardRequest(secret, event, options)), 200);
  assertEventId(id, account);
  return id;
}

/**
 * Sends a request as its lines say it, a header twice where it is there twice: `{status, headers, text, body}`; no status
 * where the connection ended without an answer. `headers` are `[name, value]`s; texts go out as Latin-1.
 */
export function wire(gateway, { method = "POST", path: target, headers = [], body = "", timeoutMs = 20_000 }) {
  const content = Buffer.from(body);
  const lines = [["host", gateway.url.host], ["connection", "close"], ["content-length", String(content.length)], ...headers];
  const head = `${method} ${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;
  return wireBytes(gateway, Buffer.concat([Buffer.from(head, "latin1"), content]), timeoutMs);
}

/** The same for bytes that need be no HTTP at all. */
export function wireBytes(gateway, bytes, timeoutMs = 20_000) {
  const { promise, resolve, reject } = Promise.withResolvers();
  const pieces = [];
  const socket = connect(Number(gateway.url.port), gateway.url.hostname, () => socket.write(bytes));
  socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer after ${timeoutMs} ms to ${bytes.toString("latin1").slice(0, 200)}`)));
  socket.on("data", (piece) => pieces.push(piece));
  // Who refuses early closes while we still write; what it had answered counts.
  socket.on("error", (error) => (["EPIPE", "ECONNRESET"].includes(error.code) ? resolve(answerOf(Buffer.concat(pieces))) : reject(error)));
  socket.on("close", () => resolve(answerOf(Buffer.concat(pieces))));
  return promise;
}

function answerOf(bytes) {
  const [head, ...rest] = bytes.toString("latin1").split("\r\n\r\n");
  const [first, ...lines] = head.split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1]) || undefined;
  const headers = new Headers(lines.map((line) => line.split(/:\s*(.*)/s).slice(0, 2)));
  const sent = rest.join("\r\n\r\n");
  const text = Buffer.from(headers.get("transfer-encoding") === "chunked" ? unchunked(sent) : sent, "latin1").toString();
  return { status, headers, text, body: parsed(text) };
}

function unchunked(text) {
  const length = Number.parseInt(text, 16);
  const start = text.indexOf("\r\n") + 2;
  return length > 0 ? text.slice(start, start + length) + unchunked(text.slice(start + length + 2)) : "";
}

// Events

/** The shape of an event's id, which names its account. */
export function assertEventId(id, { id: account }) {
  assert.match(id, /^evt_[0-9a-f]{32}_[0-9a-f]{16}$/);
  assert.equal(id.split("_")[1], account.replaceAll("-", ""));
}

/** Every event of an account, newest first. */
export async function eventsOf(environment, { id }, filters = {}) {
  const found = [];
  const query = new URLSearchParams({ integrated_account_id: id, limit: "1000", ...filters });
  for (;;) {
    const { result, next_cursor } = ok(await environment.call("GET", `/event?${query}`), 200);
    found.push(...result);
    if (!next_cursor) return found;
    query.set("next_cursor", next_cursor);
  }
}

/** Those that webhooks brought, without what happened to the account itself. */
export async function received(environment, account, filters) {
  const events = await eventsOf(environment, account, filters);
  return events.filter(({ event }) => !event.startsWith("integrated_account:"));
}

/** An event with its payload, deliveries and attempts. */
export const eventDetail = async (environment, id) => ok(await environment.call("GET", `/event/${id}`), 200);
