// docs/quickstart.md: every command of the page is run as the page has it, against `make dev` (scripts/dev.mjs) with a state of its own.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startProvider } from "../../scripts/playground/provider.mjs";
import { buildDocsPage } from "../../scripts/docs-page.mjs";
import { startMakeDev } from "./make-dev.mjs";
import { Visitor } from "./visitor.mjs";

let dev;
before(async () => {
  await buildDocsPage();
  dev = await startMakeDev("docs/quickstart.md");
});
after(() => dev.stop());

test("a call: a page, a record that is made, a record that is changed", async () => {
  const [page, made, changed] = await dev.run(dev.block("2 Call"));
  assert.deepEqual(page.result.map(({ id }) => id), ["contact-1", "contact-2"]);
  assert.equal(typeof page.next_cursor, "string");
  assert.equal(made.name, "Mary Jackson");
  assert.equal(changed.name, "Grace B. Hopper");
});

test("an account connects by OAuth on the hosted page, with the provider's consent", async () => {
  const [{ url }] = await dev.run(dev.block("3 Connect an account"));
  const visitor = new Visitor();
  let page = await visitor.open(url);
  const byOauth = page.links.find((link) => new URL(link).searchParams.get("credential") === "oauth2");
  if (byOauth) page = await visitor.open(byOauth, { from: page.url });
  page = await visitor.submit(page);
  assert.match(page.text, /Ada Keeper/);
  page = await visitor.submit(page, { answer: "allow" });
  assert.equal(page.status, 200, page.text);
  const [{ result }] = await dev.run(dev.block("3 Connect an account", 1));
  assert.deepEqual(result.map(({ status, authentication_method }) => [status, authentication_method]), [["active", "oauth2"]]);
  const [listed] = await dev.run(`call "$api/proxy/orders?integrated_account_id=${result[0].id}&limit=1"`);
  assert.equal(listed.result[0].id, "order-1");
});

test("a webhook: refused without a signature, an event with one", async () => {
  const [refused, sent, events] = await dev.run(dev.block("4 Receive a webhook"));
  assert.equal(refused.code, "caller.bad_signature");
  assert.equal(sent.data.status, 200);
  assert.equal(events.result[0].event, "playground:contact.updated");
});

test("an agent lists the tools and calls one, also by the line that `make dev` prints", async () => {
  const [listed, called] = await dev.run(dev.block("5 Let an agent call it"));
  assert.ok(listed.result.tools.some(({ name }) => name === "create_a_playground_contacts"), JSON.stringify(listed));
  const { stdout } = await dev.paste("A tool");
  for (const { result } of [called, JSON.parse(stdout)]) assert.deepEqual(result.structuredContent.result.map(({ id }) => id), ["contact-1", "contact-2"]);
});

test("what `make dev` prints can be pasted", async () => {
  const { stdout } = await dev.paste("A list");
  assert.equal(JSON.parse(stdout).result.length, 2);
  const link = dev.output.match(/Connect +(\S+)/)[1];
  assert.match((await new Visitor().open(link, { asked: true })).text, /Is this you/);
  const docs = await fetch(dev.output.match(/The API +(\S+)/)[1]);
  assert.match(await docs.text(), /swagger-ui/);
});

test("a second start has the same token and account, at another address of the provider, too", async () => {
  const printed = () => [dev.output.match(/Token +(ct_\S+)/)[1], dev.output.match(/integrated_account_id=([\w-]+)/)[1]];
  const before = printed();
  await dev.end();
  await dev.boot();
  assert.deepEqual(printed(), before);
  const [page] = await dev.run(dev.block("2 Call"));
  assert.equal(page.result.length, 2);
  const [, sent] = await dev.run(dev.block("4 Receive a webhook"));
  assert.equal(sent.data.status, 200);
});

test("the provider limits its callers, and says so", async () => {
  const provider = await startProvider({ secret: "s", limit: { requests: 2, seconds: 60 } });
  const ask = () => fetch(`${provider.url}/api/me`, { headers: { authorization: "Bearer playground-key" } });
  const answers = [await ask(), await ask(), await ask()];
  assert.deepEqual(answers.map(({ status }) => status), [200, 200, 429]);
  assert.deepEqual(answers.map(({ headers }) => headers.get("ratelimit-remaining")), ["1", "0", "0"]);
  assert.ok(Number(answers[2].headers.get("retry-after")) <= 60);
  provider.stop();
});
