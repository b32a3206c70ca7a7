// Several secrets of one request in a real runtime: a list of authorizations, the file's entries in every body, and a further token of
// the account's grant.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import { plant } from "./canaries.mjs";
import { eachCase } from "./cases.mjs";
import { startScriptedProvider } from "./scripted-provider.mjs";
import { assertError, ok } from "./steps.mjs";

const NOT_OF_THE_PROVIDER = { not: ["answered", "logged", "stored", "delivered"] };
const secret = (name) => plant(name, `${name.replaceAll(" ", "-")}/${randomUUID()}+&"`, NOT_OF_THE_PROVIDER);

let scripted;
before(async () => {
  scripted = await startScriptedProvider();
});
after(() => scripted?.stop());
beforeEach(() => scripted.clear());

describe("a list of authorizations and the file's body", () => {
  const context = { user_key: secret("the user key"), app_key: secret("the app key") };
  const config = {
    credentials: { api_key: { config: { fields: [{ name: "user_key", type: "password" }, { name: "app_key", type: "password" }] } } },
    authorization: [
      { format: "header", config: { name: "x-app-key", value: "{{app_key}}" } },
      { format: "query", config: { name: "key", value: "{{user_key}}" } },
      { format: "basic", config: { username: "{{user_key}}", password: "x" } },
    ],
    body: { key: "{{app_key}}", version: 2 },
    custom: true,
    resources: { items: { create: { method: "post", path: "/items" }, form: { method: "post", path: "/items", body_format: "form", body: { a: "{{body.a}}" } } } },
  };
  let account;
  const call = (method, target, body, headers) => scripted.call(method, target, body, headers, { account });
  before(async () => {
    ({ account } = await scripted.install(config, { context }));
  });

  test("every secret arrives, and none of the caller's in its place", async () => {
    const merged = (body) => JSON.stringify({ ...body, key: context.app_key, version: 2 });
    const form = new URLSearchParams({ key: context.app_key, version: 2 });
    await eachCase(
      [
        ["/proxy/items?key=theirs", { n: 1, key: "theirs" }, {}, merged({ n: 1 })],
        ["/custom/items?key=theirs", { n: 1 }, {}, merged({ n: 1 })],
        ["/custom/items", "n=1&key=theirs", { "content-type": "application/x-www-form-urlencoded" }, `n=1&${form}`],
        ["/proxy/items/form", { a: "ä" }, {}, `a=%C3%A4&${form}`],
        ["/proxy/items", undefined, {}, merged({})],
      ],
      async ([target, body, headers, expected]) => {
        scripted.requests.length = 0;
        ok(await call("POST", target, body, { "x-app-key": "theirs", ...headers }), 200);
        const [request] = scripted.requests;
        if (expected.includes("n=1") || expected.startsWith("a=")) assert.deepEqual([...new URLSearchParams(String(request.body))], [...new URLSearchParams(expected)]);
        else assert.equal(String(request.body), expected);
        assert.equal(request.headers["x-app-key"], context.app_key);
        assert.equal(request.headers.authorization, `Basic ${Buffer.from(`${context.user_key}:x`).toString("base64")}`);
        assert.deepEqual(new URL(request.url, scripted.url).searchParams.getAll("key"), [context.user_key]);
      },
    );
  });

  test("a body of another type cannot go around the file's entries", async () => {
    scripted.requests.length = 0;
    assertError(await call("POST", "/custom/items", '{"key":"theirs"}', { "content-type": "text/plain" }), 400, "caller.malformed");
    assert.equal(scripted.requests.length, 0);
  });

  test("a redirect to the same origin gets them, and its answer shows none", async () => {
    scripted.answers.set("/items", ({ url }) => ({ status: 307, headers: { location: `/moved?of=${encodeURIComponent(url)}` } }));
    scripted.answers.set("/moved", ({ headers, body, url }) => ({ status: 400, body: { seen: [headers["x-app-key"], headers.authorization, String(body), url] } }));
    const answer = await call("POST", "/proxy/items", { n: 1 });
    assert.equal(answer.status, 400);
    const moved = scripted.requests.at(-1);
    assert.equal(moved.headers["x-app-key"], context.app_key);
    assert.equal(JSON.parse(moved.body).key, context.app_key);
    for (const key of Object.values(context)) assert.ok(!answer.text.includes(key));
  });
});

describe("a further token of the grant", () => {
  const token = (kind) => secret(`the ${kind} token`);
  const config = (url) => ({
    credentials: {
      oauth2: {
        config: {
          client: { id: "app-1", secret: "app-secret" },
          auth: { authorizeUrl: `${url}/authorize`, tokenUrl: `${url}/token` },
          alsoFor: { crm: { scope: ["crm.read"], params: { audience: "crm" } } },
        },
      },
    },
    authorization: { format: "bearer" },
    resources: {
      mail: { get: { path: "/mail/{{id}}" } },
      crm: { get: { path: "/crm/{{id}}", authorization: [{ format: "bearer", config: { token: "{{oauth.token.also.crm.access_token}}" } }] } },
    },
  });
  let account, asked, current;
  const get = (resource) => scripted.call("GET", `/proxy/${resource}/1`, undefined, {}, { account });

  beforeEach(async () => {
    [asked, current] = [[], { main: token("main"), refresh: token("refresh") }];
    scripted.answers.set("/token", ({ body }) => {
      const form = new URLSearchParams(String(body));
      asked.push(form.get("audience") ?? "main");
      if (form.get("refresh_token") !== current.refresh) return { status: 400, body: { error: "invalid_grant" } };
      current.refresh = token("refresh");
      const kind = form.get("audience") === "crm" ? "crm" : "main";
      current[kind] = token(kind);
      return { body: { access_token: current[kind], refresh_token: current.refresh, expires_in: 3600 } };
    });
    for (const [path, kind] of [["/mail/1", "main"], ["/crm/1", "crm"]]) {
      scripted.answers.set(path, ({ headers }) => (headers.authorization === `Bearer ${current[kind]}` ? { body: { id: 1 } } : { status: 401, body: { seen: headers.authorization } }));
    }
    const oauth = { token: { access_token: current.main, refresh_token: current.refresh, expires_in: 3600, expires_at: new Date(Date.now() + 3_600_000).toISOString() } };
    ({ account } = await scripted.install(config(scripted.url), { context: { oauth }, authentication_method: "oauth2" }));
  });

  test("is obtained once for all that wait, by a refresh token that is good for one request", async () => {
    const answers = await Promise.all([get("crm"), get("mail"), get("crm"), get("crm")]);
    for (const answer of answers) ok(answer, 200);
    assert.deepEqual(asked, ["crm"]);
    ok(await scripted.environment.call("POST", "/integrated-account/refresh-credentials", { id: account.id }), 200);
    ok(await get("mail"), 200);
    ok(await get("crm"), 200);
    assert.deepEqual(asked, ["crm", "main", "crm"]);
    for (const kind of Object.values(current)) assert.deepEqual(await scripted.gateway.filesHolding(kind), []);
  });

  test("is renewed after a 401, and its failure leaves the account as it is", async () => {
    ok(await get("crm"), 200);
    current.crm = "revoked";
    ok(await get("crm"), 200);
    assert.deepEqual(asked, ["crm", "main", "crm"]);
    const main = scripted.answers.get("/token");
    scripted.answers.set("/token", (request, n) => (String(request.body).includes("audience=crm") ? { status: 400, body: { error: "invalid_grant" } } : main(request, n)));
    ok(await scripted.environment.call("POST", "/integrated-account/refresh-credentials", { id: account.id }), 200);
    const refused = await get("crm");
    assertError(refused, 503, "provider.token_endpoint");
    ok(await get("mail"), 200);
    assert.equal(ok(await scripted.environment.call("GET", `/integrated-account/${account.id}`), 200).status, "active");
  });
});
