// GitHub's lists: https://docs.github.com/rest/using-the-rest-api/using-pagination-in-the-rest-api
// `Link` names the pages, at another path than the one that was asked (`/repositories/{id}/…`); `per_page` over 100 gives
// 100; a request without a user agent is refused.

import { cut, numbered, whole } from "./twin.mjs";

const TOKEN = "github_pat_11ABCDEFG0twin";
const PATHS = ["/repos/octocat/hello-world/issues", "/repositories/1296269/issues"];

export const github = {
  file: "github",
  resource: "issues",
  query: { owner: "octocat", repo: "hello-world", state: "all" },
  credential: { method: "api_key", context: { api_key: TOKEN } },
  base: (url) => url,
  max: 100,
  records: (count) => numbered(count, (n) => ({ id: 2_000_000_000 + n, node_id: `I_kw${n}`, number: n, title: `Issue ${n}`, state: n % 2 ? "open" : "closed" })),
  idOf: ({ id }) => id,

  answer({ path, query, headers, origin }, { records }) {
    if (!headers["user-agent"]) return { status: 403, body: { message: "Request forbidden by administrative rules. Please make sure your request has a User-Agent header." } };
    if (headers.authorization !== `Bearer ${TOKEN}`) return { status: 401, body: { message: "Bad credentials", documentation_url: "https://docs.github.com/rest" } };
    if (!PATHS.includes(path)) return { status: 404, body: { message: "Not Found", documentation_url: "https://docs.github.com/rest" } };
    // The state is part of what is listed; without it a later page would be of another list.
    const listed = query.get("state") === "all" ? records : records.filter(({ state }) => state === "open");
    const size = Math.min(100, whole(query.get("per_page"), { most: Number.MAX_SAFE_INTEGER, fallback: 30 }) ?? 30);
    const number = whole(query.get("page"), { most: Number.MAX_SAFE_INTEGER, fallback: 1 }) ?? 1;
    const { page, more } = cut(listed, (number - 1) * size, size);
    const last = Math.ceil(listed.length / size);
    const link = (rel, to) => {
      const asked = new URLSearchParams(query);
      asked.set("page", to);
      return `<${origin}${PATHS[1]}?${asked}>; rel="${rel}"`;
    };
    const links = [...(number > 1 ? [link("prev", number - 1)] : []), ...(more ? [link("next", number + 1), link("last", last)] : []), ...(number > 1 ? [link("first", 1)] : [])];
    const reset = String(Math.floor(Date.now() / 1_000) + 3_600);
    const limits = { "x-ratelimit-limit": "5000", "x-ratelimit-remaining": "4999", "x-ratelimit-reset": reset, "x-ratelimit-used": "1", "x-ratelimit-resource": "core" };
    return { headers: { ...limits, ...(links.length ? { link: links.join(", ") } : {}) }, body: page };
  },
};
