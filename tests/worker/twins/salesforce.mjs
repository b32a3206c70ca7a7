// Salesforce's REST API, /query: https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_query.htm
// A page is named by its locator in `nextRecordsUrl`, a path; it is asked for without the query. The caller cannot set the
// page size but by `Sforce-Query-Options: batchSize=200…2000`, and "there is no guarantee that the requested batch size is
// the actual batch size": `settings.batch` is what this server chooses.

import { cut, numbered, whole } from "./twin.mjs";

const PATH = "/services/data/v66.0/query";
const LOCATOR = "01gRM000004kQbEYAU";
const TOKEN = "00DRM000000Hx3x!AQEAQFzP0sandbox";

const error = (status, errorCode, message) => ({ status, body: [{ message, errorCode }] });

export const salesforce = {
  file: "salesforce",
  resource: "query",
  query: { q: "SELECT Id, Name FROM Account" },
  credential: { method: "oauth2", context: { instance_url: "https://example.my.salesforce.com", oauth: { token: { access_token: TOKEN, token_type: "Bearer" } } } },
  base: (url) => `${url}/services/data/v66.0`,
  max: 2_000,
  records: (count) => numbered(count, (n) => {
    const Id = `001RM00000${String(n).padStart(5, "0")}YAU`;
    return { attributes: { type: "Account", url: `/services/data/v66.0/sobjects/Account/${Id}` }, Id, Name: `Company ${n} & "Söhne"` };
  }),
  idOf: ({ Id }) => Id,

  answer({ method, path, query, headers }, { records, settings }) {
    if (headers.authorization !== `Bearer ${TOKEN}`) return error(401, "INVALID_SESSION_ID", "Session expired or invalid");
    if (method !== "GET") return error(405, "METHOD_NOT_ALLOWED", `HTTP Method '${method}' not allowed. Allowed are HEAD,GET`);
    const offset = offsetOf(path, query);
    if (typeof offset !== "number") return offset;
    const wanted = /batchSize=(\d+)/.exec(headers["sforce-query-options"])?.[1];
    const size = settings.batch ?? Math.max(200, whole(wanted, { most: 2_000, fallback: 2_000 }) ?? 2_000);
    const { page, more } = cut(records, offset, size);
    const next = more ? { nextRecordsUrl: `${PATH}/${LOCATOR}-${offset + size}` } : {};
    return { headers: { "sforce-limit-info": "api-usage=18/15000" }, body: { totalSize: records.length, done: !more, ...next, records: page } };
  },
};

function offsetOf(path, query) {
  if (path === PATH) return /^select\s/i.test(query.get("q") ?? "") ? 0 : error(400, "MALFORMED_QUERY", "A query string has to be specified");
  const locator = path.startsWith(`${PATH}/`) ? path.slice(PATH.length + 1) : undefined;
  if (locator === undefined) return error(404, "NOT_FOUND", "The requested resource does not exist");
  // The locator is all there is: a query sent along with it would be a second query.
  const [id, offset] = locator.split(/-(?=\d+$)/);
  if (id !== LOCATOR || query.size > 0) return error(400, "INVALID_QUERY_LOCATOR", "invalid query locator");
  return Number(offset);
}
