// What one would write by hand: the caller's path and query to a fixed upstream with a key in a header.
// `/object/…` does it from a Durable Object that holds the key, as the gateway must, one for each value of `?object=`;
// `/list/…` cuts the page out.

import { DurableObject } from "cloudflare:workers";

const call = (upstream, path, key) => fetch(upstream + path, { headers: { accept: "application/json", "x-key": key } });

export class Holder extends DurableObject {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    const answer = await call(this.env.UPSTREAM, pathname, this.env.KEY);
    return new Response(answer.body, answer);
  }
}

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const [, way, ...rest] = pathname.split("/");
    const path = `/${rest.join("/")}`;
    if (way === "health") return Response.json({ status: "ok" });
    if (way === "object") return env.OBJECT.get(env.OBJECT.idFromName(searchParams.get("object") ?? "one")).fetch(`http://object${path}`);
    const answer = await call(env.UPSTREAM, path, env.KEY);
    if (way !== "list") return new Response(answer.body, answer);
    const { data } = await answer.json();
    return Response.json({ result: data.ships, result_count: data.ships.length, next_cursor: null });
  },
};
