// An independent list server: json-server, on a free loopback port, with books. It pages by `_page` and `_limit`, with
// a `Link` header, or by `_start` and `_limit`; neither says in the body how many there are. For page-reader.mjs.
//
//   const listServer = await startListServer(1_000);     // { url, ids, requests, stop }

import { once } from "node:events";
import jsonServer from "json-server";
import { integrationFile } from "./steps.mjs";

export async function startListServer(count) {
  const books = Array.from({ length: count }, (_, n) => ({ id: n + 1, title: `Volume ${n + 1}`, author: n % 2 ? "Ångström" : "Böll" }));
  const requests = [];
  const app = jsonServer.create();
  app.use((request, _, next) => {
    requests.push({ method: request.method, url: request.url });
    next();
  });
  app.use(jsonServer.defaults({ logger: false, readOnly: true }));
  app.use(jsonServer.router({ books }));
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    ids: books.map(({ id }) => id),
    requests,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The file of integrations/paged-lists.json, and the description of one of its lists: `books`, `numbered` or `skipped`. */
export const pagedListsFile = async () => JSON.parse(await integrationFile("paged-lists"));
export const pagedList = (resource, query = {}) => ({
  file: "paged-lists",
  resource,
  query,
  credential: { method: "api_key", context: { api_key: "reader" } },
  base: (url) => url,
  max: 400,
  idOf: ({ id }) => id,
});
