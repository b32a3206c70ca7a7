// What one would write by hand: an object per account that keeps events and, released, sends them in order, signed as Standard Webhooks
// says. `POST /<account>` stores an event, `PUT /` with a list of accounts releases what they hold.

import { DurableObject } from "cloudflare:workers";

const encoder = new TextEncoder();
const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));

export class Outbox extends DurableObject {
  constructor(state, env) {
    super(state, env);
    this.sql = state.storage.sql;
    this.sql.exec("CREATE TABLE IF NOT EXISTS event (id TEXT PRIMARY KEY, payload TEXT NOT NULL, created_at INTEGER NOT NULL, is_sent INTEGER NOT NULL)");
    this.key = crypto.subtle.importKey("raw", encoder.encode(env.SECRET), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  }

  async fetch(request) {
    if (request.method === "PUT") {
      await this.ctx.storage.setAlarm(Date.now());
      return new Response();
    }
    this.sql.exec("INSERT INTO event (id, payload, created_at, is_sent) VALUES (?, ?, ?, 0)", `evt_${crypto.randomUUID()}`, await request.text(), Date.now());
    return new Response();
  }

  async alarm() {
    for (const { id, payload, created_at } of this.sql.exec("SELECT id, payload, created_at FROM event WHERE is_sent = 0 ORDER BY rowid").toArray()) {
      const body = JSON.stringify({ id, event: "bench:order", payload: JSON.parse(payload), created_at: new Date(created_at).toISOString() });
      const { ok } = await fetch(this.env.RECEIVER, { method: "POST", headers: await this.headers(id, body), body });
      if (ok) this.sql.exec("UPDATE event SET is_sent = 1 WHERE id = ?", id);
    }
  }

  async headers(id, body) {
    const time = String(Math.floor(Date.now() / 1_000));
    const signature = await crypto.subtle.sign("HMAC", await this.key, encoder.encode(`${id}.${time}.${body}`));
    return { "content-type": "application/json", "webhook-id": id, "webhook-timestamp": time, "webhook-signature": `v1,${base64(signature)}` };
  }
}

export default {
  async fetch(request, env) {
    const of = (name) => env.OBJECT.get(env.OBJECT.idFromName(name));
    if (request.method !== "PUT") return of(new URL(request.url).pathname).fetch(request);
    const names = await request.json();
    await Promise.all(names.map((name) => of(name).fetch("http://object/", { method: "PUT" })));
    return new Response();
  },
};
