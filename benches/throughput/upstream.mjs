// The provider of the benchmark, a process of its own so that it shares no thread with the load:
// one ship at /v1/ships/<id> (1 KB), a page of a hundred at /v1/ships (100 KB). Prints its port.

import { createServer } from "node:http";

const ship = (id) => ({ id, name: `Ship ${id}`, tags: ["a", "b"], log: "x".repeat(900) });
const one = Buffer.from(JSON.stringify(ship(1)));
const page = Buffer.from(JSON.stringify({ data: { ships: Array.from({ length: 100 }, (_, id) => ship(id)) }, next: null }));

const server = createServer((request, response) => {
  const body = request.url.startsWith("/v1/ships/") ? one : page;
  response.writeHead(200, { "content-type": "application/json", "content-length": body.length }).end(body);
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
