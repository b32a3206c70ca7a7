// The provider and the receiver of the benchmark, a process of its own so that it shares no thread with the load:
// one ship at /v1/ships/<id> and for each POST (1 KB), a page of a hundred at /v1/ships (93 KB). `POST /hooks/<run>` counts deliveries by
// their `webhook-id`, `GET /hooks/<run>` answers `{count, first, last}` with times of arrival, `DELETE /hooks/<run>` begins again.
// `PUT /records?count=&changed=&delay=` makes a list at /v1/records (`offset`, `limit`) of so many records of 300 bytes, of which each
// hundredth is another one where `changed` is 1; `GET /records` answers `{pages}`, those that were read since. `delay`: milliseconds that
// answers below /v1 take until the next PUT. Prints its port.

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

/** The list at /v1/records. */
let records = { count: 0, changed: 0, delay: 0, pages: 0 };

function record(n) {
  const isChanged = records.changed === 1 && n % 100 === 0;
  return { id: `record-${n}`, name: `Record ${n}`, state: isChanged ? "closed" : "open", amount: n * 7, tags: ["a", "b"], note: "x".repeat(200) };
}

function recordsPage({ url, method }) {
  const { pathname, searchParams } = new URL(url, "http://provider");
  const number = (name) => Number(searchParams.get(name));
  if (method === "PUT") records = { count: number("count"), changed: number("changed"), delay: number("delay"), pages: 0 };
  if (pathname === "/records") return Buffer.from(JSON.stringify(records));
  records.pages += 1;
  const size = Math.max(0, Math.min(number("limit"), records.count - number("offset")));
  return Buffer.from(JSON.stringify({ data: Array.from({ length: size }, (_, n) => record(number("offset") + n)) }));
}

function answer(request) {
  if (/^(\/v1)?\/records/.test(request.url)) return recordsPage(request);
  if (request.url.startsWith("/hooks/")) return hook(request);
  return request.method === "POST" || request.url.startsWith("/v1/ships/") ? one : page;
}

const server = createServer((request, response) => {
  const body = answer(request);
  const send = () => response.writeHead(200, { "content-type": "application/json", "content-length": body.length }).end(body);
  if (records.delay > 0 && request.url.startsWith("/v1/")) setTimeout(send, records.delay);
  else send();
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
