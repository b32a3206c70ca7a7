// The provider of the connect tests is what they take it for. Its OAuth client here is plain fetch.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { eachCase } from "./cases.mjs";
import { CLIENTS, newVerifier, startProvider } from "./provider.mjs";

let provider;
before(async () => {
  provider = await startProvider();
});
after(() => provider.stop());
beforeEach(() => {
  provider.received.length = 0;
});

const api = (path, { access_token }) => fetch(`${provider.url}/api/${path}`, { headers: { authorization: `Bearer ${access_token}` } });
const codeOf = (callback) => new URL(callback).searchParams.get("code");

for (const method of ["basic", "post"]) {
  test(`code with PKCE, client_secret_${method}`, async () => {
    const client = provider.client(CLIENTS[method]);
    const tokens = await client.tokens("ada");
    assert.deepEqual(Object.keys(tokens).sort(), ["access_token", "expires_in", "refresh_token", "scope", "token_type"]);
    assert.equal(tokens.expires_in, 3_600);
    assert.equal((await (await api("me", tokens)).json()).login, "ada");
    assert.equal((await (await api("things", tokens)).json()).things.length, 3);
    assert.equal((await (await api("things/thing-2", tokens)).json()).name, "lens");
    assert.equal((await api("things/none", tokens)).status, 404);
    assert.equal(provider.counts().exchanges, 1);
  });
}

test("the API refuses what the provider did not issue", async () => {
  assert.equal((await api("me", { access_token: "made-up" })).status, 401);
  assert.equal((await fetch(`${provider.url}/api/me`)).status, 401);
});

test("no code without PKCE, no token with another verifier, no code used twice", async () => {
  const client = provider.client();
  const { verifier, challenge } = newVerifier();
  const refused = new URL(await provider.authorise(client.authorizationUrl({ state: "s" })));
  assert.equal(refused.searchParams.get("error"), "invalid_request");

  const url = client.authorizationUrl({ state: "s", code_challenge: challenge, code_challenge_method: "S256" });
  const other = await client.exchange(codeOf(await provider.authorise(url)), newVerifier().verifier);
  assert.equal((await other.json()).error, "invalid_grant");

  const code = codeOf(await provider.authorise(url));
  const tokens = await (await client.exchange(code, verifier)).json();
  assert.equal((await (await client.exchange(code, verifier)).json()).error, "invalid_grant");
  assert.equal((await api("me", tokens)).status, 401, "the second use ended the grant");
});

test("a client's id and secret must be form-encoded, and its method be its own", async () => {
  const { client_id, client_secret } = CLIENTS.basic;
  const authorization = `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString("base64")}`;
  const body = new URLSearchParams({ grant_type: "client_credentials" });
  const raw = await fetch(`${provider.url}/token`, { method: "POST", headers: { authorization }, body });
  assert.ok([400, 401].includes(raw.status));
  const wrong = provider.client({ ...CLIENTS.basic, token_endpoint_auth_method: "client_secret_post" });
  assert.equal((await (await wrong.refresh("x")).json()).error, "invalid_client");
});

test("a denied consent says so, with state and issuer", async () => {
  const url = provider.client().authorizationUrl({ state: "s-1", code_challenge: newVerifier().challenge, code_challenge_method: "S256" });
  const { searchParams } = new URL(await provider.authorise(url, { deny: true }));
  assert.equal(searchParams.get("error"), "access_denied");
  assert.equal(searchParams.get("error_description"), "The keeper said no");
  assert.equal(searchParams.get("state"), "s-1");
  assert.equal(searchParams.get("iss"), provider.url);
});

test("form_post: the last page is a form for the callback", async () => {
  const fields = { state: "s", code_challenge: newVerifier().challenge, code_challenge_method: "S256", response_mode: "form_post" };
  const { form } = await provider.signIn(provider.client().authorizationUrl(fields));
  assert.match(form.action, /\/connect\/self\/callback$/);
  assert.ok(form.defaults.code && form.defaults.state === "s");
});

test("a refresh rotates, and an old refresh token ends the whole grant", async () => {
  const client = provider.client();
  const first = await client.tokens();
  const second = await (await client.refresh(first.refresh_token)).json();
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.equal((await api("me", second)).status, 200);

  assert.equal((await (await client.refresh(first.refresh_token)).json()).error, "invalid_grant");
  await eachCase([first, second], async (tokens) => assert.equal((await api("me", tokens)).status, 401));
  assert.equal((await (await client.refresh(second.refresh_token)).json()).error, "invalid_grant");
  assert.equal(provider.counts().refreshes, 1);
});

test("of two refreshes at once one is granted, and the other ends the grant", async () => {
  const client = provider.client();
  const { refresh_token } = await client.tokens();
  const answers = await Promise.all([client.refresh(refresh_token), client.refresh(refresh_token)]);
  const granted = await Promise.all(answers.filter(({ ok }) => ok).map((answer) => answer.json()));
  assert.equal(granted.length, 1);
  assert.equal((await api("me", granted[0])).status, 401);
});

test("introspection says when a token ends, and after revocation that it has", async () => {
  const client = provider.client();
  const tokens = await client.tokens();
  const { active, exp } = await client.introspect(tokens.access_token);
  assert.ok(active && Math.abs(exp - Date.now() / 1000 - 3_600) < 5);

  assert.equal((await client.revoke(tokens.refresh_token)).status, 200);
  assert.deepEqual(await client.introspect(tokens.access_token), { active: false });
  assert.equal((await api("me", tokens)).status, 401);
  assert.deepEqual([provider.counts().introspections, provider.counts().revocations], [2, 1]);
});

test("client credentials", async () => {
  const tokens = await (await provider.client(CLIENTS.machine).token({ grant_type: "client_credentials", scope: "things" })).json();
  assert.equal(tokens.refresh_token, undefined);
  assert.equal((await (await api("me", tokens)).json()).client_id, CLIENTS.machine.client_id);
  assert.equal(provider.counts().clientCredentials, 1);
});

test("a token lives as long as is set, and its end may be hidden", async () => {
  Object.assign(provider.settings, { accessTokenTtl: 1, hides: ["expires_in"] });
  try {
    const tokens = await provider.client().tokens();
    assert.equal(tokens.expires_in, undefined);
    assert.equal((await api("me", tokens)).status, 200);
    await new Promise((resolve) => setTimeout(resolve, 2_000 - (Date.now() % 1_000) + 10));
    assert.equal((await api("me", tokens)).status, 401);
  } finally {
    Object.assign(provider.settings, { accessTokenTtl: 3_600, hides: [] });
  }
});

test("faults: 503, slow, broken after the grant, silent", async () => {
  const client = provider.client();
  const { refresh_token } = await client.tokens();
  provider.received.length = 0;
  provider.answerNextTokenRequests("unavailable", { granted: 200 }, "dropped", "silent");

  assert.equal((await client.refresh(refresh_token)).status, 503);
  const asked = Date.now();
  const granted = provider.next("granted");
  const slow = client.refresh(refresh_token);
  const first = await Promise.race([granted.then(() => "granted"), slow.then(() => "answered")]);
  assert.equal(first, "granted", "the grant does not wait");
  const second = await (await slow).json();
  assert.ok(Date.now() - asked >= 195);

  await assert.rejects(client.refresh(second.refresh_token));
  assert.equal(provider.counts().refreshes, 2);
  const arrived = provider.next("arrived");
  const silent = client.refresh("x");
  await arrived;
  assert.equal(await Promise.race([silent, new Promise((resolve) => setTimeout(resolve, 100, "nothing"))]), "nothing");
  assert.equal(provider.counts().tokenRequests, 4);
  assert.equal((await (await client.refresh(second.refresh_token)).json()).error, "invalid_grant", "the lost answer had rotated it");
  silent.catch(() => {}); // ends with the provider
});

test("revokeAll ends every grant", async () => {
  const client = provider.client();
  const tokens = await client.tokens();
  await provider.revokeAll();
  assert.equal((await api("me", tokens)).status, 401);
  assert.equal((await (await client.refresh(tokens.refresh_token)).json()).error, "invalid_grant");
});

test("one access token may end alone, and refresh tokens may stay", async () => {
  const client = provider.client();
  const tokens = await client.tokens();
  await provider.endAccessToken(tokens.access_token);
  assert.equal((await api("me", tokens)).status, 401);
  Object.assign(provider.settings, { rotates: false, hides: ["refresh_token"] });
  try {
    await eachCase(["once", "twice"], async (_) => {
      const fresh = await (await client.refresh(tokens.refresh_token)).json();
      assert.equal(fresh.refresh_token, undefined);
      assert.equal((await api("me", fresh)).status, 200);
    });
  } finally {
    Object.assign(provider.settings, { rotates: true, hides: [] });
  }
});
