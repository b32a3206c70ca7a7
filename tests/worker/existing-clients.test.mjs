// How a widely used client speaks (its TypeScript SDK): each of these works unchanged.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { request } from "node:http";
import { after, before, describe, test } from "node:test";
import { eachCase } from "./cases.mjs";
import { parsed } from "./harness.mjs";
import { fillIn, linkToken } from "./oauth-accounts.mjs";
import { startScriptedProvider } from "./scripted-provider.mjs";
import { assertError, eventually, ok } from "./steps.mjs";

const LISTS = ["/environment-integration", "/integrated-account", "/integration", "/category", "/api-token", "/link-token", "/webhook", "/event"];
const DAY = 86_400_000;

let scripted, client, query;
before(async () => {
  scripted = await startScriptedProvider({
    config: {
      resources: {
        ships: { list: { path: "/ships" }, merge: { method: "post", path: "/ships/merge" }, by: { method: "post", path: "/by/{{query.built.gt}}/{{query.ids.1}}" } },
        boats: { list: { path: "/boats", query_array_format: "comma" } },
        pages: { list: { path: "/pages", response_path: "items", query: { from: "{{pagination.from}}" }, pagination: { format: "dynamic", config: {
          get_initial_pagination_values_expression: "{ 'from': 0 * $number(query.limit) }",
          get_pagination_values_expression: "$count(response.items) = $number(query.limit) ? { 'from': paginationValues.from + $number(query.limit) }",
        } } } },
      },
    },
  });
  client = scripted.environment.call;
  query = `integrated_account_id=${scripted.account.id}`;
  for (const path of ["/ships", "/boats"]) scripted.answers.set(path, () => ({ body: [{ id: 1 }] }));
});
after(() => scripted?.stop());

/** What the provider was asked last. */
const asked = () => scripted.requests.at(-1);

describe("lists", () => {
  test("begin with an empty cursor", () =>
    eachCase(LISTS, async (path) => {
      const { result, next_cursor, limit } = ok(await client("GET", `${path}?next_cursor=`), 200);
      assert.ok(Array.isArray(result));
      assert.equal(next_cursor, null);
      assert.equal(limit, 100);
    }));

  test("begin with an empty cursor at a provider, too, which does not see it", async () => {
    const { result } = ok(await client("GET", `/proxy/ships?next_cursor=&${query}`), 200);
    assert.deepEqual(result, [{ id: 1 }]);
    assert.equal(asked().url, "/ships");
  });

  test("may end with a question mark and no query", () =>
    eachCase(LISTS, async (path) => {
      ok(await exact("GET", `${path}?`), 200);
    }));

  test("a page goes on to the next", async () => {
    const names = (page) => page.result.map(({ name }) => name);
    for (const name of ["crm-one", "crm-two", "hr-one"]) {
      const file = { name, category: name.split("-")[0] === "crm" ? "crm" : "human_resources", config: { base_url: "https://api.example" } };
      ok(await scripted.gateway.admin("PUT", `/integration/${name}`, file), 201);
    }
    const first = ok(await client("GET", "/category?limit=1&next_cursor="), 200);
    const second = ok(await client("GET", `/category?limit=1&next_cursor=${first.next_cursor}`), 200);
    assert.deepEqual([names(first), names(second), second.next_cursor], [["crm"], ["human_resources"], null]);
    assert.equal(second.result[0].label, "Human resources");
    assert.ok(first.result[0].created_at < first.result[0].updated_at);
  });
});

describe("a query as qs writes it", () => {
  test("goes on to the provider as it was written", () =>
    eachCase(["ids[0]=1&ids[1]=2", "ids%5B0%5D=1", "created_at[gt]=2026-01-01", "filter[a][b]=c"], async (written) => {
      ok(await client("GET", `/proxy/ships?${query}&${written}`), 200);
      assert.equal(decodeURIComponent(asked().url), decodeURIComponent(`/ships?${written}`));
    }));

  test("has its arrays in the format of the file", async () => {
    ok(await client("GET", `/proxy/boats?${query}&ids[0]=1&ids[1]=2&filter[a]=b`), 200);
    assert.deepEqual(Object.fromEntries(asked().query), { ids: "1,2", "filter[a]": "b" });
  });

  test("is read by placeholders, and what they read is used up", async () => {
    ok(await client("POST", `/proxy/ships/by?${query}&built[gt]=1890&ids[0]=a&ids[1]=b&other[x]=y`), 200);
    assert.equal(decodeURIComponent(asked().url), "/by/1890/b?other[x]=y");
  });

  test("compares dates: created_at[gt] and [lt]", () =>
    eachCase(["created_at[gt]", "created_at%5Bgt%5D"], async (name) => {
      const at = (days) => new Date(Date.now() + days * DAY).toISOString();
      const count = async (search) => ok(await client("GET", `/integrated-account?${search}`), 200).result.length;
      assert.equal(await count(`${name}=${at(-1)}`), 1);
      assert.equal(await count(`${name}=${at(1)}`), 0);
      assert.equal(await count(`${name.replace("gt", "lt")}=${at(1)}`), 1);
    }));
});

describe("the log", () => {
  const named = () => `log_type=unified_proxy_api&log_type_filter[integrated_account_id]=${scripted.account.id}`;

  test("is asked for by its type, with the account among its filters", async () => {
    ok(await client("GET", `/proxy/ships?${query}`), 200);
    await eventually(async () => {
      const { result } = ok(await client("GET", `/log?${named()}&next_cursor=`), 200);
      assert.ok(result.some(({ resource, status }) => resource === "ships" && status === 200));
    });
    const narrowed = ok(await client("GET", `/log?${named()}&log_type_filter%5Bresource%5D=none`), 200);
    assert.deepEqual(narrowed.result, []);
    const later = encodeURIComponent(new Date(Date.now() + DAY).toISOString());
    assert.deepEqual(ok(await client("GET", `/log?${named()}&created_at[gt]=${later}`), 200).result, []);
  });

  test("has one type, one value of each filter, and no other filter", async () => {
    assertError(await client("GET", `/log?${named()}&log_type=mcp`), 400, "caller.malformed");
    assertError(await client("GET", `/log?log_type=mcp&${query}`), 422, "caller.invalid");
    assertError(await client("GET", `/log?${named()}&${query}`), 400, "caller.malformed");
    assertError(await client("GET", `/log?${named()}&log_type_filter[colour]=red`), 400, "caller.malformed");
  });
});

describe("calls", () => {
  test("a custom method with an empty body", async () => {
    ok(await client("POST", `/proxy/ships/merge?${query}`), 200);
    assert.deepEqual([asked().method, asked().url, String(asked().body)], ["POST", "/ships/merge", ""]);
    ok(await client("POST", `/proxy/ships/merge?${query}`, "", { "content-type": "application/json" }), 200);
    assert.deepEqual([asked().url, String(asked().body)], ["/ships/merge", ""]);
  });

  test("a user agent of its own, which the provider does not see", async () => {
    ok(await client("GET", `/proxy/ships?${query}`, undefined, { "user-agent": "some-sdk/1.0.8" }), 200);
    assert.ok(!/some-sdk/.test(asked().headers["user-agent"] ?? ""));
  });

  test("`query.limit` of dynamic pagination is the caller's", async () => {
    const items = Array.from({ length: 5 }, (_, id) => ({ id }));
    scripted.answers.set("/pages", (request) => {
      const from = Number(request.query.get("from"));
      return { body: { items: items.slice(from, from + 2) } };
    });
    const seen = [];
    let cursor = "";
    do {
      const page = ok(await client("GET", `/proxy/pages?${query}&limit=2&next_cursor=${encodeURIComponent(cursor)}`), 200);
      seen.push(...page.result);
      cursor = page.next_cursor;
    } while (cursor);
    assert.deepEqual(seen, items);
  });
});

describe("409, which is tried again at once,", () => {
  test("is not what passes by itself: an account that is being connected", async () => {
    const { installed } = await scripted.install({ resources: {}, actions: { validation: { type: "request", config: { path: "/slow" } } } }, { name: "slow" });
    scripted.answers.set("/slow", () => ({ body: {}, delayMs: 1_500 }));
    const filled = linkToken(scripted.environment, { integration: "slow" }).then((link) => fillIn(link, { values: { api_key: "k" } }));
    const account = await eventually(async () => {
      const { result } = ok(await client("GET", `/integrated-account?environment_integration_id=${installed.id}&status=connecting`), 200);
      return result[0] ?? assert.fail("not there yet");
    });
    const early = await client("GET", `/custom/ships?integrated_account_id=${account.id}`);
    assertError(early, 503, "account.connecting");
    assert.equal(early.headers.get("retry-after"), "2");
    await filled;
    ok(await client("GET", `/custom/ships?integrated_account_id=${account.id}`), 200);
  });

  test("nor a write whose first request still runs", async () => {
    const key = { "idempotency-key": randomUUID() };
    scripted.answers.set("/ships/merge", () => ({ status: 201, body: { id: 1 }, delayMs: 1_000 }));
    const first = client("POST", `/proxy/ships/merge?${query}`, {}, key);
    await eventually(() => assert.equal(asked().headers["idempotency-key"], key["idempotency-key"]));
    const early = await client("POST", `/proxy/ships/merge?${query}`, {}, key);
    assertError(early, 503, "caller.idempotency_running");
    assert.equal(early.headers.get("retry-after"), "1");
    assert.deepEqual([(await first).status, (await client("POST", `/proxy/ships/merge?${query}`, {}, key)).status], [201, 201]);
  });
});

/** A request with this very target: `fetch` would leave out a question mark without a query. */
function exact(method, target) {
  const { hostname, port } = scripted.gateway.url;
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path: target, headers: { authorization: `Bearer ${scripted.environment.token}` } }, resolve);
    sent.on("error", reject).end();
  }).then(async (response) => ({ status: response.statusCode, body: parsed(Buffer.concat(await response.toArray()).toString()) }));
}
