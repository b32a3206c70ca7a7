// HubSpot's CRM lists and searches: https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/guide
// A list's `paging.next.after` is opaque and percent-encoded ("NTI1Cg%3D%3D"); a search takes `after` in its JSON body, a
// number as a string, and `limit` as a number. The last page has no `paging`.

import { cut, numbered, whole } from "./twin.mjs";

const TOKEN = "pat-eu1-0b2f3c4d-5e6f-4a1b-8c2d-9e0f1a2b3c4d";
const FIRST_ID = 500;

const error = (message) => ({ status: 400, body: { status: "error", message, correlationId: "aeb5f871-7f07-4993-9211-075dc63e7cbf", category: "VALIDATION_ERROR" } });
const limits = { "x-hubspot-ratelimit-max": "100", "x-hubspot-ratelimit-remaining": "96", "x-hubspot-ratelimit-interval-milliseconds": "10000" };

const description = {
  file: "hubspot",
  credential: { method: "api_key", context: { api_key: TOKEN } },
  base: (url) => url,
  records: (count) => numbered(count, (n) => ({
    id: String(FIRST_ID + n),
    properties: { email: `person${n}@company.example`, firstname: "Zoë", lastname: `N° ${n}` },
    createdAt: "2026-01-02T03:04:05.678Z",
    updatedAt: "2026-01-02T03:04:05.678Z",
    archived: false,
  })),
  idOf: ({ id }) => id,
};

const unlessSigned = (answer) => (request, twin) => {
  if (request.headers.authorization === `Bearer ${TOKEN}`) return { headers: limits, ...answer(request, twin) };
  return { status: 401, body: { status: "error", message: "Authentication credentials not found.", category: "INVALID_AUTHENTICATION" } };
};

export const hubspot = {
  ...description,
  resource: "contacts",
  max: 100,
  answer: unlessSigned(({ path, query, origin }, { records }) => {
    if (path !== "/crm/v3/objects/contacts") return { status: 404, body: { status: "error", message: "resource not found" } };
    const limit = whole(query.get("limit"), { most: 100, fallback: 10 });
    if (limit === undefined) return error("Invalid limit: it must be between 1 and 100");
    const after = query.get("after");
    const id = after === null ? FIRST_ID : Number(/^(\d+)\n$/.exec(Buffer.from(after, "base64"))?.[1] ?? Number.NaN);
    // A cursor that was decoded twice, or not at all, is not in base64 any more.
    if (Number.isNaN(id) || /[^A-Za-z0-9+/=]/.test(after ?? "")) return error(`Invalid cursor: ${after}`);
    const { page, more } = cut(records, id - FIRST_ID, limit);
    if (!more) return { body: { results: page } };
    const next = encodeURIComponent(Buffer.from(`${page.at(-1).id}\n`).toString("base64"));
    return { body: { results: page, paging: { next: { after: next, link: `${origin}${path}?limit=${limit}&after=${next}` } } } };
  }),
};

export const hubspotSearch = {
  ...description,
  resource: "contact_search",
  method: "POST",
  body: { filterGroups: [], sorts: ["createdate"], properties: ["email"] },
  max: 200,
  answer: unlessSigned(({ method, path, query, body }, { records }) => {
    if (method !== "POST" || path !== "/crm/v3/objects/contacts/search") return { status: 404, body: { status: "error", message: "resource not found" } };
    if (query.size > 0) return error(`Unknown parameters: ${query}`);
    const { limit = 10, after = "0", filterGroups, sorts, properties } = JSON.parse(body);
    if (!Number.isInteger(limit) || limit < 1 || limit > 200) return error("Invalid limit: it must be a number between 1 and 200");
    if (!filterGroups || !sorts || !properties) return error("The search lost what it searches for");
    const offset = Number(after);
    if (Number.isNaN(offset)) return error(`Invalid paging offset: ${after}`);
    const { page, more } = cut(records, offset, limit);
    return { body: { total: records.length, results: page, ...(more ? { paging: { next: { after: String(offset + limit) } } } : {}) } };
  }),
};
