// Tokens that the gateway signs, verified by `jose`: sent as they are (`jwt`), as the assertion of a grant (`jwt_bearer`), as the
// authentication of a client (`private_key_jwt`), and by a step of a `custom_token`.

import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync, randomBytes, randomUUID } from "node:crypto";
import { after, before, beforeEach, describe, test } from "node:test";
import { exportJWK, jwtVerify } from "jose";
import { plant } from "./canaries.mjs";
import { eachCase } from "./cases.mjs";
import { COMPANY, leaves, linkToken, resultOf } from "./oauth-accounts.mjs";
import { startScriptedProvider } from "./scripted-provider.mjs";
import { assertError, ok } from "./steps.mjs";
import { Visitor } from "./visitor.mjs";

const NOT_OF_THE_PROVIDER = { not: ["answered", "logged", "stored", "delivered"] };
const ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const ROBOT = "robot@signed-provider.example";

/** algorithm → its key pair, or its secret: `{sign, verify, format}`, `sign` as the customer types it. */
const KEYS = { ...pairs(), ...secrets() };
const OTHER_KEYS = { ...pairs(), ...secrets() };

function pairs() {
  const pem = { type: "pkcs8", format: "pem" };
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const ed = generateKeyPairSync("ed25519");
  const of = ({ publicKey, privateKey }, options = pem) => ({ sign: privateKey.export(options), verify: publicKey, format: "pem" });
  return { RS256: of(rsa), "RS256 in PKCS #1": of(rsa, { ...pem, type: "pkcs1" }), PS256: of(rsa), ES256: of(ec), "ES256 in SEC 1": of(ec, { ...pem, type: "sec1" }), EdDSA: of(ed) };
}

function secrets() {
  const bytes = randomBytes(64);
  const text = bytes.toString("base64url");
  return {
    HS256: { sign: text, verify: Buffer.from(text), format: "utf8" },
    HS384: { sign: bytes.toString("hex"), verify: bytes, format: "hex" },
    HS512: { sign: bytes.toString("base64"), verify: bytes, format: "base64" },
  };
}

const algorithmOf = (name) => name.split(" ")[0];
const FIELDS = [
  { name: "robot", label: "Service account" },
  { name: "client_id", label: "Client" },
  { name: "private_key", label: "Private key", type: "password", required: true },
];

let scripted;
before(async () => {
  for (const [name, { sign }] of Object.entries(KEYS)) plant(`the key of ${name}`, sign.split("\n")[1] ?? sign, NOT_OF_THE_PROVIDER);
  scripted = await startScriptedProvider();
});
after(() => scripted?.stop());
beforeEach(() => scripted.clear());

const jwt = (name, more) => ({ algorithm: algorithmOf(name), key: "{{private_key}}", key_format: KEYS[name].format, key_id: "k-1", claims: { iss: "{{robot}}", sub: "{{robot}}" }, ...more });
const context = (name) => ({ robot: ROBOT, client_id: "client-1", private_key: KEYS[name].sign });

/** A file with this credential, and an account that was imported without a token. */
function accountOf(format, config, values) {
  const more = { credentials: { [format]: { format, config: { fields: FIELDS, ...config } } }, authorization: { format: "bearer" }, resources: { items: { get: { path: "/items/{{id}}" } } } };
  return scripted.install(more, { context: values, authentication_method: format });
}
const call = (account) => scripted.call("GET", "/proxy/items/1", undefined, {}, { account });

/** What a token says, verified with the account's public key. */
async function verified(token, name, expected = {}) {
  plant("a signed token", token, NOT_OF_THE_PROVIDER);
  const { payload, protectedHeader } = await jwtVerify(token, KEYS[name].verify, { algorithms: [algorithmOf(name)], requiredClaims: ["iat", "nbf", "exp", "jti"], ...expected });
  assert.deepEqual([protectedHeader.typ, protectedHeader.kid], ["JWT", "k-1"]);
  return payload;
}

const bearer = ({ headers }) => headers.authorization.replace("Bearer ", "");

describe("jwt", () => {
  test("each algorithm signs what jose verifies, and another key does not", async () => {
    await eachCase(Object.keys(KEYS), async (name) => {
      const { account } = await accountOf("jwt", { jwt: jwt(name) }, context(name));
      const tokens = [];
      scripted.answers.set("/items/1", async (request) => {
        tokens.push(bearer(request));
        await verified(tokens.at(-1), name, { issuer: ROBOT, subject: ROBOT });
        return { body: { id: 1 } };
      });
      ok(await call(account), 200);
      ok(await call(account), 200);
      assert.equal(new Set(tokens).size, 1, "one token until it expires");
      const another = jwtVerify(tokens[0], OTHER_KEYS[name].verify, { algorithms: [algorithmOf(name)] });
      await assert.rejects(another, { code: "ERR_JWS_SIGNATURE_VERIFICATION_FAILED" });
    });
  });

  test("a JSON Web Key signs, too", async () => {
    await eachCase(["RS256", "ES256", "EdDSA"], async (name) => {
      const jwk = JSON.stringify(await exportJWK(createPrivateKey(KEYS[name].sign)));
      const { account } = await accountOf("jwt", { jwt: jwt(name, { key_format: "jwk" }) }, { ...context(name), private_key: jwk });
      scripted.answers.set("/items/1", async (request) => ({ body: await verified(bearer(request), name) }));
      assert.equal(ok(await call(account), 200).iss, ROBOT);
    });
  });

  test("a refused token is signed again", async () => {
    const { account } = await accountOf("jwt", { jwt: jwt("ES256") }, context("ES256"));
    scripted.answers.set("/items/1", (_, n) => (n === 1 ? { status: 401, body: {} } : { body: { id: 1 } }));
    ok(await call(account), 200);
    const [first, second] = await Promise.all(scripted.at("/items/1").map((request) => verified(bearer(request), "ES256")));
    assert.notEqual(first.jti, second.jti);
  });

  test("a key that cannot be read is said at the import, and on the page", async () => {
    const { installed } = await accountOf("jwt", { jwt: jwt("RS256") }, context("RS256"));
    const broken = plant("a broken key", `broken-${randomUUID()}`, NOT_OF_THE_PROVIDER);
    const imported = { tenant_id: "tenant-1", environment_integration_id: installed.id, authentication_method: "jwt", context: { ...context("RS256"), private_key: broken } };
    assertError(await scripted.environment.call("POST", "/integrated-account", imported), 422, "account.context_value");
    const link = await linkToken(scripted.environment, { integration: installed.integration_name });
    const visitor = new Visitor();
    const refused = await visitor.submit(await visitor.open(link.url), { robot: ROBOT, private_key: broken });
    assert.equal(refused.status, 422, refused.text);
    assert.match(refused.text, /Check what you filled in/);
  });
});

/** A token endpoint that gives a token for what `check` accepts. */
function grants(check) {
  const issued = [];
  scripted.answers.set("/token", async ({ body }) => {
    const form = Object.fromEntries(new URLSearchParams(body.toString()));
    try {
      await check(form);
    } catch (error) {
      return { status: 400, body: { error: "invalid_grant", error_description: `${error.message}: ${form.assertion ?? form.client_assertion}` } };
    }
    issued.push(plant("an access token", `access/${randomUUID()}+`, NOT_OF_THE_PROVIDER));
    return { body: { access_token: issued.at(-1), token_type: "Bearer", expires_in: 600, instance: "north" } };
  });
  scripted.answers.set("/items/1", (request) => (bearer(request) === issued.at(-1) ? { body: { id: 1 } } : { status: 401, body: {} }));
  return issued;
}

const JWT_BEARER = () => ({ auth: { tokenUrl: `${scripted.url}/token` }, contextFromToken: { instance: "instance" } });
const ofRobot = (name) => async (form) => {
  assert.deepEqual(Object.keys(form).sort(), ["assertion", "grant_type"]);
  assert.equal(form.grant_type, GRANT);
  await verified(form.assertion, name, { issuer: ROBOT, subject: ROBOT, audience: `${scripted.url}/token` });
};

describe("jwt_bearer", () => {
  test("an import gets a token, and a 401 the next one", async () => {
    await eachCase(["RS256", "ES256"], async (name) => {
      const issued = grants(ofRobot(name));
      const { account } = await accountOf("jwt_bearer", { ...JWT_BEARER(), jwt: jwt(name) }, context(name));
      assert.equal(account.context.instance, "north");
      assert.equal(issued.length, 1);
      ok(await call(account), 200);
      issued.push("another");
      ok(await call(account), 200);
      const assertions = scripted.at("/token").map(({ body }) => new URLSearchParams(body.toString()).get("assertion"));
      assert.equal(new Set(assertions).size, assertions.length, "each request has its own");
      scripted.clear();
    });
  });

  test("a customer connects by the form; a refusal, which repeats the assertion, shows nothing of it", async () => {
    grants(ofRobot("RS256"));
    const { installed } = await accountOf("jwt_bearer", { ...JWT_BEARER(), jwt: jwt("RS256") }, context("RS256"));
    const link = await linkToken(scripted.environment, { integration: installed.integration_name, redirect_uri: COMPANY });
    const visitor = new Visitor();
    grants(async (form) => {
      plant("a refused assertion", form.assertion, NOT_OF_THE_PROVIDER);
      throw new Error("no such robot");
    });
    const pasted = KEYS.RS256.sign.replaceAll("\n", ""); // as a browser does in a field of one line
    const refused = await visitor.submit(await visitor.open(link.url), { robot: ROBOT, private_key: pasted });
    assert.equal(refused.status, 422, refused.text);
    assert.match(refused.text, /no such robot/);
    grants(ofRobot("RS256"));
    const result = resultOf(await visitor.submit(refused, { private_key: pasted }, { until: leaves(link) }));
    assert.equal(result.result, "success", JSON.stringify(result));
    ok(await call({ id: result.integrated_account_id }), 200);
  });
});

test("private_key_jwt: a client is authenticated by a token that it signs", async () => {
  await eachCase(["PS256", "EdDSA"], async (name) => {
    grants(async (form) => {
      assert.deepEqual(Object.keys(form).sort(), ["client_assertion", "client_assertion_type", "client_id", "grant_type"]);
      assert.deepEqual([form.grant_type, form.client_id, form.client_assertion_type], ["client_credentials", "client-1", ASSERTION]);
      await verified(form.client_assertion, name, { issuer: "client-1", subject: "client-1", audience: `${scripted.url}/token` });
    });
    const config = { auth: { tokenUrl: `${scripted.url}/token` }, options: { authorizationMethod: "private_key_jwt" }, jwt: jwt(name, { claims: {} }) };
    const { account } = await accountOf("oauth2_client_credentials", config, context(name));
    ok(await call(account), 200);
    assert.equal(scripted.at("/token").at(-1).headers.authorization, undefined);
  });
});

test("a step of a custom_token sends the signed token", async () => {
  const issued = [];
  scripted.answers.set("/app/installations/7/access_tokens", async (request) => {
    await verified(bearer(request), "RS256", { issuer: ROBOT });
    issued.push(plant("a token of an installation", `ghs/${randomUUID()}+`, NOT_OF_THE_PROVIDER));
    return { status: 201, body: { token: issued.at(-1), expires_at: new Date(Date.now() + 3_600_000).toISOString() } };
  });
  scripted.answers.set("/items/1", (request) => (bearer(request) === issued.at(-1) ? { body: { id: 1 } } : { status: 401, body: {} }));
  const step = { method: "post", path: "/app/installations/7/access_tokens", authorization: { format: "bearer", config: { token: "{{jwt}}" } } };
  const config = { jwt: jwt("RS256"), steps: [{ type: "request", config: step }], token: { access_token: "token", expires_at: "expires_at" } };
  const { account } = await accountOf("custom_token", config, context("RS256"));
  ok(await call(account), 200);
  issued.push("another");
  ok(await call(account), 200);
  assert.equal(scripted.at("/app/installations/7/access_tokens").length, 2);
});
