// Local twins of providers: small servers that page, refuse and sign as the provider's documentation says, so that the
// lists of shipped integration files can be read without the provider. Each file of this folder describes one; this one runs them.
//
//   const twin = await startTwin(stripe, { count: 1_000 });
//   twin.url, twin.requests, twin.records, twin.answerNext(undefined, { status: 500 }), twin.stop()
//
// A description: `{file, resource, query?, credential: {method, context}, base(url), max, records(count), idOf(record),
// answer(request, twin)}`; `answer` gives `{status?, headers?, body}` for `{method, path, query, headers, body, origin}`.

import { once } from "node:events";
import { createServer } from "node:http";

export async function startTwin(provider, settings) {
  const twin = new Twin(provider, { count: 1_000, ...settings });
  await twin.open();
  return twin;
}

class Twin {
  /** Every request: `{method, url, path, query, headers, body, status}`. Clear it with `requests.length = 0`. */
  requests = [];
  #faults = [];
  #server;

  constructor(provider, settings) {
    Object.assign(this, { provider, settings, records: provider.records(settings.count) });
  }

  /** Has so many records from now on. */
  resize(count) {
    this.records = this.provider.records(count);
  }

  get ids() {
    return this.records.map(this.provider.idOf);
  }

  /** What becomes of the next requests, one each: an answer, "dropped" for a broken connection, "silent" for none; undefined is the usual. */
  answerNext(...faults) {
    this.#faults = faults;
  }

  async open() {
    this.#server = createServer((request, response) => this.#receive(request, response));
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #receive(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, url, headers } = request;
    const { pathname: path, searchParams: query } = new URL(url, this.url);
    const entry = { method, url, path, query, headers, body: Buffer.concat(chunks).toString(), origin: `http://${headers.host}` };
    this.requests.push(entry);
    const fault = this.#faults.shift();
    if (fault === "silent") return;
    if (fault === "dropped") return void request.socket.destroy();
    const { status = 200, headers: fields = {}, body } = fault ?? this.provider.answer(entry, this);
    entry.status = status;
    response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...fields }).end(JSON.stringify(body));
  }
}

/** The first so many records of a list, from an offset on; `more` when some are left. */
export function cut(records, offset, size) {
  return { page: records.slice(offset, offset + size), more: offset + size < records.length };
}

/** A whole number of a parameter within bounds, `fallback` where there is none; undefined where it is anything else. */
export function whole(text, { least = 1, most, fallback }) {
  if (text === null || text === undefined) return fallback;
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return number >= least && number <= most ? number : undefined;
}

/** `count` of something numbered from 1. */
export const numbered = (count, make) => Array.from({ length: count }, (_, index) => make(index + 1));
