// The provider and the receiver of the benchmark, a process of its own so that it shares no thread with the load:
// one ship at /v1/ships/<id> and for each POST (1 KB), a page of a hundred at /v1/ships (93 KB). `POST /hooks/<run>` counts deliveries by
// their `webhook-id`, `GET /hooks/<run>` answers `{count, first, last}` with times of arrival, `DELETE /hooks/<run>` begins again.
// Prints its port.

import { createServer } from "node:http";

const ship = (id) => ({ id, name: `Ship ${id}`, tags: ["a", "b"], log: "x".repeat(900) });
const one = Buffer.from(JSON.stringify(ship(1)));
const page = Buffer.from(JSON.stringify({ data: { ships: Array.from({ length: 100 }, (_, id) => ship(id)) }, next: null }));

/** URL → `{ids, first, last}` */
const runs = new Map();

function hook({ url, method, headers }) {
  if (method === "DELETE" || !runs.has(url)) runs.set(url, { ids: new Set() });
  const run = runs.get(url);
  if (method === "POST") {
    run.ids.add(headers["webhook-id"]);
    run.last = Date.now();
    run.first ??= run.last;
  }
  return Buffer.from(JSON.stringify({ count: run.ids.size, first: run.first, last: run.last }));
}

function answer(request) {
  if (request.url.startsWith("/hooks/")) return hook(request);
  return request.method === "POST" || request.url.startsWith("/v1/ships/") ? one : page;
}

const server = createServer((request, response) => {
  const body = answer(request);
  response.writeHead(200, { "content-type": "application/json", "content-length": body.length }).end(body);
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
