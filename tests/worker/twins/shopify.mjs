// Shopify's REST Admin API: https://shopify.dev/docs/api/admin-rest/usage/pagination
// `Link` with `previous` before `next`; its `page_info` goes with `limit` and `fields` only, any other parameter next to it
// is refused; `limit` is 50 by default and 250 at most.

import { cut, numbered, whole } from "./twin.mjs";

const TOKEN = "shpat_0123456789abcdef0123456789abcdef";
const PATH = "/admin/api/2026-07/products.json";

const error = (status, errors) => ({ status, body: { errors } });
const pageInfo = (direction, last_id) => Buffer.from(JSON.stringify({ direction, last_id, last_value: String(last_id) })).toString("base64url");
function read(info) {
  try {
    return JSON.parse(Buffer.from(info, "base64url"));
  } catch {
    return {};
  }
}

export const shopify = {
  file: "shopify",
  resource: "products",
  query: { status: "active" },
  credential: { method: "api_key", context: { shop: "my-shop", api_key: TOKEN } },
  base: (url) => `${url}/admin/api/2026-07`,
  max: 250,
  records: (count) => numbered(count, (n) => ({ id: 632_910_000_000_000 + n * 3, title: `Product ${n}`, status: "active", vendor: "Company" })),
  idOf: ({ id }) => id,

  answer({ path, query, headers, origin }, { records }) {
    if (headers["x-shopify-access-token"] !== TOKEN) return error(401, "[API] Invalid API key or access token (unrecognized login or wrong password)");
    if (path !== PATH) return error(404, "Not Found");
    const limit = whole(query.get("limit"), { most: 250, fallback: 50 });
    if (limit === undefined) return error(400, { limit: "Limit must be between 1 and 250" });
    const info = query.get("page_info");
    const others = [...query.keys()].filter((key) => !["page_info", "limit", "fields"].includes(key));
    if (info !== null && others.length > 0) return error(400, { page_info: `cannot be used with ${others}` });
    if (info === null && query.get("status") !== "active") return error(400, { status: "the twin's products are active" });
    const offset = info === null ? 0 : offsetOf(read(info), records, limit);
    if (offset === undefined) return error(400, { page_info: "Invalid value." });
    const { page, more } = cut(records, offset, limit);
    const link = (rel, direction, id) => `<${origin}${PATH}?limit=${limit}&page_info=${pageInfo(direction, id)}>; rel="${rel}"`;
    const links = [...(offset > 0 ? [link("previous", "prev", page[0].id)] : []), ...(more ? [link("next", "next", page.at(-1).id)] : [])];
    return { headers: { "x-shopify-shop-api-call-limit": "1/40", ...(links.length ? { link: links.join(", ") } : {}) }, body: { products: page } };
  },
};

function offsetOf({ direction, last_id }, records, limit) {
  const index = records.findIndex(({ id }) => id === last_id);
  if (index < 0) return undefined;
  return direction === "next" ? index + 1 : Math.max(0, index - limit);
}
