// The shipped file for any MCP server, against an authorization server that others wrote (oidc-provider: discovery, dynamic client
// registration, resource indicators, PKCE, `iss`). The MCP server is a few lines: it takes the tokens that were issued for it.

import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { Provider } from "oidc-provider";
import { createMemoryAdapter } from "oidc-provider/lib/adapters/memory_adapter.js";
import { plant } from "./canaries.mjs";
import { start } from "./harness.mjs";
import { COMPANY, accountOf, leaves, linkToken, resultOf } from "./oauth-accounts.mjs";
import { newEnvironment, ok } from "./steps.mjs";
import { Visitor } from "./visitor.mjs";

const TOOLS = [{ name: "tide", description: "When the tide is high", inputSchema: { type: "object" } }];

async function listening() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, url: `http://localhost:${server.address().port}` };
}

/** An MCP server and its authorization server. `received` has the path of every request, `registered` every client. */
class Harbour {
  received = [];
  registered = [];
  metadata = {};
  challenges = true;

  static async start() {
    const harbour = new Harbour();
    harbour.login = await listening();
    harbour.mcp = await listening();
    harbour.resource = `${harbour.mcp.url}/mcp`;
    harbour.oidc = new Provider(harbour.login.url, harbour.#configuration());
    harbour.oidc.use((ctx, next) => harbour.#watch(ctx, next));
    harbour.oidc.on("server_error", (_, error) => console.error("oidc-provider:", error));
    harbour.login.server.on("request", harbour.oidc.callback());
    harbour.mcp.server.on("request", (request, response) => harbour.#answer(request, response));
    return harbour;
  }

  stop() {
    for (const { server } of [this.login, this.mcp]) {
      server.closeAllConnections();
      server.close();
    }
  }

  #configuration() {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    return {
      adapter: createMemoryAdapter(),
      clientDefaults: { id_token_signed_response_alg: "ES256" },
      pkce: { required: () => true },
      issueRefreshToken: () => true,
      rotateRefreshToken: () => true,
      findAccount: (_, login) => ({ accountId: login, claims: () => ({ sub: login }) }),
      interactions: { url: (_, { uid }) => `/interaction/${uid}` },
      features: {
        devInteractions: { enabled: false },
        registration: { enabled: true },
        revocation: { enabled: true, allowedPolicy: (_, asking, token) => token.clientId === asking.clientId },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: (_, indicator) => {
            assert.equal(indicator, this.resource);
            return { scope: "tools", audience: indicator, accessTokenFormat: "opaque", accessTokenTTL: 3_600 };
          },
          useGrantedResource: () => true,
        },
        userinfo: { enabled: false },
      },
      ttl: { AccessToken: 3_600, Grant: 86_400, Interaction: 3_600, RefreshToken: 86_400, Session: 86_400 },
      cookies: { keys: [randomBytes(16).toString("hex")] },
      jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), alg: "ES256", use: "sig" }] },
    };
  }

  async #watch(ctx, next) {
    this.received.push(`${ctx.method} ${ctx.path}`);
    if (ctx.path.startsWith("/interaction/")) return this.#interaction(ctx);
    await next();
    if (ctx.path === "/reg" && ctx.status === 201) {
      this.registered.push(ctx.body);
      for (const key of ["client_secret", "registration_access_token"]) if (ctx.body[key]) plant(key, ctx.body[key], { not: ["answered", "logged", "stored"] });
    }
    if (ctx.path === "/token" && ctx.status === 200) {
      for (const key of ["access_token", "refresh_token"]) plant(key, ctx.body[key], { not: ["answered", "logged", "stored"] });
    }
    if (ctx.path.startsWith("/.well-known/") && ctx.status === 200) ctx.body = { ...ctx.body, ...this.metadata };
  }

  async #interaction(ctx) {
    const { req, res } = ctx;
    const { prompt, params, session } = await this.oidc.interactionDetails(req, res);
    let result = { login: { accountId: "pilot" } };
    if (prompt.name === "consent") {
      const grant = new this.oidc.Grant({ accountId: session.accountId, clientId: params.client_id });
      grant.addResourceScope(params.resource, params.scope);
      result = { consent: { grantId: await grant.save() } };
    }
    ctx.redirect(await this.oidc.interactionResult(req, res, result, { mergeWithLastSubmission: prompt.name === "consent" }));
    ctx.status = 303;
  }

  async #answer(request, response) {
    this.received.push(`${request.method} ${request.url}`);
    const json = (status, body, headers = {}) => {
      response.writeHead(status, { "content-type": "application/json", ...headers });
      response.end(JSON.stringify(body));
    };
    if (request.url === "/.well-known/oauth-protected-resource/mcp") {
      return json(200, { resource: this.resource, authorization_servers: [this.login.url], scopes_supported: ["tools"] });
    }
    if (request.url !== "/mcp") return json(404, {});
    const value = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "")?.[1];
    const token = value && (await this.oidc.AccessToken.find(value));
    if (!token?.isValid || token.aud !== this.resource || token.scope !== "tools") {
      const challenge = `Bearer resource_metadata="${this.mcp.url}/.well-known/oauth-protected-resource/mcp"`;
      return json(401, {}, this.challenges ? { "www-authenticate": challenge } : {});
    }
    const asked = JSON.parse(await text(request));
    const results = {
      initialize: () => ({ protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "harbour", version: "1" } }),
      "tools/list": () => ({ tools: TOOLS }),
      "tools/call": () => ({ content: [{ type: "text", text: `${asked.params.name} at ${asked.params.arguments.place}` }] }),
    };
    const result = results[asked.method]?.();
    json(200, { jsonrpc: "2.0", id: asked.id, ...(result ? { result } : { error: { code: -32601, message: "Method not found" } }) });
  }
}

let harbour, gateway, environment;
before(async () => {
  harbour = await Harbour.start();
  gateway = await start({ internet: "real" });
  ok(await gateway.admin("PUT", "/integration/mcp-server", JSON.parse(await shipped())), 200, 201);
  environment = await newEnvironment(gateway, "harbour");
  ok(await environment.call("POST", "/environment-integration", { integration_name: "mcp-server" }), 200, 201);
});
after(async () => {
  harbour?.stop();
  await gateway?.stop();
});

const shipped = () => readFile(new URL("../../integrations/mcp-server.json", import.meta.url), "utf8");

/** The page behind the form: a redirect to the authorization server in `next`, or why there is none. */
async function toLogin({ link, visitor = new Visitor() } = {}) {
  link ??= await linkToken(environment, { integration: "mcp-server", redirect_uri: COMPANY });
  const page = await visitor.open(`${link.url}&credential=oauth2`);
  assert.match(page.text, /Address of the MCP server/);
  return { link, visitor, page: await visitor.submit(page, { mcp_server_url: harbour.resource }, { until: leaves(link) }) };
}

async function connect() {
  const { link, visitor, page } = await toLogin();
  assert.ok(page.next, `${page.status} ${page.text}`);
  const there = await visitor.open(page.next, { until: (next) => !next.startsWith(harbour.login.url) });
  assert.ok(there.next, `${there.status} ${there.text}`);
  const back = await visitor.open(there.next, { from: harbour.login.url, until: leaves(link) });
  return accountOf(environment, back);
}

const call = (account, path, body) =>
  environment.call(body ? "POST" : "GET", `${path}?integrated_account_id=${account.id}`, body);

describe("an MCP server by its address", () => {
  let account;
  test("a customer connects, and the client is registered once", async () => {
    account = await connect();
    assert.equal(account.status, "active");
    assert.equal(harbour.registered.length, 1);
    const [client] = harbour.registered;
    assert.deepEqual(client.redirect_uris, [`${gateway.url.origin}/connect/mcp-server/callback`]);
    assert.equal(client.token_endpoint_auth_method, "client_secret_basic");
    await connect();
    assert.equal(harbour.registered.length, 1);
  });

  test("its tools are listed and called", async () => {
    assert.deepEqual(ok(await call(account, "/proxy/tools"), 200).result, TOOLS);
    const said = ok(await call(account, "/proxy/tools/call", { name: "tide", arguments: { place: "the pier" } }), 200);
    assert.equal(said.content[0].text, "tide at the pier");
    const unknown = await call(account, "/proxy/rpc/call", { jsonrpc: "2.0", id: 7, method: "nothing" });
    assert.equal(unknown.status, 404, JSON.stringify(unknown.body));
  });

  test("a refresh goes to the server that the account was connected at, and rotates", async () => {
    harbour.metadata = { token_endpoint: "http://localhost:9/token" };
    harbour.received.length = 0;
    ok(await environment.call("POST", "/integrated-account/refresh-credentials", { id: account.id }), 200);
    assert.deepEqual(harbour.received, ["POST /token"]);
    await gateway.restart();
    ok(await environment.call("POST", "/integrated-account/refresh-credentials", { id: account.id }), 200);
    assert.equal(ok(await call(account, "/proxy/tools"), 200).result.length, 1);
    harbour.metadata = {};
  });

  test("two customers at once register once", async () => {
    const second = await newEnvironment(gateway, "harbour-2");
    ok(await second.call("POST", "/environment-integration", { integration_name: "mcp-server" }), 200, 201);
    const links = await Promise.all(["a", "b", "c"].map(() => linkToken(second, { integration: "mcp-server", redirect_uri: COMPANY })));
    harbour.registered.length = 0;
    const pages = await Promise.all(links.map((link) => toLogin({ link })));
    for (const { page } of pages) assert.ok(page.next, `${page.status} ${page.text}`);
    assert.equal(harbour.registered.length, 1);
    const ids = new Set(pages.map(({ page }) => new URL(page.next).searchParams.get("client_id")));
    assert.equal(ids.size, 1);
  });

  for (const [name, change] of [
    ["another issuer", { issuer: "http://evil.example" }],
    ["no PKCE", { code_challenge_methods_supported: ["plain"] }],
    ["the sign-in of an honest server", { authorization_endpoint: "http://honest.example/auth", authorization_response_iss_parameter_supported: false }],
  ]) {
    test(`a server that announces ${name} is not used`, async () => {
      harbour.metadata = change;
      await gateway.restart(); // what was discovered is remembered for five minutes
      const { page } = await toLogin();
      harbour.metadata = {};
      const result = resultOf(page);
      assert.equal(result.error_type, "connection_error");
      assert.match(result.error, /incomplete, contradicts itself, or is not safe/);
    });
  }

  test("the account is deleted, and its token revoked at the same server", async () => {
    harbour.received.length = 0;
    ok(await environment.call("DELETE", `/integrated-account/${account.id}`), 200);
    for (let waited = 0; waited < 50 && !harbour.received.includes("POST /token/revocation"); waited++) await new Promise((done) => setTimeout(done, 100));
    assert.ok(harbour.received.includes("POST /token/revocation"), harbour.received.join());
  });
});
