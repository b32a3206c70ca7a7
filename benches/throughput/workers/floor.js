// The floor in JavaScript: the platform's calls on the way of a proxied call, of a list and of a webhook, and nothing else.
// benches/floor is the same in Rust.

import { DurableObject } from "cloudflare:workers";

const ask = (env, path) => fetch(env.UPSTREAM + path, { headers: { accept: "application/json", "x-key": "key-1" } });

export class Holder extends DurableObject {
  constructor(state, env) {
    super(state, env);
    state.storage.sql.exec("CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY, payload TEXT NOT NULL)");
  }

  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/regional")) return ask(this.env, pathname.slice("/regional".length));
    if (pathname.startsWith("/list")) return new Response(await (await ask(this.env, pathname.slice("/list".length))).arrayBuffer());
    this.ctx.storage.sql.exec("INSERT INTO event (payload) VALUES (?)", await request.text());
    return new Response();
  }
}

export default {
  fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/leased")) return ask(env, pathname.slice("/leased".length));
    return env.OBJECT.get(env.OBJECT.idFromName(pathname)).fetch(request);
  },
};
