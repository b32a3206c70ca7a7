// Zendesk's cursor pagination: https://developer.zendesk.com/api-reference/introduction/pagination/
// `page[size]` at most 100; without it the old pages by number. The last page has an `after_cursor`, too: only
// `meta.has_more` says that it is the last. Links are absolute.

import { cut, numbered, whole } from "./twin.mjs";

const AGENT = "agent@company.example";
const TOKEN = "6wiIBWbGkBMo1mRDMuVwkw1EPsNkeUj95PIz2akv";
const SIGNED = `Basic ${Buffer.from(`${AGENT}/token:${TOKEN}`).toString("base64")}`;
const FIRST_ID = 35_436;

const error = (title, code = "InvalidPaginationParameter") => ({ status: 400, body: { errors: [{ code, title }] } });
const cursorAt = (id) => Buffer.from(JSON.stringify({ o: "nice_id", v: Buffer.from(`i${id}?>`).toString("base64") })).toString("base64");
function idAt(cursor) {
  try {
    const { o, v } = JSON.parse(Buffer.from(cursor, "base64"));
    return o === "nice_id" ? Number(/^i(\d+)\?>$/.exec(Buffer.from(v, "base64"))[1]) : undefined;
  } catch {
    return undefined;
  }
}

export const zendesk = {
  file: "zendesk",
  resource: "tickets",
  credential: { method: "api_key", context: { subdomain: "company", email: AGENT, api_token: TOKEN } },
  base: (url) => `${url}/api/v2`,
  max: 100,
  records: (count) => numbered(count, (n) => ({ id: FIRST_ID + n, subject: `Ticket ${n}`, status: n % 3 ? "open" : "pending", url: `https://company.zendesk.com/api/v2/tickets/${FIRST_ID + n}.json` })),
  idOf: ({ id }) => id,

  answer({ path, query, headers, origin }, { records }) {
    if (headers.authorization !== SIGNED) return { status: 401, body: { error: "Couldn't authenticate you" } };
    if (path !== "/api/v2/tickets") return { status: 404, body: { error: "InvalidEndpoint", description: "Not found" } };
    if (query.get("page[size]") === null) return byNumber(query, records, origin);
    const size = whole(query.get("page[size]"), { most: 100 });
    if (size === undefined) return error("page[size] must be between 1 and 100");
    const after = query.get("page[after]");
    const id = after === null ? FIRST_ID : idAt(after);
    if (id === undefined) return error("page[after] is not valid");
    const { page, more } = cut(records, records.filter((record) => record.id <= id).length, size);
    const cursors = { after_cursor: page.length ? cursorAt(page.at(-1).id) : null, before_cursor: page.length ? cursorAt(page[0].id) : null };
    const link = (key, cursor) => `${origin}/api/v2/tickets?${new URLSearchParams({ "page[size]": size, [`page[${key}]`]: cursor })}`;
    return {
      headers: { "x-rate-limit": "700", "x-rate-limit-remaining": "699", "ratelimit-limit": "700", "ratelimit-remaining": "699", "ratelimit-reset": "41" },
      body: {
        tickets: page,
        meta: { has_more: more, ...cursors },
        links: { prev: cursors.before_cursor && link("before", cursors.before_cursor), next: more ? link("after", cursors.after_cursor) : null },
      },
    };
  },
};

function byNumber(query, records, origin) {
  const number = whole(query.get("page"), { most: 100, fallback: 1 });
  if (number === undefined) return error("Requests beyond 10,000 records are not allowed", "InvalidPaginationDepth");
  const { page, more } = cut(records, (number - 1) * 100, 100);
  return { body: { tickets: page, next_page: more ? `${origin}/api/v2/tickets?page=${number + 1}` : null, previous_page: null, count: records.length } };
}
