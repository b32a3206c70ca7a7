// `custom_token`: a customer types a user name and a password, and steps get a session for them; when it is refused or has expired, they
// get the next one.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import { plant } from "./canaries.mjs";
import { COMPANY, leaves, linkToken, resultOf } from "./oauth-accounts.mjs";
import { startScriptedProvider } from "./scripted-provider.mjs";
import { assertError, importAccount, ok } from "./steps.mjs";
import { Visitor } from "./visitor.mjs";

const NOT_OF_THE_PROVIDER = { not: ["answered", "logged", "stored", "delivered"] };
const PASSWORD = plant("the customer's password", `right/${randomUUID()}+"&"`, NOT_OF_THE_PROVIDER);

const CREDENTIAL = {
  fields: [
    { name: "login", label: "User name", required: true },
    { name: "password", label: "Password of the API", type: "password", required: true },
  ],
  steps: [
    { type: "request", config: { path: "/nonce" } },
    { type: "request", config: { method: "post", path: "/login", headers: { "x-nonce": "{{body.nonce}}" }, body: { user: "{{login}}", password: "{{password}}" } } },
  ],
  token: { access_token: "$headers.\"x-session\"", expires_in: "minutes * 60" },
  contextFromToken: { site: "site.name" },
};
const CONFIG = {
  label: "Session provider",
  credentials: { custom_token: { format: "custom_token", config: CREDENTIAL } },
  authorization: { format: "header", config: { name: "x-session", value: "{{access_token}}" } },
  resources: { items: { get: { path: "/items/{{id}}" } } },
};

let scripted, installed, integration;
/** The session that is valid; a login gives the next one. */
let session;
before(async () => {
  scripted = await startScriptedProvider();
  integration = `sessions-${randomUUID().slice(0, 8)}`;
  ok(await scripted.gateway.admin("PUT", `/integration/${integration}`, { name: integration, config: { base_url: scripted.url, ...CONFIG } }), 201);
  installed = ok(await scripted.environment.call("POST", "/environment-integration", { integration_name: integration }), 201);
});
after(() => scripted?.stop());
beforeEach(() => {
  scripted.clear();
  scripted.answers.set("/nonce", () => ({ body: { nonce: "n-1" } }));
  scripted.answers.set("/login", login);
  scripted.answers.set("/items/1", ({ headers }) => (headers["x-session"] === session ? { body: { id: 1 } } : { status: 401, body: { message: "No such session." } }));
});

function login({ headers, body }) {
  const { user, password } = JSON.parse(body);
  assert.equal(headers["x-nonce"], "n-1");
  assert.equal(headers["x-session"], undefined, "a login has no session yet");
  if (password !== PASSWORD) return { status: 401, body: { error: `No user ${user} has this password: ${password}` } };
  session = plant("a session", `session/${randomUUID()}+`, NOT_OF_THE_PROVIDER);
  return { headers: { "x-session": session }, body: { minutes: 10, site: { name: "north" } } };
}

const call = (account) => scripted.environment.call("GET", `/proxy/items/1?integrated_account_id=${account.id}`);
const typed = (password = PASSWORD) => ({ login: "ada", password });
const body = (password) => ({ tenant_id: "tenant-1", environment_integration_id: installed.id, authentication_method: "custom_token", context: typed(password) });

describe("a customer", () => {
  test("is asked again after a refusal, connects, and calls go on when the session is refused", async () => {
    const link = await linkToken(scripted.environment, { integration, redirect_uri: COMPANY });
    const visitor = new Visitor();
    const page = await visitor.open(link.url);
    assert.equal(page.status, 200);
    assert.match(page.text, /Session provider/);
    assert.match(page.text, /User name/);
    assert.equal(page.form.fields.find(({ name }) => name === "password").type, "password");

    const wrong = plant("a wrong password", `wrong-${randomUUID()}`, NOT_OF_THE_PROVIDER);
    const refused = await visitor.submit(page, typed(wrong), { until: leaves(link) });
    assert.equal(refused.status, 422, refused.text);
    assert.equal(refused.form.defaults.login, "ada", "the input is kept");
    assert.match(refused.text, /No user ada/);
    const before = ok(await scripted.environment.call("GET", "/integrated-account"), 200).result;
    assert.ok(before.every(({ authentication_method }) => authentication_method !== "custom_token"), "nothing is stored");

    const result = resultOf(await visitor.submit(refused, typed(), { until: leaves(link) }));
    assert.equal(result.result, "success", JSON.stringify(result));
    const account = ok(await scripted.environment.call("GET", `/integrated-account/${result.integrated_account_id}`), 200);
    assert.equal(account.status, "active");
    assert.deepEqual(account.context, { login: "ada", site: "north" });
    assert.equal(scripted.at("/login").length, 2);
    ok(await call(account), 200);

    const first = session;
    session = "another";
    ok(await call(account), 200);
    assert.notEqual(session, first);
    assert.equal(scripted.at("/login").length, 3, "one login for the refused session");
    await scripted.gateway.evict("Account");
    ok(await call(account), 200);
    assert.equal(scripted.at("/login").length, 3, "the session is stored");
  });
});

describe("an import", () => {
  test("without a token gets one; refused values store nothing", async () => {
    const wrong = plant("another wrong password", `wrong-${randomUUID()}`, NOT_OF_THE_PROVIDER);
    const accounts = async () => ok(await scripted.environment.call("GET", "/integrated-account"), 200).result.length;
    const before = await accounts();
    assertError(await scripted.environment.call("POST", "/integrated-account", body(wrong)), 422, "account.connection_error");
    assert.equal(await accounts(), before);
    const account = ok(await scripted.environment.call("POST", "/integrated-account", body()), 201);
    assert.deepEqual(account.context, { login: "ada", site: "north" });
    ok(await call(account), 200);
    assert.equal(scripted.at("/login").length, 2);
  });

  test("one login for many calls on a refused session", async () => {
    const account = ok(await scripted.environment.call("POST", "/integrated-account", body()), 201);
    session = "another";
    const answers = await Promise.all(Array.from({ length: 40 }, () => call(account)));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    assert.equal(scripted.at("/login").length, 2);
  });

  test("a password that is refused later ends in needs_reauth, and another one ends that", async () => {
    const account = ok(await scripted.environment.call("POST", "/integrated-account", body()), 201);
    scripted.answers.set("/login", () => ({ status: 400, body: { error: "invalid_grant" } }));
    session = "another";
    assertError(await call(account), 401, "account.needs_reauth");
    const logins = scripted.at("/login").length;
    assertError(await call(account), 401, "account.needs_reauth");
    assert.equal(scripted.at("/login").length, logins);

    scripted.answers.set("/login", login);
    ok(await scripted.environment.call("PATCH", `/integrated-account/${account.id}/credentials`, { context: { password: PASSWORD } }), 200);
    ok(await call(account), 200);
  });

  test("a session ends: the next call, or the alarm ahead of it, logs in", async () => {
    scripted.answers.set("/login", (request) => {
      const answer = login(request);
      answer.body.minutes = 0.02;
      return answer;
    });
    const account = await importAccount(scripted.environment, installed, typed(), { authentication_method: "custom_token" });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const first = session;
    ok(await call(account), 200);
    assert.notEqual(session, first);
  });
});
