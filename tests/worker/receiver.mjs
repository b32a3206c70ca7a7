// A company's endpoint: what the gateway delivers arrives here, and each delivery is checked by the `standardwebhooks` library.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";
import { look } from "./canaries.mjs";
import { eventually } from "./steps.mjs";

/**
 * `{url, requests, close(), open(), stop(), …}`; `answer(request, n)` says what the nth delivery gets:
 * `{status, headers, body, delayMs}`, or "silent" for nothing at all.
 */
export async function startReceiver(answer = () => ({})) {
  const receiver = new Receiver(answer);
  await receiver.open();
  return receiver;
}

class Receiver {
  /** Every request: `{path, headers, text, body, at, status, endedAt}`. */
  requests = [];
  /** The most that were unanswered at a time. */
  atOnce = 0;
  #open = 0;
  #port = 0;
  #server;

  constructor(answer) {
    this.answer = answer;
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens (again), always on the same port. */
  async open() {
    this.#server = createServer((request, response) => this.#receive(request, response));
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = this.#server.address().port;
  }

  /** Stops listening, as while a company's server is down. */
  async close() {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  stop() {
    return this.close();
  }

  /** Those for a path, or for an event. */
  of = (path) => this.requests.filter((request) => request.path === path);
  events = (id) => this.requests.filter((request) => request.body.id === id);

  /** Waits until so many came for this path; returns them. */
  came(path, count, seconds) {
    return eventually(() => {
      const requests = this.of(path);
      assert.ok(requests.length >= count, `${requests.length} of ${count} deliveries came`);
      return requests;
    }, seconds);
  }

  async #receive(request, response) {
    const text = await textOf(request);
    if (text === undefined) return;
    const { url: path, headers, method } = request;
    const entry = { path, method, headers, text, body: JSON.parse(text || "null"), at: Date.now() };
    look("delivered", Buffer.from(JSON.stringify(headers) + text), `a delivery to ${path}`);
    this.requests.push(entry);
    this.atOnce = Math.max(this.atOnce, ++this.#open);
    response.on("close", () => {
      this.#open -= 1;
      entry.endedAt = Date.now();
    });
    const said = this.answer(entry, this.requests.length);
    if (said === "silent") return;
    const { status = 200, headers: answered = {}, body = "", delayMs = 0 } = said;
    if (delayMs) await new Promise((resolve) => setTimeout(resolve, delayMs));
    entry.status = status;
    response.writeHead(status, answered).end(body);
  }
}

/** Nothing for a request that was cut, as by a kill. */
async function textOf(request) {
  const chunks = [];
  try {
    for await (const chunk of request) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  } catch {
    return undefined;
  }
}

/** Fails unless the delivery is signed with this secret, and is what Standard Webhooks and our contract say. */
export function assertDelivery(request, { secret }) {
  const { headers, text, body } = request;
  assert.deepEqual(new Webhook(secret).verify(text, headers), body);
  assert.equal(headers["webhook-id"], body.id);
  assert.equal(headers["content-type"], "application/json");
  assert.match(headers["user-agent"], /^causeway\/\d/);
  for (const key of ["id", "event", "environment_id", "integrated_account_id", "created_at", "webhook_id"]) assert.equal(typeof body[key], "string", key);
  assert.ok("payload" in body);
}
