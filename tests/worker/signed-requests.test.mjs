// Signed requests, verified by libraries that others wrote: `aws4` and an object store (s3rver) for AWS Signature Version 4,
// `oauth-1.0a` for OAuth 1.0a.

import assert from "node:assert/strict";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import aws4 from "aws4";
import OAuth from "oauth-1.0a";
import S3rver from "s3rver";
import { eachCase } from "./cases.mjs";
import { startScriptedProvider } from "./scripted-provider.mjs";
import { assertError, ok } from "./steps.mjs";
import { Visitor } from "./visitor.mjs";

let scripted;
before(async () => {
  scripted = await startScriptedProvider();
});
after(() => scripted?.stop());

const KEYS = {
  api_key: {
    config: {
      fields: [
        { name: "key_id", required: true },
        { name: "secret_key", type: "password", required: true },
        { name: "session", type: "password" },
      ],
    },
  },
};
const sigv4 = (more) => ({
  format: "aws_sigv4",
  config: { access_key_id: "{{key_id}}", secret_access_key: "{{secret_key}}", session_token: "{{session}}", region: "eu-central-1", service: "s3", ...more },
});

/** What the library makes of a request, of the headers that its signature names. */
function librarysSignature({ method, url, headers: fields }, scope, [accessKeyId, secretAccessKey, sessionToken]) {
  const names = /SignedHeaders=([^,]*),/.exec(fields.authorization)[1].split(";");
  const headers = Object.fromEntries(names.map((name) => [name, fields[name]]));
  const request = { method, host: fields.host, path: url, ...scope, headers, extraHeadersToIgnore: { "content-length": true } };
  return aws4.sign(request, { accessKeyId, secretAccessKey, sessionToken }).headers.Authorization;
}

describe("AWS Signature Version 4", () => {
  const context = { key_id: "AKIDEXAMPLE", secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", session: "session/token+==" };
  const resources = {
    objects: {
      list: { path: "/" },
      get: { path: "/{{id}}" },
      create: { method: "post", path: "/{{query.key?:a}}" },
      update: { method: "put", path: "/{{id}}", body_format: "raw" },
    },
  };
  const install = async (more, account = context) => {
    const installed = await scripted.install({ credentials: KEYS, authorization: sigv4(more), resources }, { context: account });
    return (method, target, body, headers) => scripted.call(method, target, body, headers, { account: installed.account });
  };

  function signedAgain(request, { service }) {
    // The library takes the hash of the body from the header.
    const hash = request.headers["x-amz-content-sha256"];
    if (hash !== "UNSIGNED-PAYLOAD") assert.equal(hash, createHash("sha256").update(request.body).digest("hex"));
    return librarysSignature(request, { service, region: "eu-central-1" }, [context.key_id, context.secret_key, context.session]);
  }

  const REQUESTS = [
    ["GET", "/proxy/objects"],
    ["GET", "/proxy/objects?list-type=2&prefix=a%2Fb%20c&empty=&z=1&a=2"],
    ["GET", "/proxy/objects/photo%20of%20%C3%A9t%C3%A9.jpg"],
    ["GET", "/custom/a/b/c?x=%2B&y=a+b"],
    ["POST", "/proxy/objects", { n: 1, text: "é" }],
    ["PUT", "/proxy/objects/x", "plain text", { "content-type": "text/plain", "x-amz-acl": "private", "x-amz-meta-note": "  two   spaces " }],
    ["DELETE", "/custom/a"],
  ];

  test("the library signs what arrives in the same way", async () => {
    scripted.answers.set("/", () => ({ body: [] }));
    await eachCase(["s3", "execute-api"], async (service) => {
      const call = await install({ service });
      // Of a parameter that is there twice the library signs the first value alone for `s3`.
      const repeated = service === "s3" ? [] : [["GET", "/proxy/objects?a=2&b=&a=1"]];
      for (const [method, target, body, headers] of [...REQUESTS, ...repeated]) {
        scripted.requests.length = 0;
        assert.equal((await call(method, target, body, headers)).status, 200);
        const [request] = scripted.requests;
        assert.equal(request.headers.authorization, signedAgain(request, { service }), `${service} ${method} ${target}`);
        assert.equal(request.headers["x-amz-security-token"], context.session);
      }
    });
  });

  test("each retry has its own signature", async () => {
    const call = await install();
    scripted.clear();
    scripted.answers.set("/a", (_, n) => ({ status: n === 1 ? 503 : 200, headers: { "retry-after": "1" } }));
    assert.equal((await call("GET", "/proxy/objects/a")).status, 200);
    const [first, second] = scripted.requests;
    assert.notEqual(first.headers.authorization, second.headers.authorization);
    assert.notEqual(first.headers["x-amz-date"], second.headers["x-amz-date"]);
    assert.equal(second.headers.authorization, signedAgain(second, { service: "s3" }));
    scripted.clear();
  });

  test("a body is held up to 1 MiB, or streamed unsigned", async () => {
    const large = new Uint8Array(1024 * 1024 + 1).fill(120);
    const raw = { "content-type": "application/octet-stream" };
    const [held, streaming] = [await install(), await install({ unsigned_payload: true })];
    scripted.clear();
    assert.equal((await held("PUT", "/proxy/objects/a", large.subarray(1), raw)).status, 200);
    assert.equal(scripted.requests[0].headers.authorization, signedAgain(scripted.requests[0], { service: "s3" }));
    assertError(await held("PUT", "/proxy/objects/a", large, raw), 413, "caller.body_too_large");
    assert.equal((await streaming("PUT", "/proxy/objects/a", large, raw)).status, 200);
    const streamed = scripted.requests.at(-1);
    assert.equal(streamed.headers["x-amz-content-sha256"], "UNSIGNED-PAYLOAD");
    assert.equal(streamed.headers.authorization, signedAgain(streamed, { service: "s3" }));
    assert.equal(streamed.body.length, large.length);
  });
});

describe("an object store behind the library's check", () => {
  let store, folder, call, wrong;
  const stored = { key_id: "S3RVER", secret_key: "S3RVER" };

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "causeway-store-"));
    store = new S3rver({ port: 0, address: "127.0.0.1", silent: true, directory: folder, configureBuckets: [{ name: "bucket" }] });
    // It does not verify signatures of version 4 by itself.
    store.middleware.unshift(async (context, next) => {
      const { method, url, headers } = context.req;
      const expected = librarysSignature({ method, url, headers }, { service: "s3", region: "us-east-1" }, [stored.key_id, stored.secret_key]);
      if (headers.authorization === expected) return next();
      Object.assign(context, { status: 403, body: "SignatureDoesNotMatch" });
    });
    const { port } = await store.run();
    const config = {
      base_url: `http://127.0.0.1:${port}/bucket`,
      credentials: KEYS,
      authorization: sigv4({ region: "us-east-1", unsigned_payload: true }),
      resources: {
        objects: {
          list: { path: "/", query: { "list-type": "2" }, api_response_format: "xml", response_path: "ListBucketResult.Contents" },
          get: { path: "/{{id}}" },
          update: { method: "put", path: "/{{id}}", body_format: "raw" },
          delete: { method: "delete", path: "/{{id}}" },
        },
      },
    };
    const of = async (context) => {
      const { account } = await scripted.install(config, { context });
      return (...request) => scripted.call(...request, ...Array(4 - request.length).fill(undefined), { account });
    };
    [call, wrong] = [await of(stored), await of({ ...stored, secret_key: "another-secret-key" })];
  });
  after(async () => {
    store?.httpServer?.closeAllConnections();
    await store?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("an object is put, listed, read and deleted", async () => {
    const names = ["plain.txt", "folder/with a space.txt", "ünïcode+(1).txt"];
    for (const [index, name] of names.entries()) {
      const put = await call("PUT", `/proxy/objects/${encodeURIComponent(name)}`, `text ${index}`, { "content-type": "text/plain" });
      assert.equal(put.status, 200, put.text);
    }
    const listed = ok(await call("GET", "/proxy/objects"), 200);
    assert.deepEqual(listed.result.map(({ Key }) => Key).sort(), [...names].sort());
    const under = ok(await call("GET", "/proxy/objects?prefix=folder%2F"), 200);
    assert.equal([under.result].flat().length, 1);
    for (const [index, name] of names.entries()) {
      assert.equal((await call("GET", `/proxy/objects/${encodeURIComponent(name)}`)).text, `text ${index}`);
    }
    assert.equal((await call("DELETE", "/proxy/objects/plain.txt")).status, 204);
    assert.equal((await call("GET", "/proxy/objects/plain.txt")).status, 404);
  });

  test("a large object is streamed", async () => {
    const large = randomBytes(3 * 1024 * 1024);
    const put = await call("PUT", "/proxy/objects/large", large, { "content-type": "application/octet-stream" });
    assert.equal(put.status, 200, put.text);
    const listed = ok(await call("GET", "/proxy/objects?prefix=large"), 200);
    assert.equal(Number([listed.result].flat()[0].Size), large.length);
  });

  test("another key is refused", async () => {
    const refused = await wrong("GET", "/proxy/objects");
    assert.equal(refused.status, 403, refused.text);
    assert.ok(!refused.text.includes("another-secret-key"));
  });
});

describe("OAuth 1.0a", () => {
  const consumer = { key: "our-key", secret: "secret-of-the-consumer" };
  const token = { key: "token-1", secret: "secret-of-the-token" };
  const hashes = { "HMAC-SHA1": "sha1", "HMAC-SHA256": "sha256" };

  const headerOf = (request) => Object.fromEntries([...request.headers.authorization.slice("OAuth ".length).matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, decodeURIComponent(value)]));

  /** The signature that the library gives for the request that arrived. */
  function signedAgain(request, secrets = token) {
    const said = headerOf(request);
    const library = new OAuth({
      consumer,
      signature_method: said.oauth_signature_method,
      hash_function: (base, key) => createHmac(hashes[said.oauth_signature_method], key).update(base).digest("base64"),
    });
    const { oauth_signature: _, realm: __, ...parameters } = said;
    const isForm = request.headers["content-type"]?.startsWith("application/x-www-form-urlencoded");
    const form = isForm ? Object.fromEntries(new URLSearchParams(request.body.toString())) : {};
    const url = `http://${request.headers.host}${request.url}`;
    return library.getSignature({ url, method: request.method, data: form }, secrets.secret, parameters);
  }

  const credential = (more) => ({
    oauth: {
      config: {
        fields: [{ name: "consumer_secret", type: "password", required: true }],
        consumer: { id: consumer.key, secret: "{{consumer_secret}}" },
        requestTokenUrl: `${scripted.url}/request`,
        authorizeUrl: `${scripted.url}/authorize`,
        tokenUrl: `${scripted.url}/token`,
        ...more,
      },
    },
  });
  const resources = { notes: { list: { path: "/notes" }, create: { method: "post", path: "/notes", body_format: "form", body: { status: "{{body.status}}" } } } };

  test("the library signs calls in the same way", async () => {
    await eachCase(["HMAC-SHA1", "HMAC-SHA256"], async (signatureMethod) => {
      const config = { credentials: credential({ signatureMethod, realm: "Notes" }), authorization: { format: "oauth1" }, resources };
      const context = { consumer_secret: consumer.secret, oauth: { token: { access_token: token.key, token_secret: token.secret } } };
      const { account } = await scripted.install(config, { context, authentication_method: "oauth" });
      const requests = [
        ["GET", "/proxy/notes?b=2&a=x%20%2B%26&c="],
        ["GET", "/custom/notes/%C3%A9?q=%E2%82%AC"],
        ["POST", "/proxy/notes", { status: "Hello Ladies + Gentlemen, a signed OAuth request!" }],
        ["POST", "/custom/notes", { json: "is not signed" }],
      ];
      for (const [method, target, body] of requests) {
        scripted.clear();
        scripted.answers.set("/notes", () => ({ body: [] }));
        assert.equal((await scripted.call(method, target, body, {}, { account })).status, 200);
        const [request] = scripted.requests;
        const said = headerOf(request);
        assert.equal(request.headers["content-type"]?.includes("form") ?? false, body?.status !== undefined);
        assert.equal(said.oauth_signature, signedAgain(request), `${method} ${target}`);
        assert.equal(said.realm, "Notes");
        assert.equal(said.oauth_token, token.key);
      }
    });
  });

  test("a customer signs in, and the account's calls are signed by their token", async () => {
    const name = `oauth1-${randomBytes(4).toString("hex")}`;
    await scripted.install({ credentials: credential(), authorization: { format: "oauth1" }, resources }, { name, context: { oauth: { token: { access_token: "x", token_secret: "y" } } }, authentication_method: "oauth" });
    const form = (fields) => ({ headers: { "content-type": "application/x-www-form-urlencoded" }, body: new URLSearchParams(fields).toString() });
    scripted.clear();
    scripted.answers.set("/notes", () => ({ body: [] }));
    scripted.answers.set("/request", () => form({ oauth_token: "ask-1", oauth_token_secret: "secret-of-asking", oauth_callback_confirmed: "true" }));
    scripted.answers.set("/token", () => form({ oauth_token: token.key, oauth_token_secret: token.secret }));
    const link = ok(await scripted.environment.call("POST", "/link-token", { tenant_id: "signing-in", integration: name }), 201);
    const visitor = new Visitor();
    const page = await visitor.open(link.url);
    const there = await visitor.submit(page, { consumer_secret: consumer.secret }, { until: (url) => url.startsWith(scripted.url) });
    assert.equal(there.next, `${scripted.url}/authorize?oauth_token=ask-1`);
    const [asked] = scripted.at("/request");
    assert.equal(headerOf(asked).oauth_signature, signedAgain(asked, { secret: "" }));
    const back = new URL(headerOf(asked).oauth_callback);
    back.searchParams.set("oauth_token", "ask-1");
    back.searchParams.set("oauth_verifier", "verified");
    const ended = await visitor.open(back);
    assert.equal(ended.status, 200, ended.text);
    const exchanged = scripted.at("/token")[0];
    assert.equal(headerOf(exchanged).oauth_verifier, "verified");
    assert.equal(headerOf(exchanged).oauth_signature, signedAgain(exchanged, { secret: "secret-of-asking" }));
    const { result } = ok(await scripted.environment.call("GET", "/integrated-account?tenant_id=signing-in"), 200);
    assert.equal(result[0].status, "active");
    assert.equal((await scripted.call("GET", "/proxy/notes", undefined, {}, { account: result[0] })).status, 200);
    const called = scripted.at("/notes")[0];
    assert.equal(headerOf(called).oauth_signature, signedAgain(called));
  });
});
