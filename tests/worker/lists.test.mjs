// Lists in all six pagination formats: against independent servers (json-server, verdaccio), and against
// twins of providers by the integration files that are shipped. No record is lost, none comes twice.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { start } from "./harness.mjs";
import { pagedListsFile, pagedList, startListServer } from "./list-server.mjs";
import { startRegistry } from "./registry.mjs";
import { importAccount, integrationFile, newEnvironment, ok } from "./steps.mjs";
import { acme } from "./twins/acme.mjs";
import { github } from "./twins/github.mjs";
import { hubspot, hubspotSearch } from "./twins/hubspot.mjs";
import { salesforce } from "./twins/salesforce.mjs";
import { sentry } from "./twins/sentry.mjs";
import { shopify } from "./twins/shopify.mjs";
import { slack } from "./twins/slack.mjs";
import { stripe, stripeByExpression } from "./twins/stripe.mjs";
import { startTwin } from "./twins/twin.mjs";
import { zendesk } from "./twins/zendesk.mjs";
import { accountAt, allPages, assertAll, assertSized, readPages } from "./page-reader.mjs";

/** `cursor_path: links.next` instead of the shipped `meta.after_cursor`: the other way Zendesk documents. */
const zendeskByLink = { ...zendesk, override: { pagination: { config: { cursor_path: "links.next", is_link: true } } } };

const TWINS = {
  "Salesforce: a path in nextRecordsUrl (cursor, is_link)": salesforce,
  "Zendesk: meta.after_cursor (cursor, has_next_path)": zendesk,
  "Zendesk: links.next (cursor, is_link)": zendeskByLink,
  "HubSpot: paging.next.after, percent-encoded (cursor)": hubspot,
  "HubSpot's search: after and limit in the body (cursor, add_to_body)": hubspotSearch,
  "Stripe: the last id (cursor)": stripe,
  "Stripe: the last id, computed (dynamic)": stripeByExpression,
  "GitHub: Link to another path (link_header)": github,
  "Shopify: page_info in Link (link_header)": shopify,
  "Slack: response_metadata.next_cursor, short and empty pages (cursor)": slack,
  "Sentry: Link that always has a next (dynamic)": sentry,
  "Acme's contacts (cursor)": acme("contacts"),
  "Acme's deals (page, total_pages_path)": acme("deals"),
  "Acme's invoices, some pages shorter than asked (offset, total_path)": acme("invoices"),
  "Acme's activities, pages of 10 at least (link_header, min_limit)": acme("activities"),
  "Acme's exports (range)": acme("exports"),
  "Acme's reports, a path for each day (dynamic, pagination_path)": acme("reports"),
  "Acme's events, a whole link, percent-encoded (cursor, include_path)": acme("events"),
  "Acme's event queries, from a header into body and header (cursor)": acme("event_queries"),
};

let gateway;
before(async () => {
  gateway = await start({ internet: "real" });
});
after(() => gateway?.stop());

/** The tests of one list: by 1, 7, 100 and as much as there may be, by what the provider gives unasked, and by `x-all-pages`. */
function listTests(at) {
  const sized = async (limit, count) => {
    const of = at();
    of.twin.resize?.(count);
    // Salesforce cannot be asked for a size: its server chooses.
    if (of.twin.settings) of.twin.settings.batch = of.provider === salesforce ? Math.min(limit ?? 2_000, 2_000) : undefined;
    return of;
  };
  for (const [limit, count] of [[1, 200], [7, 1_000], [100, 1_000], [100_000, 1_000], [undefined, 1_000]]) {
    test(`by ${limit ?? "the provider's own size"}: ${count} records`, async (context) => {
      const of = await sized(limit, count);
      if (of.provider.isFixed && limit !== undefined && limit !== 7) return context.skip("this provider's pages have the size they have");
      const pages = await readPages(of, { limit });
      assertAll(pages.records, of);
      if (!of.provider.isFixed) assertSized(pages, Math.max(Math.min(limit ?? Infinity, of.provider.max), of.provider.least ?? 1));
    });
  }

  test("x-all-pages gives the same as page by page", async () => {
    const of = await sized(100, 1_000);
    const { status, headers, records, error } = await allPages(of, { limit: 100, gateway });
    assert.equal(status, 200);
    assert.match(headers.get("content-type"), /^application\/x-ndjson/);
    assert.equal(error, undefined);
    assert.deepEqual(records, (await readPages(of, { limit: 100 })).records);
    assertAll(records, of);
  });
}

for (const [name, provider] of Object.entries(TWINS)) {
  describe(name, () => {
    let of;
    before(async () => {
      of = await accountAt(gateway, await startTwin(provider));
    });
    after(() => of?.twin.stop());
    listTests(() => of);
  });
}

describe("json-server", () => {
  let listServer;
  const places = {};
  before(async () => {
    listServer = await startListServer(1_000);
    for (const resource of ["books", "numbered", "skipped"]) places[resource] = await accountAt(gateway, { ...listServer, provider: pagedList(resource) }, { file: await pagedListsFile() });
  });
  after(() => listServer?.stop());

  for (const [resource, format] of Object.entries({ books: "Link", numbered: "page and limit", skipped: "start and limit" })) {
    // `_start` without `_limit` gives all there is, each time: a file for it would have to name its own limit.
    for (const limit of [7, 100, 100_000, ...(resource === "skipped" ? [] : [undefined])]) {
      test(`${format}, by ${limit ?? "its own size"}`, async () => {
        const of = places[resource];
        const pages = await readPages(of, { limit });
        assertAll(pages.records, of);
        assertSized(pages, limit === undefined ? 10 : Math.min(limit, of.provider.max));
      });
    }

    test(`${format}: x-all-pages gives the same`, async () => {
      const { records, error } = await allPages(places[resource], { limit: 100, gateway });
      assert.equal(error, undefined);
      assertAll(records, places[resource]);
    });

    test(`${format}, one by one, the caller's own filter kept from page to page`, async () => {
        const of = places[resource];
      const query = { id_lte: "60" };
      const filtered = { ...of, provider: { ...of.provider, query }, twin: { ids: listServer.ids.slice(0, 60) } };
      const pages = await readPages(filtered, { limit: 1 });
      assertAll(pages.records, filtered);
      assertSized(pages, 1);
    });
  }
});

describe("verdaccio's search (offset)", () => {
  const PACKAGES = 120; // it takes a tenth of a second for each
  let registry, of;
  before(async () => {
    registry = await startRegistry();
    const names = Array.from({ length: PACKAGES }, (_, n) => `${n % 10 ? "boat" : "webhook-sender"}-${String(n).padStart(3, "0")}`);
    for (let n = 0; n < names.length; n += 10) await Promise.all(names.slice(n, n + 10).map((name) => registry.publish(name, "1.0.0", { "index.js": "" })));
    // Its `total` counts the page and not the packages, so the file names none: it ends at a short page.
    const file = JSON.parse(await integrationFile("registry"));
    file.name = "registry-listed";
    file.config.resources.packages.list.pagination = { format: "offset", config: { offset_key: "from", limit_key: "size", max_limit: 50 } };
    ok(await gateway.admin("PUT", `/integration/${file.name}`, file), 200, 201);
    const environment = await newEnvironment(gateway, "registry-lists");
    const installed = ok(await environment.call("POST", "/environment-integration", { integration_name: file.name }), 201);
    const { url, username, password, token } = registry;
    const account = await importAccount(environment, installed, { registry_url: url, username, password, token });
    const provider = { resource: "packages", query: { text: "" }, idOf: ({ package: { name } }) => name };
    of = { environment, account, provider, names };
  });
  after(() => registry?.stop());

  const assertPackages = (records, names) => assert.deepEqual(records.map(of.provider.idOf).sort(), [...names].sort());
  const pages = async (at, limit) => {
    const all = await readPages(at, { limit });
    assertSized(all, Math.min(limit, 50));
    return all.records;
  };

  for (const limit of [7, 100, 100_000]) {
    test(`by ${limit}`, async () => assertPackages(await pages(of, limit), of.names));
  }

  test("by 1, what a text finds", async () => {
    const buoys = { ...of, provider: { ...of.provider, query: { text: "webhook-sender" } } };
    assertPackages(await pages(buoys, 1), of.names.filter((name) => name.startsWith("webhook-sender")));
  });

  test("x-all-pages", async () => assertPackages((await allPages(of, { limit: 100, gateway })).records, of.names));
});
