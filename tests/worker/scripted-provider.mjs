// A provider whose answers the test says, and an account at it: for what a caller sees of limits, retries and odd bodies.
//
//   const scripted = await startScriptedProvider({ vars });
//   scripted.answers.set("/ships", (request, n) => ({ status: 503 }));      // the nth request there, from 1; others get {}
//   await scripted.call("GET", "/proxy/ships");                             // { status, headers, body, text }
//   scripted.requests                                                       // { method, path, url, query, headers, body, at }
//
// An answer: `{status, headers, body, delayMs}`, the body a text, bytes or JSON; "dropped" breaks the connection, "silent"
// gives none; a function is called with the response and does what it likes.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { parsed, start } from "./harness.mjs";
import { importAccount, newEnvironment, ok } from "./steps.mjs";

const CREDENTIALS = { format: "api_key", config: { fields: [{ name: "api_key", label: "Key", type: "password" }] } };

/** `config` is merged over the least that a file needs; it may be a function of the provider's URL. */
export async function startScriptedProvider({ config = {}, ...options } = {}) {
  const scripted = new ScriptedProvider();
  await scripted.open(config, options);
  return scripted;
}

class ScriptedProvider {
  requests = [];
  answers = new Map();
  #server;

  async open(config, options) {
    this.#server = createServer({ maxHeaderSize: 256 * 1024 }, (request, response) => this.#receive(request, response));
    // workerd sends a request that is idempotent and has no body once more by itself when a connection breaks that it had used
    // before (RFC 9110 section 9.2.2 allows it). Here every connection is new, so that what is counted is ours.
    this.#server.maxRequestsPerSocket = 1;
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
    this.gateway = await start({ internet: "real", ...options });
    this.environment = await newEnvironment(this.gateway, "scripted");
    Object.assign(this, await this.install(typeof config === "function" ? config(this.url) : config));
  }

  /** A file with this config, installed, and one account of it: `{installed, account}`; more is of the account. */
  async install(config, { name = `scripted-${randomUUID().slice(0, 8)}`, context = { api_key: "key-1" }, ...more } = {}) {
    const whole = { base_url: this.url, credentials: CREDENTIALS, authorization: { format: "header", config: { name: "x-key", value: "{{api_key}}" } }, ...config };
    ok(await this.gateway.admin("PUT", `/integration/${name}`, { name, config: whole }), 200, 201);
    const installed = ok(await this.environment.call("POST", "/environment-integration", { integration_name: name }), 201);
    return { installed, account: await importAccount(this.environment, installed, context, more) };
  }

  /** One more account of the same install. */
  another = (context = { api_key: "key-2" }) => importAccount(this.environment, this.installed, context);

  /** A call as it is: the response. `account` may be another's. */
  through(method, path, body, headers = {}, { account = this.account, ...init } = {}) {
    const target = `${path}${path.includes("?") ? "&" : "?"}integrated_account_id=${account.id}`;
    const isStream = body instanceof ReadableStream;
    const content = body === undefined || typeof body === "string" || isStream || ArrayBuffer.isView(body) ? body : JSON.stringify(body);
    const type = content === undefined ? {} : { "content-type": "application/json" };
    const all = { authorization: `Bearer ${this.environment.token}`, ...type, ...headers };
    return this.gateway.fetch(target, { method, body: content, headers: all, ...(isStream && { duplex: "half" }), ...init });
  }

  /** The same, read: `{status, headers, body, text}`. */
  async call(...request) {
    const response = await this.through(...request);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: parsed(text) };
  }

  /** Requests that came to a path. */
  at = (path) => this.requests.filter((request) => request.path === path);

  /** Forgets what came, and what was to be answered. */
  clear() {
    this.requests.length = 0;
    this.answers.clear();
  }

  async stop() {
    await this.gateway?.stop();
    this.#server?.closeAllConnections();
    this.#server?.close();
  }

  async #receive(request, response) {
    const { method, url, headers } = request;
    const { pathname: path, searchParams: query } = new URL(url, this.url);
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return; // cut in the middle, as by a kill
    }
    const entry = { method, path, url, query, headers, body: Buffer.concat(chunks), at: Date.now() };
    this.requests.push(entry);
    const answer = (await this.answers.get(path)?.(entry, this.at(path).length)) ?? { body: {} };
    if (answer === "silent") return;
    if (answer === "dropped") return void request.socket.destroy();
    if (typeof answer === "function") return void answer(response);
    const { status = 200, headers: fields = {}, body = "", delayMs = 0 } = answer;
    if (delayMs) await sleep(delayMs, undefined, { ref: false });
    const isContent = typeof body === "string" || ArrayBuffer.isView(body);
    response.writeHead(status, { ...(body === "" ? {} : { "content-type": "application/json" }), ...fields }).end(isContent ? body : JSON.stringify(body));
  }
}
