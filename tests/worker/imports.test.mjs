// An import does what a connect does, in the real runtime: a token is got if none came, `post_install` and `validation` run, the answer
// says how they ended. After a SIGKILL in between nothing is doubled that a customer's form would not double.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { promisify } from "node:util";
import { plant } from "./canaries.mjs";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { COMPANY, leaves, linkToken } from "./oauth-accounts.mjs";
import { startScriptedProvider } from "./scripted-provider.mjs";
import { assertError, eventually, newEnvironment, ok } from "./steps.mjs";
import { Visitor } from "./visitor.mjs";

const NOT_OF_THE_PROVIDER = { not: ["answered", "logged", "stored", "delivered"] };
const secret = (what) => plant(what, `${what}-${randomUUID()}`, NOT_OF_THE_PROVIDER);
const SECRETS = { api_key: secret("imported-key"), client_secret: secret("client-secret"), password: secret("password"), token_secret: secret("token-secret"), refresh_token: secret("refresh-token"), granted: secret("granted"), session: secret("session") };
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const PEM = privateKey.export({ type: "pkcs8", format: "pem" });

const field = (name) => ({ name, type: /secret|password|key$/.test(name) ? "password" : "text", required: true });
const fields = (...names) => names.map(field);
const bearer = { format: "bearer", config: { token: "{{access_token}}" } };
const jwt = { algorithm: "RS256", key: "{{private_key}}", claims: { iss: "robot" } };
const text = (template) => ({ format: "header", config: { name: "authorization", value: template } });

/** name → [format, its config, authorization, what is imported, what gets the token, what `/me` is authenticated with]. */
const formats = (url) => ({
  "a refresh token alone": ["oauth2", { client: { id: "our-id", secret: "our-secret" }, auth: { authorizeUrl: `${url}/authorize`, tokenUrl: `${url}/token` } }, bearer, { oauth: { token: { refresh_token: SECRETS.refresh_token } } }, "/token", `Bearer ${SECRETS.granted}`],
  "client credentials": ["oauth2_client_credentials", { auth: { tokenUrl: `${url}/token` }, fields: fields("client_id", "client_secret") }, bearer, { client_id: "c-1", client_secret: SECRETS.client_secret }, "/token", `Bearer ${SECRETS.granted}`],
  jwt: ["jwt", { fields: fields("private_key"), jwt }, bearer, { private_key: PEM }, undefined, "Bearer eyJ"],
  jwt_bearer: ["jwt_bearer", { fields: fields("private_key"), auth: { tokenUrl: `${url}/token` }, jwt }, bearer, { private_key: PEM }, "/token", `Bearer ${SECRETS.granted}`],
  custom_token: ["custom_token", { fields: fields("login", "password"), steps: [{ type: "request", config: { method: "post", path: "/login", body: { user: "{{login}}", password: "{{password}}" } } }], token: { access_token: "session" } }, bearer, { login: "ada", password: SECRETS.password }, "/login", `Bearer ${SECRETS.session}`],
  api_key: ["api_key", { fields: fields("api_key") }, text("Key {{api_key}}"), { api_key: SECRETS.api_key }, undefined, `Key ${SECRETS.api_key}`],
  basic: ["api_key", { fields: fields("user", "api_key") }, { format: "basic", config: { username: "{{user}}", password: "{{api_key}}" } }, { user: "ada", api_key: SECRETS.api_key }, undefined, `Basic ${btoa(`ada:${SECRETS.api_key}`)}`],
  "OAuth 1.0a": ["oauth", { consumer: { id: "{{consumer_key}}", secret: "{{client_secret}}" }, fields: fields("consumer_key", "client_secret", "token_id", "token_secret") }, { format: "oauth1", config: { token: "{{token_id}}", token_secret: "{{token_secret}}" } }, { consumer_key: "ck", client_secret: SECRETS.client_secret, token_id: "tk", token_secret: SECRETS.token_secret }, undefined, 'OAuth oauth_consumer_key="ck"'],
  aws_sigv4: ["api_key", { fields: fields("user", "api_key") }, { format: "aws_sigv4", config: { access_key_id: "{{user}}", secret_access_key: "{{api_key}}", region: "eu-central-1", service: "s3" } }, { user: "ada", api_key: SECRETS.api_key }, undefined, "AWS4-HMAC-SHA256 Credential=ada/"],
});

const ACTIONS = {
  post_install: { steps: [
    { type: "request", config: { method: "post", path: "/setup" } },
    { type: "update_context", config: { expression: "{ 'team': $previous.team }" } },
  ] },
  validation: { type: "request", config: { path: "/me" } },
};

let scripted;
before(async () => (scripted = await startScriptedProvider()));
after(() => scripted?.stop());
beforeEach(() => {
  scripted.clear();
  scripted.answers.set("/token", () => ({ body: { access_token: SECRETS.granted, expires_in: 3600 } }));
  scripted.answers.set("/login", () => ({ body: { session: SECRETS.session } }));
  scripted.answers.set("/setup", () => ({ body: { team: "north" } }));
});

/** A file with one of the formats, installed: `{name, body}`; the body imports it for a new tenant. */
async function installed(of) {
  const [format, config, authorization, context] = formats(scripted.url)[of];
  const name = `imported-${randomUUID().slice(0, 8)}`;
  const file = { base_url: scripted.url, credentials: { [format]: { config } }, authorization, resources: { items: { get: { path: "/items/{{id}}" } } }, actions: ACTIONS };
  ok(await scripted.gateway.admin("PUT", `/integration/${name}`, { name, config: file }), 201);
  const { id } = ok(await scripted.environment.call("POST", "/environment-integration", { integration_name: name }), 201);
  return { name, body: { tenant_id: randomUUID(), environment_integration_id: id, authentication_method: format, context } };
}

const importing = (body) => scripted.environment.call("POST", "/integrated-account", body);
const asked = () => scripted.requests.map(({ path }) => path);
const accountsOf = async ({ tenant_id }) => ok(await scripted.environment.call("GET", `/integrated-account?tenant_id=${tenant_id}`), 200).result;
const eventsOf = async ({ id }) => ok(await scripted.environment.call("GET", `/event?integrated_account_id=${id}`), 200).result.map(({ event }) => event.replace("integrated_account:", "")).reverse();
const calling = ({ id }) => scripted.environment.call("GET", `/proxy/items/1?integrated_account_id=${id}`);

describe("an import", () => {
  test("of each format gets its token, runs the actions and is active", () =>
    eachCase(Object.entries(formats("http://unused.example")), async ([name, [, , , , token, authorization]]) => {
      scripted.requests.length = 0;
      const { body } = await installed(name);
      const account = ok(await importing(body), 201);
      assert.equal(account.status, "active", JSON.stringify(account));
      assert.equal(account.context.team, "north");
      assert.deepEqual(asked(), [...(token ? [token] : []), "/setup", "/me"], name);
      assert.ok(scripted.at("/me")[0].headers.authorization.startsWith(authorization), name);
      assert.deepEqual(await eventsOf(account), ["created", "active"]);
      ok(await calling(account), 200);
    }));

  test("with `run_actions: false` is active at once", () =>
    eachCase(["client credentials", "api_key", "a refresh token alone"], async (name) => {
      scripted.requests.length = 0;
      const { body } = await installed(name);
      const account = ok(await importing({ ...body, run_actions: false }), 201);
      assert.equal(account.status, "active");
      assert.deepEqual(asked(), []);
      ok(await calling(account), 200);
    }));

  test("says which action failed, and the account is kept", () =>
    eachCase([["/setup", "post_install"], ["/me", "validation"]], async ([path, action]) => {
      scripted.requests.length = 0;
      scripted.answers.set(path, () => ({ status: 401, body: { message: `No such key: ${SECRETS.api_key}` } }));
      const { body } = await installed("api_key");
      const account = ok(await importing(body), 201);
      assert.equal(account.status, `${action}_error`);
      assert.equal(account.last_action_run_result.action, action);
      assert.equal(account.last_action_run_result.error.message, account.last_error);
      assert.deepEqual(await accountsOf(body), [account]);
      assertError(await calling(account), 409, "account.not_ready");
      scripted.answers.delete("/me");
      scripted.answers.set("/setup", () => ({ body: { team: "north" } }));
    }));

  test("whose token is refused stores nothing and runs no action", async () => {
    scripted.answers.set("/token", () => ({ status: 401, body: { error: "invalid_client" } }));
    const { body } = await installed("client credentials");
    assertError(await importing(body), 422, "account.connection_error");
    assert.deepEqual(await accountsOf(body), []);
    assert.deepEqual(asked(), ["/token"]);
  });
});

/** A customer's form with the values of an import; the link is for the same tenant. */
async function form({ name, body }) {
  const link = await linkToken(scripted.environment, { tenant_id: body.tenant_id, integration: name, redirect_uri: COMPANY });
  const visitor = new Visitor();
  const page = await visitor.open(link.url);
  return visitor.submit(page, body.context, { until: leaves(link) });
}

describe("a SIGKILL while an action waits for its answer", () => {
  const ways = { "an import": ({ body }) => importing(body), "a form": form };
  for (const at of ["/setup", "/me"]) {
    test(`at ${at}: the alarm goes on, and an import repeats what a form repeats`, async () => {
      const counts = {};
      for (const [way, act] of Object.entries(ways)) {
        scripted.requests.length = 0;
        const subject = await installed("client credentials");
        const reached = Promise.withResolvers();
        const answer = scripted.answers.get(at);
        scripted.answers.set(at, () => (reached.resolve(), "silent"));
        const cut = act(subject).catch((error) => error);
        await reached.promise;
        if (answer) scripted.answers.set(at, answer);
        else scripted.answers.delete(at);
        await scripted.gateway.restart({ late: true });
        assert.ok((await cut) instanceof Error, `${way} was answered`);
        const [account, ...others] = await eventually(async () => {
          const found = await accountsOf(subject.body);
          assert.equal(found[0].status, "active");
          return found;
        });
        assert.deepEqual(others, []);
        assert.equal(account.context.team, "north");
        assert.deepEqual(await eventsOf(account), ["created", "active"]);
        ok(await calling(account), 200);
        counts[way] = ["/token", "/setup", "/me"].map((path) => `${path} ${scripted.at(path).length}`);
      }
      assert.deepEqual(counts["an import"], counts["a form"]);
      assert.equal(counts["an import"][0], "/token 1", "the token was stored");
    });
  }
});

describe("the README", () => {
  test("its commands run with a provider that refuses", async () => {
    const gateway = await start({ internet: () => Response.json({ message: "Bad credentials" }, { status: 401 }) });
    try {
      const github = await readFile(path.join(import.meta.dirname, "../../integrations/github.json"), "utf8");
      ok(await gateway.admin("PUT", "/integration/github", github), 201);
      const readme = await readFile(path.join(import.meta.dirname, "../../README.md"), "utf8");
      const block = (heading) => readme.split(`## ${heading}\n`)[1].split("```sh\n")[1].split("```")[0];
      const commands = block("A first proxied call to a real provider").replace(/^api=.*$/m, `api=${new URL(gateway.url).origin}; admin=${gateway.vars.ADMIN_TOKEN}`);
      const { stdout } = await promisify(execFile)("bash", ["-euc", `${commands}\n${block("Webhooks in, events out")}`]);
      assert.match(stdout, /"code":"account.not_ready"/);
      assert.match(stdout, /whsec_/);
      assert.match(stdout, /"event":"integrated_account:post_install_error"/);
      assert.match(stdout, /"event":"github:issues.opened"/);
    } finally {
      await gateway.stop();
    }
  });
});
