// Guesses, counted by the platform's limiter under the address it names.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { assertError, newEnvironment, ok } from "./steps.mjs";

let gateway, environment;
before(async () => {
  gateway = await start({ failedAuth: 5 });
  environment = await newEnvironment(gateway, "guessed");
});
after(() => gateway.stop());

const from = (address) => ({ "cf-connecting-ip": address });
const guess = (address, token = "a guess of the admin token") => gateway.as(token)("GET", "/environment", undefined, from(address));

test("five guesses are refused, the sixth waits, and so does the right token; another address does not", async () => {
  for (let n = 0; n < 5; n++) assertError(await guess("203.0.113.7"), 401, "caller.unauthenticated");
  await eachCase(["another guess", gateway.vars.ADMIN_TOKEN], async (token) => {
    const refused = await guess("203.0.113.7", token);
    assertError(refused, 429, "caller.rate_limited");
    assert.equal(Number(refused.headers.get("retry-after")) > 0, true);
  });
  ok(await guess("203.0.113.8", gateway.vars.ADMIN_TOKEN), 200);
  ok(await gateway.as(environment.token)("GET", "/integration", undefined, from("203.0.113.7")), 200);
});

test("forged tokens of every kind make no object and no entry", async () => {
  // The local limiter keeps its counts on disk, too.
  const written = async () => Object.entries(await gateway.storage()).filter(([file]) => !file.startsWith("ratelimit/"));
  const stored = await written();
  const id = environment.id.replaceAll("-", "");
  await eachCase(["ct_", "at_", "lt_"], async (kind) => {
    for (let n = 0; n < 20; n++) {
      const token = `${kind}${id}_${"A".repeat(64)}`;
      const answers = await Promise.all([guess(`203.0.113.${n}`, token), gateway.fetch(`/connect?link_token=${token}`, { headers: from(`198.51.100.${n}`) })]);
      await eachCase(answers, ({ status }) => assert.ok([401, 429].includes(status), `${status}`));
    }
  });
  await eachCase(["integrated-account", "environment-integration"], async (noun) => {
    const answer = await gateway.fetch(`/${noun}-webhook/${environment.id}`, { method: "POST", body: "{}" });
    assert.equal(answer.status, 404);
  });
  assert.deepEqual(await written(), stored);
});
