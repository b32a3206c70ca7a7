// Stripe's lists: https://docs.stripe.com/api/pagination
// The cursor is the id of the page's last object; `limit` is 1 to 100, 10 by default; a parameter that it does not know is
// an error, so nothing of ours may be sent.

import { cut, numbered, whole } from "./twin.mjs";

const KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc";

const error = (status, message, more) => ({ status, body: { error: { type: "invalid_request_error", message, ...more } } });

export const stripe = {
  file: "stripe",
  resource: "customers",
  credential: { method: "api_key", context: { api_key: KEY } },
  base: (url) => `${url}/v1`,
  max: 100,
  records: (count) => numbered(count, (n) => ({ id: `cus_${(n * 7_919).toString(36).padStart(14, "N")}`, object: "customer", created: 1_793_000_000 - n, email: `c${n}@company.example`, livemode: false })),
  idOf: ({ id }) => id,

  answer({ path, query, headers }, { records }) {
    if (headers.authorization !== `Bearer ${KEY}`) return error(401, "Invalid API Key provided");
    if (!headers["stripe-version"]) return error(400, "A twin wants the version that the file pins");
    if (path !== "/v1/customers") return error(404, `Unrecognized request URL (GET: ${path}).`);
    const unknown = [...query.keys()].find((key) => !["limit", "starting_after", "ending_before", "email"].includes(key));
    if (unknown) return error(400, `Received unknown parameter: ${unknown}`, { code: "parameter_unknown", param: unknown });
    const limit = whole(query.get("limit"), { most: 100, fallback: 10 });
    if (limit === undefined) return error(400, `This value must be less than or equal to 100 (it currently is '${query.get("limit")}').`, { param: "limit", code: "parameter_invalid_integer" });
    const after = query.get("starting_after");
    const index = records.findIndex(({ id }) => id === after);
    if (after !== null && index < 0) return error(400, `No such customer: '${after}'`, { code: "resource_missing", param: "starting_after" });
    const { page, more } = cut(records, index + 1, limit);
    return { headers: { "request-id": "req_1a2b3c4d5e6f7g" }, body: { object: "list", url: "/v1/customers", has_more: more, data: page } };
  },
};

/** What makes the shipped file page by `dynamic` instead: the last id, computed. */
export const stripeByExpression = {
  ...stripe,
  override: {
    pagination: {
      format: "dynamic",
      config: {
        cursor_path: null,
        cursor_key: null,
        has_next_path: null,
        limit_key: null,
        get_pagination_values_expression: '$boolean(response.has_more) ? { "starting_after": response.data[-1].id }',
        get_cursor_from_response_expression: "response.data[-1].id",
      },
    },
    resources: { customers: { list: { query: { starting_after: "{{pagination.starting_after}}", limit: "{{pagination.limit}}" } } } },
  },
};
