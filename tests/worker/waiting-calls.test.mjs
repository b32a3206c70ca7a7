// A call uses what is true when it sends: 200 calls on an account whose token has died at the provider, where every second
// refusal comes 2.5 seconds late. Those that wait for a connection wait for the fresh token, too.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { importAccount } from "./steps.mjs";
import { startScriptedProvider } from "./scripted-provider.mjs";

const CALLS = 200;
const DEAD_AT_MOST = 8;

let scripted;
before(async () => {
  const config = (url) => ({
    credentials: {
      oauth2: {
        format: "oauth2",
        config: { client: { id: "our-id", secret: "our-secret" }, auth: { tokenHost: url, authorizePath: "/authorize", tokenPath: "/token" } },
      },
      api_key: { format: "api_key", config: { fields: [{ name: "api_key", type: "password" }] } },
    },
    authorization: { format: "bearer", config: { token: "{{oauth.token.access_token|api_key}}" } },
    error_expression: 'response.code = "token_expired" ? { "status": 401, "message": "expired" }',
    resources: { things: { get: { path: "/things/{{id}}" }, create: { method: "post", path: "/things" } } },
  });
  scripted = await startScriptedProvider({ config });
});
after(() => scripted?.stop());
beforeEach(() => scripted.clear());

/** An account whose token the provider no longer takes: it says so with this status. */
async function dead(status, path) {
  const token = { access_token: "old", refresh_token: "r1", token_type: "Bearer", expires_at: new Date(Date.now() + 3_600_000).toISOString() };
  const account = await importAccount(scripted.environment, scripted.installed, { oauth: { token } }, { authentication_method: "oauth2" });
  scripted.answers.set("/token", () => ({ body: { access_token: "new", refresh_token: "r2", expires_in: 3_600 }, delayMs: 300 }));
  scripted.answers.set(path, ({ headers }, n) => {
    if (headers.authorization === "Bearer new") return { body: { ok: true } };
    return { status, body: { code: "token_expired" }, delayMs: n % 2 === 0 ? 2_500 : 0 };
  });
  return account;
}

describe("200 calls with a dead token", () => {
  for (const status of [401, 200, 403]) {
    for (const [method, way, path] of [["GET", "/proxy/things/1", "/things/1"], ["POST", "/proxy/things", "/things"]]) {
      test(`${method}, refused with ${status}`, async () => {
        const account = await dead(status, path);
        const body = method === "POST" ? { name: "Fram" } : undefined;
        const calls = Array.from({ length: CALLS }, () => scripted.call(method, way, body, { "x-timeout-ms": "60000" }, { account }));
        const answers = await Promise.all(calls);
        const good = answers.filter((answer) => answer.status === 200);
        assert.equal(good.length, CALLS, answers.find((answer) => answer.status !== 200)?.text);
        assert.equal(scripted.at("/token").length, 1, "one refresh");
        const old = scripted.at(path).filter(({ headers }) => headers.authorization === "Bearer old");
        assert.ok(old.length <= DEAD_AT_MOST, `${old.length} with the dead token`);
      });
    }
  }
});

describe("a write that was made", () => {
  test("is reported as made, where its answer cannot be used", async () => {
    scripted.answers.set("/made", () => ({ status: 303, headers: { location: "ftp://files.example/7" }, body: { id: 7 } }));
    const answer = await scripted.call("POST", "/custom/made", { a: 1 }, { "x-max-retries": "0" });
    assert.equal(answer.status, 303);
    assert.equal(answer.headers.get("location"), null);
    assert.deepEqual([answer.body.code, answer.body.details.write, answer.body.details.status, answer.body.raw_response], ["provider.redirect_refused", "done", 303, { id: 7 }]);
    assert.equal(scripted.at("/made").length, 1);
  });
});
