// Nothing lost: a sender posts events at a steady rate and, as providers do, posts again what got no 200; the runtime is killed five
// times in that period; the receiving endpoint fails 30 % of its calls and is down for a while. In the end every event that got a 200 has
// arrived, under the id that was answered. The schedule of retries goes to hours, so afterwards the storage is moved on while the
// runtime is stopped (`late`: every waiting delivery's `next_at` and every alarm is due), as often as it takes.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eachCase } from "./cases.mjs";
import { start } from "./harness.mjs";
import { assertDelivery, startReceiver } from "./receiver.mjs";
import { eventually, newEnvironment, ok } from "./steps.mjs";
import { accountUrl, assertEventId, webhookAccount, eventDetail, eventsOf, standardRequest } from "./webhooks.mjs";

const EVENTS = Number(process.env.EVENTS || 2_000);
const PER_SECOND = 100;
const KILLS = 5;
const ACCOUNTS = 4;
const FAILING = 0.3;
/** The endpoint is down while these parts of the events are sent. */
const DOWN = { from: 0.45, to: 0.6 };
/** In the last rounds of catching up the endpoint is well, so that no event uses up its ten tries by chance. */
const ROUNDS = 8;
const WELL_FROM = 4;

let gateway, environment, receiver, webhook, buoys;
let isWell = false;
before(async () => {
  receiver = await startReceiver(() => (!isWell && Math.random() < FAILING ? { status: 500 } : {}));
  gateway = await start({ internet: "real" });
  environment = await newEnvironment(gateway, "kill");
  webhook = ok(await environment.call("POST", "/webhook", { target_url: `${receiver.url}/hook`, event_types: ["wave"] }), 201);
  buoys = [];
  for (let n = 0; n < ACCOUNTS; n++) buoys.push(await webhookAccount(gateway, environment));
});
after(async () => {
  await gateway?.stop();
  await receiver?.stop();
});

/** Longer each time, and never the same: thousands that knock at once keep the runtime, which this process starts, from coming back. */
const pause = (posts) => Math.min(100 * 2 ** posts, 3_000) * (0.5 + Math.random());

/** Posts until a 200 comes: `{n, id, posts, account}`. The provider's own id stays the same. */
async function post(n) {
  const { account, secret } = buoys[n % ACCOUNTS];
  for (let posts = 1; ; posts++) {
    const request = standardRequest(secret, { type: "wave", wave: n }, { id: `msg_${n}` });
    const answer = await gateway.fetch(accountUrl(account), { method: "POST", ...request, signal: AbortSignal.timeout(10_000) }).catch(() => undefined);
    const body = await answer?.json().catch(() => undefined);
    if (answer?.status === 200 && body) return { n, id: body.id, posts, account };
    if (answer) assert.ok(answer.status === 503 || body === undefined, `${answer.status} ${JSON.stringify(body)}`);
    assert.ok(posts < 100, `no 200 for event ${n}`);
    await sleep(pause(posts));
  }
}

/** All events, each begun at its time, for any outcome of those before. */
async function postAll(progress) {
  const began = Date.now();
  const posting = [];
  for (let n = 0; n < EVENTS; n++) {
    const at = began + (n * 1_000) / PER_SECOND;
    if (at > Date.now()) await sleep(at - Date.now());
    posting.push(post(n));
    progress(n / EVENTS);
  }
  return Promise.all(posting);
}

/** Kills as the sender goes on, at even distances, one after the other. */
function killer() {
  let begun = 0;
  let killing = Promise.resolve();
  return {
    at(part) {
      if (begun < KILLS && part >= (begun + 0.5) / KILLS) {
        begun += 1;
        killing = killing.then(() => gateway.restart());
      }
    },
    async finished() {
      await killing;
      return begun;
    },
  };
}

function outage() {
  const steps = [[DOWN.from, () => receiver.close()], [DOWN.to, () => receiver.open()]];
  let done = Promise.resolve();
  return {
    at(part) {
      if (steps.length > 0 && part >= steps[0][0]) {
        const [[, step]] = steps.splice(0, 1);
        done = done.then(step);
      }
    },
    finished: () => done,
  };
}

/** The ids of the events that the endpoint took. Where a kill kept the gateway from hearing so, they come again. */
const arrived = () => new Set(receiver.requests.filter(({ status }) => status === 200).map(({ body }) => body.id));

/** Waits until no more comes. */
async function calm(ids) {
  let seen = -1;
  for (let quiet = 0; quiet < 6 && arrived().size < ids.length; quiet++) {
    if (receiver.requests.length !== seen) quiet = 0;
    seen = receiver.requests.length;
    await sleep(500);
  }
}

test(`${EVENTS} events, ${KILLS} kills, an endpoint that fails: none lost`, { timeout: 280_000 }, async (t) => {
  const kills = killer();
  const down = outage();
  const posted = await postAll((part) => {
    kills.at(part);
    down.at(part);
  });
  assert.equal(await kills.finished(), KILLS);
  await down.finished();

  const ids = posted.map(({ id }) => id);
  assert.equal(new Set(ids).size, EVENTS, "two events were answered one id");
  await eachCase(posted, ({ id, account }) => { assertEventId(id, account); });

  let rounds = 0;
  await calm(ids);
  while (arrived().size < EVENTS && rounds < ROUNDS) {
    rounds += 1;
    isWell = rounds >= WELL_FROM;
    await gateway.restart({ late: true });
    await calm(ids);
  }

  const lost = posted.filter(({ id }) => !arrived().has(id));
  const details = await Promise.all(lost.slice(0, 3).map(({ id }) => eventDetail(environment, id)));
  assert.deepEqual(lost, [], JSON.stringify(details));

  const waves = new Map(posted.map(({ n, id }) => [id, n]));
  await eachCase(receiver.requests, (request) => {
    assertDelivery(request, webhook);
    assert.equal(request.body.payload.wave, waves.get(request.body.id), "an event whose id was in no answer, or another's payload");
  });
  const good = receiver.requests.filter(({ status }) => status === 200);
  const again = posted.filter(({ posts }) => posts > 1).length;
  t.diagnostic(`${posted.length} answered 200 (${again} after being posted again), ${KILLS} kills, ${receiver.requests.length - good.length} calls failed by the endpoint, ${rounds} rounds of catching up`);
  t.diagnostic(`0 lost; ${good.length - EVENTS} duplicates (delivered again after a 200)`);

  await eventually(async () => {
    await eachCase(buoys, async ({ account }) => {
      await eachCase(["pending", "failed"], async (status) => assert.deepEqual((await eventsOf(environment, account, { status, event: "wave" })).map(({ id }) => id), []));
    });
  });
});
