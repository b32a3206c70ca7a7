// The invented CRM of integrations/acme.json, which uses every pagination there is: what its file says, its server does.
//
//   const twin = await startTwin(acme("deals"));

import { cut, numbered, whole } from "./twin.mjs";

const KEY = `ak_${"a1B2".repeat(8)}`;

const error = (message) => ({ status: 422, body: { ok: false, error: { code: "invalid", message } } });
const token = (offset) => Buffer.from(`at ${offset}`).toString("base64");
const offsetAt = (text) => (text ? Number(/^at (\d+)$/.exec(Buffer.from(text, "base64"))?.[1] ?? Number.NaN) : 0);

/** The description of one of its resources, `{max, path, answer}` of RESOURCES with what all have. */
export function acme(resource) {
  const { path, answer, ...more } = RESOURCES[resource];
  return {
    file: "acme",
    resource,
    credential: { method: "api_key", context: { subdomain: "company", region: "eu", email: "a@company.example", api_key: KEY } },
    base: (url) => `${url}/api/v2`,
    records: (count) => numbered(count, (n) => ({ id: `${resource}-${n}`, name: `N° ${n}` })),
    idOf: ({ id }) => id,
    ...more,
    answer(request, twin) {
      if (request.headers.authorization !== `Bearer ${KEY}`) return { status: 401, body: { ok: false, error: { code: "unauthorized" } } };
      if (!request.path.startsWith(path)) return { status: 404, body: { ok: false, error: { code: "not_found", message: request.path } } };
      return answer(request, twin);
    },
  };
}

const RESOURCES = {
  // cursor, with the way back
  contacts: {
    path: "/api/v2/contacts",
    max: 200,
    answer({ query }, { records }) {
      const [size, offset] = [whole(query.get("page_size"), { most: 200, fallback: 20 }), offsetAt(query.get("cursor"))];
      if (!size || Number.isNaN(offset)) return error("page_size or cursor");
      const { page, more } = cut(records, offset, size);
      const previous = offset > 0 ? token(Math.max(0, offset - size)) : null;
      return { body: { data: { contacts: page }, meta: { next: token(offset + size), previous, has_more: more } } };
    },
  },
  // page
  deals: {
    path: "/api/v2/deals",
    max: 100,
    answer({ query }, { records }) {
      const [size, number] = [whole(query.get("per_page"), { most: 100, fallback: 25 }), whole(query.get("page"), { most: 1e9, fallback: 1 })];
      if (!size || !number) return error("per_page or page");
      return { body: { data: { deals: cut(records, (number - 1) * size, size).page }, meta: { pages: Math.ceil(records.length / size), total: records.length } } };
    },
  },
  // offset; this server gives fewer than it is asked for, now and then
  invoices: {
    path: "/api/v2/invoices",
    max: 500,
    answer({ query }, { records }) {
      const [size, offset] = [whole(query.get("take"), { most: 500, fallback: 50 }), whole(query.get("skip"), { least: 0, most: 1e9, fallback: 0 })];
      if (!size || offset === undefined) return error("take or skip");
      return { body: { data: cut(records, offset, offset % 2 ? Math.ceil(size / 2) : size).page, total: records.length } };
    },
  },
  // link_header, with a smallest page
  activities: {
    path: "/api/v2/activities",
    max: 1_000,
    least: 10,
    answer({ path, query, origin }, { records }) {
      const [size, offset] = [whole(query.get("limit"), { least: 10, most: 1_000, fallback: 10 }), offsetAt(query.get("at"))];
      if (!size || Number.isNaN(offset)) return error("limit or at");
      const { page, more } = cut(records, offset, size);
      // Relative, as RFC 8288 allows; another relation comes before it, and a comma in the link.
      const next = `<${path}?limit=${size}&at=${encodeURIComponent(token(offset + size))}&fields=id,name>; title="next, please"; rel=next`;
      return { headers: more ? { link: `<${origin}/help>; rel="help", ${next}` } : {}, body: page };
    },
  },
  // range, RFC 9110 section 14
  exports: {
    path: "/api/v2/exports/7/rows",
    query: { export_id: "7" },
    max: 5_000,
    answer({ headers }, { records, settings }) {
      if (!headers.range) return { body: records };
      const [, first, last] = /^items=(\d+)-(\d*)$/.exec(headers.range) ?? [];
      if (first === undefined) return error(`range ${headers.range}`);
      const total = settings.hidesTotal ? "*" : records.length;
      if (Number(first) >= records.length) return { status: 416, headers: { "content-range": `items */${records.length}` }, body: { ok: false, error: { code: "range", message: "beyond the end" } } };
      const page = records.slice(Number(first), last === "" ? undefined : Number(last) + 1);
      return { status: 206, headers: { "content-range": `items ${first}-${Number(first) + page.length - 1}/${total}`, "accept-ranges": "items" }, body: page };
    },
  },
  // dynamic, with a separate path for each page; days have 0 to 12 rows
  reports: {
    path: "/v1/reports/",
    override: (url) => ({ resources: { reports: { list: { base_url: `${url}/v1` } } } }),
    isFixed: true,
    answer({ path }, { records }) {
      const asked = path.split("/").at(-1);
      const day = asked === "latest" ? 0 : Number(/^day-(\d+)$/.exec(asked)?.[1] ?? Number.NaN);
      if (Number.isNaN(day)) return error(`no report ${asked}`);
      const [start, end] = [day, day + 1].map((before) => Math.floor(before / 13) * 78 + TRIANGLE[before % 13]);
      return { body: { rows: records.slice(start, end), ...(end < records.length ? { previous_day: `day-${day + 1}` } : {}) } };
    },
  },
  // cursor: a whole link, percent-encoded
  events: {
    path: "/api/v2/events",
    max: 100,
    answer({ path, query, origin }, { records }) {
      const [size, offset] = [whole(query.get("limit"), { most: 100, fallback: 30 }), offsetAt(query.get("after"))];
      if (!size || Number.isNaN(offset)) return error("limit or after");
      const { page, more } = cut(records, offset, size);
      const next = `${origin}${path}/older?limit=${size}&after=${encodeURIComponent(token(offset + size))}`.replace("/older/older", "/older");
      return { body: { items: page, links: more ? { next: encodeURIComponent(next) } : {} } };
    },
  },
  // cursor in the body and a header, taken from a header
  event_queries: {
    path: "/api/v2/events/query",
    method: "POST",
    body: { filter: { kind: ["call", "mail"] }, big: 12345678901234567890n },
    max: 50,
    answer({ body, headers, query }, { records }) {
      const { filter, page = {} } = JSON.parse(body);
      const [size, offset] = [page.size ?? 10, offsetAt(page.after)];
      if (!filter || !body.includes("12345678901234567890")) return error("the query itself was lost or changed");
      if (!Number.isInteger(size) || size < 1 || size > 50 || Number.isNaN(offset)) return error("page");
      if ((headers["acme-page"] ?? undefined) !== page.after || query.has("page.after")) return error("the cursor is not in its two places");
      const { page: items, more } = cut(records, offset, size);
      return { headers: more ? { "acme-next-cursor": token(offset + size) } : {}, body: { items } };
    },
  },
};

/** 0, 0, 1, 3, 6 … 78: so many rows came before each of 13 days. */
const TRIANGLE = Array.from({ length: 13 }, (_, n) => (n * (n - 1)) / 2);
