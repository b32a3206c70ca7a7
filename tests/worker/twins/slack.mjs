// Slack's cursor pagination: https://docs.slack.dev/apis/web-api/pagination
// `limit` under 1,000; filters apply after a page is cut, so a page may be short, or empty, although there are more; the end
// is an empty `next_cursor`; errors come with 200 and `ok: false`.

import { cut, numbered, whole } from "./twin.mjs";

const TOKEN = "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy";

const error = (name) => ({ body: { ok: false, error: name } });
const idOf = (n) => `C${(n * 104_729).toString(36).toUpperCase().padStart(10, "0")}`;
const cursorAt = (id) => (id ? Buffer.from(`team:${id}`).toString("base64") : "");

export const slack = {
  file: "slack",
  resource: "channels",
  credential: { method: "api_key", context: { api_key: TOKEN } },
  base: (url) => `${url}/api`,
  max: 999,
  records: (count) => numbered(count, (n) => ({ id: idOf(n), name: `channel-${n}`, is_channel: true, is_archived: false })),
  idOf: ({ id }) => id,

  answer({ path, query, headers }, { records }) {
    if (headers.authorization !== `Bearer ${TOKEN}`) return error(headers.authorization ? "invalid_auth" : "not_authed");
    if (path !== "/api/conversations.list") return error("unknown_method");
    const limit = whole(query.get("limit"), { most: 999, fallback: 100 });
    if (limit === undefined) return error("invalid_limit");
    const all = withArchived(records);
    const cursor = query.get("cursor");
    const start = cursor ? all.findIndex(({ id }) => cursorAt(id) === cursor) : 0;
    if (start < 0) return error("invalid_cursor");
    const { page, more } = cut(all, start, limit);
    const channels = query.get("exclude_archived") === "true" ? page.filter(({ is_archived }) => !is_archived) : page;
    return { headers: { "x-slack-req-id": "twin" }, body: { ok: true, channels, response_metadata: { next_cursor: more ? cursorAt(all[start + limit].id) : "" } } };
  },
};

// One of three in the first half, and thirty in a row: some pages are short, and small ones empty.
function withArchived(records) {
  const middle = Math.floor(records.length / 2);
  const archived = (n) => ({ id: idOf(100_000 + n), name: `old-${n}`, is_channel: true, is_archived: true });
  const first = records.slice(0, middle).flatMap((record, n) => (n % 3 === 0 ? [archived(n), record] : [record]));
  return [...first, ...numbered(30, (n) => archived(middle + n)), ...records.slice(middle)];
}
