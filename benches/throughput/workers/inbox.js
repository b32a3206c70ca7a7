// What one would write by hand: an object per account that checks an HMAC and the time it was signed, and stores the event before it
// answers. `POST /<account>` takes a webhook, `GET /<account>` tells how many there are.

import { DurableObject } from "cloudflare:workers";

const TOLERANCE_SECONDS = 300;
const bytesOf = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

export class Inbox extends DurableObject {
  constructor(state, env) {
    super(state, env);
    this.sql = state.storage.sql;
    this.sql.exec("CREATE TABLE IF NOT EXISTS event (id TEXT PRIMARY KEY, payload TEXT NOT NULL, created_at INTEGER NOT NULL)");
    this.key = crypto.subtle.importKey("raw", new TextEncoder().encode(env.SECRET), { name: "HMAC", hash: "SHA-256" }, false, ["verify"]);
  }

  async fetch(request) {
    if (request.method === "GET") return Response.json(this.sql.exec("SELECT COUNT(*) AS count FROM event").one());
    const body = await request.text();
    if (!(await this.isSigned(request.headers, body))) return new Response(null, { status: 401 });
    const id = crypto.randomUUID();
    this.sql.exec("INSERT INTO event (id, payload, created_at) VALUES (?, ?, ?)", id, body, Date.now());
    return Response.json({ id });
  }

  async isSigned(headers, body) {
    const time = headers.get("x-timestamp");
    if (!(Math.abs(Date.now() / 1_000 - Number(time)) <= TOLERANCE_SECONDS)) return false;
    return crypto.subtle.verify("HMAC", await this.key, bytesOf(headers.get("x-signature")), new TextEncoder().encode(`${time}.${body}`));
  }
}

export default {
  fetch(request, env) {
    return env.OBJECT.get(env.OBJECT.idFromName(new URL(request.url).pathname)).fetch(request);
  },
};
