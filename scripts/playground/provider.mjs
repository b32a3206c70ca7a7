// The provider of the playground: a small product on loopback with contacts and orders, an API key, OAuth with a consent page, pages,
// a webhook sender and a rate limit. It keeps nothing: a new start has the same records, and tokens stay valid by their signature.
//
//   const provider = await startProvider({ port: 8788, secret });     // { url, stop }

import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { authorizePage, decide, exchange, isAccessToken } from "./oauth.mjs";
import { records } from "./records.mjs";

export const API_KEY = "playground-key";
export const WEBHOOK_SECRET = "playground-webhook-secret";
const HOST = "127.0.0.1";
const LIMIT = { requests: 60, seconds: 10 };
const LARGEST_PAGE = 50;
const LARGEST_BODY = 64 * 1024;

/** `port`: 0 takes a free one. `secret`: signs codes and tokens. `limit`: requests of one credential in so many seconds. */
export async function startProvider({ port = 0, secret, limit = LIMIT }) {
  const data = records();
  const last = Object.fromEntries(Object.entries(data).map(([resource, { size }]) => [resource, size])); // numbers of ids, which are given once
  const state = { secret, limit, data, last, windows: new Map() };
  const server = createServer((request, response) => answer(state, request).catch(failed).then((reply) => send(response, reply)));
  server.listen(port, HOST);
  await once(server, "listening");
  return {
    url: `http://${HOST}:${server.address().port}`,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A refusal that a handler throws. */
class Refused extends Error {
  constructor(status, message, headers = {}) {
    super(message);
    Object.assign(this, { status, headers });
  }
}

function failed(error) {
  const status = error instanceof Refused ? error.status : 500;
  return { status, headers: error.headers, json: { error: { message: error.message } } };
}

async function answer(state, request) {
  const url = new URL(request.url, `http://${HOST}`);
  const body = await read(request);
  const route = `${request.method} ${url.pathname}`;
  if (route === "GET /oauth/authorize") return authorizePage(url.searchParams);
  if (route === "POST /oauth/authorize") return decide(state.secret, new URLSearchParams(body));
  if (route === "POST /oauth/token") return exchange(state.secret, new URLSearchParams(body), request.headers.authorization);
  if (!url.pathname.startsWith("/api/")) return { status: 200, text: "The playground's provider. Its API is at /api.\n" };
  const headers = admit(state, request.headers.authorization);
  const [resource, id] = url.pathname.slice("/api/".length).split("/");
  const call = { state, method: request.method, resource, id, query: url.searchParams, body: () => parsed(body) };
  return { headers, ...(await api(call)) };
}

async function read(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > LARGEST_BODY) throw new Refused(413, "The body is too large.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parsed(body) {
  try {
    const value = JSON.parse(body || "{}");
    if (value && typeof value === "object" && !Array.isArray(value)) return value;
  } catch {
    // refused below
  }
  throw new Refused(400, "The body is not a JSON object.");
}

/** Counts a request under its credential: the header fields that say what is left. */
function admit({ secret, limit, windows }, authorization = "") {
  const token = authorization.replace(/^Bearer /, "");
  if (token !== API_KEY && !isAccessToken(secret, token)) throw new Refused(401, "The key or token is unknown, or has expired.");
  const now = Date.now() / 1000;
  const known = windows.get(token);
  const window = known && known.ends > now ? known : { count: 0, ends: now + limit.seconds };
  window.count += 1;
  windows.set(token, window);
  const reset = String(Math.max(1, Math.ceil(window.ends - now)));
  const headers = { "ratelimit-limit": String(limit.requests), "ratelimit-remaining": String(Math.max(0, limit.requests - window.count)), "ratelimit-reset": reset };
  if (window.count > limit.requests) throw new Refused(429, "Too many requests.", { ...headers, "retry-after": reset });
  return headers;
}

function api(call) {
  const { state, method, resource, id, query } = call;
  if (resource === "me" && method === "GET") return { status: 200, json: { data: { id: "user-1", name: "Ada Keeper" } } };
  if (resource === "send-webhook" && method === "POST") return sendWebhook(call);
  const all = Object.hasOwn(state.data, resource) ? state.data[resource] : undefined;
  if (!all) throw new Refused(404, `There is no ${resource}.`);
  if (id === undefined && method === "GET") return page([...all.values()], query);
  if (id === undefined && method === "POST") {
    state.last[resource] += 1;
    const record = { ...call.body(), id: `${resource.slice(0, -1)}-${state.last[resource]}`, updated_at: new Date().toISOString() };
    all.set(record.id, record);
    return { status: 201, json: { data: record } };
  }
  const record = all.get(id);
  if (!record) throw new Refused(404, `There is no ${id}.`);
  if (method === "GET") return { status: 200, json: { data: record } };
  if (method === "PATCH") {
    const changed = { ...record, ...call.body(), id, updated_at: new Date().toISOString() };
    all.set(id, changed);
    return { status: 200, json: { data: changed } };
  }
  if (method !== "DELETE") throw new Refused(405, `${method} is no method of ${resource}.`);
  all.delete(id);
  return { status: 204 };
}

function page(all, query) {
  const size = Math.min(Math.max(Number(query.get("limit")) || 20, 1), LARGEST_PAGE);
  const wanted = query.get("search")?.toLowerCase();
  const since = Date.parse(query.get("updated_since") ?? "") || 0;
  const found = all.filter(({ name = "", updated_at }) => (!wanted || name.toLowerCase().includes(wanted)) && Date.parse(updated_at) >= since);
  const from = Number(Buffer.from(query.get("cursor") ?? "", "base64url").toString()) || 0;
  const to = from + size;
  const next = to < found.length ? Buffer.from(String(to)).toString("base64url") : null;
  return { status: 200, json: { data: found.slice(from, to), next, total: found.length } };
}

/** Sends one signed webhook now, `{url, event, id}`, to a gateway on this machine. */
async function sendWebhook({ state, body }) {
  const { url, event = "contact.updated", id = "contact-1" } = body();
  if (!["127.0.0.1", "localhost"].includes(URL.parse(String(url))?.hostname)) throw new Refused(422, "url is not on this machine.");
  const seconds = Math.floor(Date.now() / 1000);
  const content = JSON.stringify({ id: `delivery-${Date.now()}`, event, data: state.data.contacts.get(id) ?? null });
  const signature = createHmac("sha256", WEBHOOK_SECRET).update(`${seconds}.${content}`).digest("hex");
  const headers = { "content-type": "application/json", "playground-signature": `t=${seconds},v1=${signature}` };
  const response = await fetch(url, { method: "POST", headers, body: content, redirect: "manual" });
  return { status: 200, json: { data: { status: response.status, answer: await response.text() } } };
}

function send(response, { status, headers = {}, json, html, text }) {
  const type = html !== undefined ? "text/html; charset=utf-8" : json !== undefined ? "application/json" : "text/plain";
  const content = html ?? text ?? (json === undefined ? undefined : JSON.stringify(json));
  response.writeHead(status, { ...(content === undefined ? {} : { "content-type": type }), "cache-control": "no-store", ...headers }).end(content);
}
