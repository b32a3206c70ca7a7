// Sentry's lists: https://docs.sentry.io/api/pagination/
// `Link` names both neighbours always, `results` says whether anything is on them; a cursor is `value:offset:is_previous`.

import { cut, numbered, whole } from "./twin.mjs";

const TOKEN = "sntrys_twin";
const PATH = "/api/0/organizations/company/projects/";

export const sentry = {
  file: "sentry",
  resource: "projects",
  credential: { method: "api_key", context: { organization: "company", api_key: TOKEN } },
  base: (url) => `${url}/api/0`,
  max: 100,
  records: (count) => numbered(count, (n) => ({ id: String(4_500_000 + n), slug: `project-${n}`, platform: "rust" })),
  idOf: ({ id }) => id,

  answer({ path, query, headers, origin }, { records }) {
    if (headers.authorization !== `Bearer ${TOKEN}`) return { status: 401, body: { detail: "Invalid token" } };
    if (path !== PATH) return { status: 404, body: { detail: "The requested resource does not exist" } };
    const size = whole(query.get("per_page"), { most: 100, fallback: 100 });
    if (size === undefined) return { status: 400, body: { detail: "Invalid per_page value. Must be between 1 and 100." } };
    const cursor = query.get("cursor") ?? "0:0:0";
    if (!/^\d+:\d+:[01]$/.test(cursor)) return { status: 400, body: { detail: "Invalid cursor parameter." } };
    const offset = Number(cursor.split(":")[1]);
    const { page, more } = cut(records, offset, size);
    const link = (rel, to, results) => `<${origin}${PATH}?&cursor=${to}>; rel="${rel}"; results="${results}"; cursor="${to}"`;
    return { headers: { link: `${link("previous", `0:${Math.max(0, offset - size)}:1`, offset > 0)}, ${link("next", `0:${offset + size}:0`, more)}` }, body: page };
  },
};
