// Providers' own libraries send to the shipped integrations: to an account's address, and to an install's.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { SENDERS } from "./senders.mjs";
import { assertError, newEnvironment, ok } from "./steps.mjs";
import { accountUrl, assertEventId, eventDetail, fieldsOf, importInto, installFile, installUrl, placed, received, send, shippedFile } from "./webhooks.mjs";

let gateway;
before(async () => {
  gateway = await start();
});
after(() => gateway?.stop());

for (const [library, sender] of Object.entries(SENDERS)) {
  describe(library, () => {
    let environment, installed, account, other, key, file, template, installKnows;

    before(async () => {
      environment = await newEnvironment(gateway, library);
      file = await shippedFile(sender.file);
      const verification = file.config.webhook.signature_verification.config;
      template = verification.secret ?? verification.public_key;
      key = await sender.key();
      const { context, variables } = placed(template, key.shared);
      installKnows = Object.keys(variables).length > 0;
      installed = await installFile(gateway, environment, file, variables);
      [account, other] = await Promise.all(["one", "two"].map((to) => importInto(environment, installed, file, { ...context, ...sender.lookup?.(to) }, { tenant_id: to })));
    });

    /** What the library sends to a path: `{path, headers, body}`. */
    async function requestTo(path, { secret = key.secret, id = randomUUID(), to = "one", of = "request" } = {}) {
      const url = new URL(path, gateway.url).href;
      const { query = "", ...rest } = await sender[of]({ url, secret, id, to });
      return { path: path + query, ...rest };
    }
    const sent = ({ path, ...request }) => send(gateway, path, request);
    const knowsRepeats = () => file.config.webhook.event_id !== undefined || ["standard_webhooks", "svix", "clerk"].includes(file.config.webhook.signature_verification.format);
    const idsOf = async (of) => (await received(environment, of)).map(({ id }) => id);

    test("to the account's address: stored, listed, shown with its payload", async () => {
      const request = await requestTo(accountUrl(account));
      const { id } = ok(await sent(request), 200);
      assertEventId(id, account);
      const [event] = await received(environment, account);
      assert.equal(event.id, id);
      if (sender.event) assert.equal(event.event, sender.event);
      assert.equal(event.integrated_account_id, account.id);
      assert.equal(event.environment_id, environment.id);
      assert.equal(event.last_error, null);
      const { payload } = await eventDetail(environment, id);
      if (request.headers["content-type"] === "application/json") assert.deepEqual(payload, JSON.parse(request.body));
      else assert.deepEqual(payload, Object.fromEntries(new URLSearchParams(request.body)));
      if (sender.exact) assert.ok((await (await gateway.fetch(`/event/${id}`, { headers: { authorization: `Bearer ${environment.token}` } })).text()).includes(sender.exact));
    });

    test("the same again: the same id where the provider names its events, else another event", async () => {
      const request = await requestTo(accountUrl(account));
      const before = await idsOf(account);
      const [first, second] = [ok(await sent(request), 200), ok(await sent(request), 200)];
      assert.equal(first.id === second.id, knowsRepeats());
      const added = (await idsOf(account)).filter((id) => !before.includes(id));
      assert.deepEqual(added.sort(), [...new Set([first.id, second.id])].sort());
    });

    test("the same twenty times at once: one event", async (t) => {
      if (!knowsRepeats()) return t.skip("this provider does not name its events");
      const request = await requestTo(accountUrl(account));
      const answers = await Promise.all(Array.from({ length: 20 }, () => sent(request)));
      const ids = new Set(answers.map((answer) => ok(answer, 200).id));
      assert.equal(ids.size, 1);
    });

    test("to the install's address: stored in the account it is for", async (t) => {
      const [before, beforeOther] = [await idsOf(account), await idsOf(other)];
      const response = await sent(await requestTo(installUrl(installed)));
      if (!installKnows) return assertError(response, 401, "caller.bad_signature"); // each account has its own key
      const answer = ok(response, 200);
      assert.equal(typeof answer.matched, "number");
      if (!sender.lookup) return t.diagnostic(`${sender.file} has no lookup in this test: matched ${answer.matched}`);
      assert.equal(answer.matched, 1);
      await eachCase(answer.ids, (id) => { assertEventId(id, account); });
      assert.deepEqual((await idsOf(account)).filter((id) => !before.includes(id)).sort(), [...answer.ids].sort());
      assert.deepEqual(await idsOf(other), beforeOther);
    });

    test("to the install's address for an unknown account: nothing matched", async (t) => {
      if (!sender.lookup) return t.skip("no lookup");
      const answer = ok(await sent(await requestTo(installUrl(installed), { to: "unknown" })), 200);
      assert.deepEqual(answer, { matched: 0, ids: [] });
    });

    test("a repeat to the install's address gives the same ids", async (t) => {
      if (!sender.lookup || !knowsRepeats()) return t.skip("no lookup, or events without a name");
      const request = await requestTo(installUrl(installed));
      const first = ok(await sent(request), 200);
      assert.deepEqual(ok(await sent(request), 200), first);
    });

    test("signed with another secret: refused at both addresses, nothing stored", async () => {
      const before = [await idsOf(account), await idsOf(other)];
      const { secret } = await sender.key();
      await eachCase([accountUrl(account), installUrl(installed)], async (path) => {
        assertError(await sent(await requestTo(path, { secret })), 401, "caller.bad_signature");
      });
      assert.deepEqual([await idsOf(account), await idsOf(other)], before);
    });

    test("signed for the account's address, sent to another that does not know the secret", async () => {
      const stranger = await newEnvironment(gateway, `${library}, a stranger`);
      const theirs = await installFile(gateway, stranger, file);
      const { context: ownKey } = placed(template, (await sender.key()).shared);
      const asksForKey = fieldsOf(file.config.credentials).some(({ name, required }) => required && name in ownKey);
      await eachCase(asksForKey ? [ownKey] : [ownKey, {}], async (context) => {
        const foreign = await importInto(stranger, theirs, file, { ...context, ...sender.lookup?.("one") });
        const { path: _, ...request } = await requestTo(accountUrl(account));
        assertError(await send(gateway, accountUrl(foreign), request), 401, "caller.bad_signature");
        assert.deepEqual(await received(stranger, foreign), []);
      });
    });

    test("its handshake is answered, and is no event", async (t) => {
      if (!sender.handshake) return t.skip("it has none");
      const before = await idsOf(account);
      const { answer, ...request } = await requestTo(accountUrl(account), { of: "handshake" });
      const { status, text } = await sent(request);
      assert.deepEqual({ status, text }, answer);
      assert.deepEqual(await idsOf(account), before);
    });
  });
}

test("an address without a record is not found", async () => {
  await eachCase([accountUrl({ id: randomUUID() }), installUrl({ id: randomUUID() })], async (path) => {
    assertError(await send(gateway, path, { headers: {}, body: "{}" }), 404, "caller.");
  });
});
