// Cursors that callers hold: whose they are, what happens when reading a list breaks off, and providers that never end.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { assertError, ok } from "./steps.mjs";
import { acme } from "./twins/acme.mjs";
import { hubspot } from "./twins/hubspot.mjs";
import { shopify } from "./twins/shopify.mjs";
import { stripe } from "./twins/stripe.mjs";
import { startTwin } from "./twins/twin.mjs";
import { accountAt, allPages, anotherAccount, assertAll, page, shipped, readPages } from "./page-reader.mjs";

let gateway, atStripe, atHubspot, atShopify, atContacts, atDeals;
before(async () => {
  gateway = await start({ internet: "real" });
  const at = async (provider) => accountAt(gateway, await startTwin(provider));
  [atStripe, atHubspot, atShopify, atContacts, atDeals] = [await at(stripe), await at(hubspot), await at(shopify), await at(acme("contacts")), await at(acme("deals"))];
});
after(async () => {
  for (const of of [atStripe, atHubspot, atShopify, atContacts, atDeals]) of?.twin.stop();
  await gateway?.stop();
});
beforeEach(() => {
  for (const { twin } of [atStripe, atHubspot, atShopify, atContacts, atDeals]) {
    twin.answerNext();
    twin.requests.length = 0;
  }
});

const firstPage = async (of, limit = 10) => ok(await page(of, { limit }), 200);
const broken = { status: 500, body: { error: { message: "The till is stuck" } } };
const ordinary = (count) => Array(count).fill(undefined);

async function assertBadCursor(of, cursor) {
  const asked = of.twin.requests.length;
  assertError(await page(of, { limit: 10, cursor }), 400, "caller.bad_cursor");
  assert.equal(of.twin.requests.length, asked, "nothing was sent");
}

test("a cursor is the account's own: another account's is refused, and nothing is sent", async () => {
  const { next_cursor } = await firstPage(atStripe);
  await assertBadCursor({ ...atStripe, account: await anotherAccount(atStripe) }, next_cursor);
});

test("and the resource's, and the method's", async () => {
  const { next_cursor } = await firstPage(atStripe);
  await assertBadCursor({ ...atStripe, provider: { ...stripe, resource: "charges" } }, next_cursor);
  const contacts = await firstPage(atHubspot);
  const search = { ...hubspot, resource: "contact_search", method: "POST", body: { filterGroups: [], sorts: [], properties: [] } };
  await assertBadCursor({ ...atHubspot, provider: search }, contacts.next_cursor);
});

test("what is no cursor of ours is refused: the provider's own, a cut, a changed and an endless one", async () => {
  const { next_cursor, result } = await firstPage(atStripe);
  const flipped = next_cursor.replace(/.(?=.{4}$)/, (letter) => (letter === "A" ? "B" : "A"));
  const odd = [result.at(-1).id, next_cursor.slice(0, -1), next_cursor.slice(1), `${next_cursor}A`, flipped, "0", "null", "ü", "%00", "a".repeat(8_000)];
  await eachCase(odd, async (cursor) => await assertBadCursor(atStripe, cursor));
});

test("a cursor says nothing: neither what the provider's is, nor whose", async () => {
  const { next_cursor, result } = await firstPage(atStripe);
  const texts = [next_cursor, Buffer.from(next_cursor, "base64url").toString("latin1")];
  await eachCase(texts, (text) => { for (const secret of [result.at(-1).id, atStripe.account.id, "customers"]) assert.ok(!text.includes(secret)); });
  assert.match(next_cursor, /^[\w.~-]+$/, "it fits into a query as it is");
});

test("a cursor outlives the object and the runtime", async () => {
  const { next_cursor } = await firstPage(atStripe);
  await gateway.restart();
  const { result } = ok(await page(atStripe, { limit: 10, cursor: next_cursor }), 200);
  assert.deepEqual(result.map(({ id }) => id), atStripe.twin.ids.slice(10, 20));
});

test("a cursor of another pagination than the file has now is refused", async () => {
  const file = { ...(await shipped("acme")), name: "acme-changing" };
  const of = await accountAt(gateway, await startTwin(acme("deals")), { file });
  const { next_cursor } = await firstPage(of);
  file.config.resources.deals.list.pagination = { format: "offset", config: { offset_key: "skip", limit_key: "per_page" } };
  ok(await gateway.admin("PUT", "/integration/acme-changing", file), 200);
  assertError(await page(of, { limit: 10, cursor: next_cursor }), 400, "caller.bad_cursor");
  of.twin.stop();
});

for (const [name, at] of Object.entries({ "prev_cursor_path": () => atContacts, "counted pages": () => atDeals })) {
  test(`there and back again: ${name}`, async () => {
    const of = at();
    const [one, ids] = [await firstPage(of), ({ result }) => result.map(of.provider.idOf)];
    assert.equal(one.prev_cursor, null);
    const two = ok(await page(of, { limit: 10, cursor: one.next_cursor }), 200);
    const three = ok(await page(of, { limit: 10, cursor: two.next_cursor }), 200);
    assert.deepEqual(ids(ok(await page(of, { limit: 10, cursor: three.prev_cursor }), 200)), ids(two));
    const back = ok(await page(of, { limit: 10, cursor: two.prev_cursor }), 200);
    assert.deepEqual(ids(back), ids(one));
    assert.deepEqual(ids(ok(await page(of, { limit: 10, cursor: back.next_cursor }), 200)), ids(two));
  });
}

test("an error in the middle: the same cursor goes on where it was", async () => {
  const { twin } = atStripe;
  twin.answerNext(...ordinary(3), broken);
  const records = [];
  let cursor;
  for (let n = 0; n < 3; n++) {
    const body = ok(await page(atStripe, { limit: 100, cursor }), 200);
    records.push(...body.result);
    cursor = body.next_cursor;
  }
  assertError(await page(atStripe, { limit: 100, cursor }), 500, "provider.failed");
  assertAll([...records, ...(await readPages(atStripe, { limit: 100, cursor })).records], atStripe);
});

test("x-all-pages stops at an error with a last line that says where to resume", async () => {
  atStripe.twin.answerNext(...ordinary(3), broken);
  const { status, records, error, next_cursor } = await allPages(atStripe, { limit: 100, gateway });
  assert.equal(status, 200);
  assert.equal(records.length, 300);
  assert.equal(error.statusCode, 500);
  assert.equal(error.code, "provider.failed");
  assert.ok(error.message.length > 0 && error.request_id.length > 0);
  const rest = await allPages(atStripe, { limit: 100, cursor: next_cursor, gateway });
  assert.equal(rest.error, undefined);
  assertAll([...records, ...rest.records], atStripe);
  // And page by page from the same place.
  assert.deepEqual((await readPages(atStripe, { limit: 100, cursor: next_cursor })).records, rest.records);
});

test("a connection that breaks in the middle is tried again, and no record comes twice", async () => {
  atStripe.twin.answerNext(...ordinary(2), "dropped", undefined, { status: 503, body: {} });
  const { records, error } = await allPages(atStripe, { limit: 100, gateway });
  assert.equal(error, undefined);
  assertAll(records, atStripe);
});

test("x-all-pages where the first page already fails is that failure, and no stream", async () => {
  atStripe.twin.answerNext(broken);
  const answer = await allPages(atStripe, { limit: 100, gateway });
  assertError(answer, 500, "provider.failed");
});

test("x-all-pages with a foreign cursor is 400, and no stream", async () => {
  assertError(await allPages(atStripe, { limit: 100, cursor: "foreign", gateway }), 400, "caller.bad_cursor");
  assert.deepEqual(atStripe.twin.requests, []);
});

test("who leaves a stream stops it: the provider is asked no more", async () => {
  const of = atStripe;
  of.twin.resize(100_000);
  const leaving = new AbortController();
  const headers = { authorization: `Bearer ${of.environment.token}`, "x-all-pages": "true" };
  const response = await gateway.fetch(`/proxy/customers?limit=100&integrated_account_id=${of.account.id}`, { headers, signal: leaving.signal });
  await response.body.getReader().read();
  leaving.abort();
  await new Promise((settle) => setTimeout(settle, 1_500));
  const asked = of.twin.requests.length;
  await new Promise((settle) => setTimeout(settle, 1_500));
  assert.equal(of.twin.requests.length, asked);
  assert.ok(asked < 1_000, `${asked} pages`);
  of.twin.resize(1_000);
});

test("a provider that gives one page again and again is an error, not an endless list", async () => {
  const same = { body: { object: "list", has_more: true, data: [{ id: "cus_1" }] } };
  // The same cursor again.
  atStripe.twin.answerNext(...Array(10).fill(same));
  const { error, records } = await allPages(atStripe, { limit: 1, gateway });
  assert.equal(error.code, "provider.unexpected_answer");
  assert.ok(records.length <= 3, `${records.length} records`);
  // Pages by number, all alike.
  const deal = { body: { data: { deals: [{ id: "deals-1" }] }, meta: { pages: 1_000, total: 1_000 } } };
  atDeals.twin.answerNext(...Array(10).fill(deal));
  const deals = await allPages(atDeals, { limit: 1, gateway });
  assert.equal(deals.error.code, "provider.unexpected_answer");
  assert.ok(atDeals.twin.requests.length <= 5, `${atDeals.twin.requests.length} requests`);
});

test("a link to another host, or to another port, is refused and never asked, behind the page's own records", async () => {
  const stranger = await startTwin(shopify);
  await eachCase([`${stranger.url}/admin/api/2026-07/products.json?page_info=x`, "//stranger.example/products.json?page_info=x", "http://127.0.0.1:1@stranger.example/"], async (target) => {
    atShopify.twin.answerNext({ headers: { link: `<${target}>; rel="next"` }, body: { products: [{ id: 1 }] } });
    const { result, next_cursor } = ok(await page(atShopify, { limit: 1 }), 200);
    assert.deepEqual(result.map(({ id }) => id), [1]);
    const asked = atShopify.twin.requests.length;
    assertError(await page(atShopify, { limit: 1, cursor: next_cursor }), 502, "provider.unexpected_answer");
    assert.equal(atShopify.twin.requests.length, asked);
  });
  assert.deepEqual(stranger.requests, []);
  stranger.stop();
});

test("a limit is kept within bounds, and 400 where it is no number; so is another x-all-pages than true or false", async () => {
  await eachCase([["0", "1"], ["1", "1"], ["100", "100"], ["101", "100"], ["4294967296", "100"]], async ([limit, asked]) => {
    atStripe.twin.requests.length = 0;
    ok(await page(atStripe, { query: { limit } }), 200);
    assert.equal(atStripe.twin.requests[0].query.get("limit"), asked);
  });
  atStripe.twin.requests.length = 0;
  await eachCase(["-1", "1.5", "ten", "", "1e2"], async (limit) => { assertError(await page(atStripe, { query: { limit } }), 400, "caller.malformed"); });
  assertError(await page(atStripe, { headers: { "x-all-pages": "maybe" } }), 400, "caller.malformed");
  assert.deepEqual(atStripe.twin.requests, []);
});

test("neither limit nor cursor of ours reaches the provider, nor is a caller's starting_after used twice", async () => {
  const { next_cursor } = await firstPage(atStripe, 5);
  ok(await page(atStripe, { limit: 5, cursor: next_cursor }), 200);
  await eachCase(atStripe.twin.requests, ({ query }) => {
    assert.ok(!query.has("next_cursor") && !query.has("integrated_account_id"));
    assert.deepEqual(query.getAll("limit"), ["5"]);
  });
  assert.deepEqual(atStripe.twin.requests[1].query.getAll("starting_after"), [atStripe.twin.ids[4]]);
});
