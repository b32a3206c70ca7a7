// What one would write by hand: an object per account that reads a list page by page, and stores each record by its id. `POST /<account>`
// with `{url, limit}` reads it to its end, and answers the rows that were written and read.

import { DurableObject } from "cloudflare:workers";

export class Reader extends DurableObject {
  constructor(state, env) {
    super(state, env);
    this.sql = state.storage.sql;
    this.sql.exec("CREATE TABLE IF NOT EXISTS record (id TEXT PRIMARY KEY, content TEXT NOT NULL, at INTEGER NOT NULL)");
  }

  async fetch(request) {
    const { url, limit } = await request.json();
    const rows = { written: 0, read: 0 };
    for (let offset = 0, count = limit; count === limit; offset += count) {
      const { data } = await (await fetch(`${url}?offset=${offset}&limit=${limit}`, { headers: { "x-key": this.env.KEY } })).json();
      for (const record of data) {
        const cursor = this.sql.exec("INSERT OR REPLACE INTO record (id, content, at) VALUES (?, ?, ?)", record.id, JSON.stringify(record), Date.now());
        rows.written += cursor.rowsWritten;
        rows.read += cursor.rowsRead;
      }
      count = data.length;
    }
    return Response.json(rows);
  }
}

export default {
  fetch(request, env) {
    return env.OBJECT.get(env.OBJECT.idFromName(new URL(request.url).pathname)).fetch(request);
  },
};
