// Deliveries of 200 accounts with ten events each to one endpoint: all are stored while the subscription is paused, then released.

import { setTimeout as sleep } from "node:timers/promises";
import { startGateway } from "../gateway.mjs";
import { load, processorTime } from "../measure.mjs";
import { comparison } from "../tables.mjs";
import { posts, webhookFile, webhookPaths } from "./webhooks.mjs";

const ACCOUNTS = 200;
const EVENTS = 10;
const ROUNDS = Number(process.env.ROUNDS || 3);
const MOST_SECONDS = 120;

export async function deliveries({ runtimes, builds, provider }) {
  const sides = [await twin(runtimes, provider)];
  for (const build of builds) sides.push(await gatewaySide(runtimes, build, provider));
  // One more, which warms up.
  for (let round = 0; round <= ROUNDS; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      const outcome = await deliver(side);
      if (round > 0) side.rounds.push(outcome);
    }
  }
  return comparison(`Deliveries, ${ACCOUNTS} accounts × ${EVENTS} events to one endpoint`, sides, "event");
}

/** Stores the events, releases them and waits for the last: `{rate, cost}`, the rate from the first arrival to the last. */
async function deliver({ name, pid, url, paths, hook, pause, release }) {
  const total = paths.length * EVENTS;
  await fetch(hook, { method: "DELETE" });
  await pause();
  await load({ name, load: posts(url, paths) }, { amount: total });
  await sleep(2_000); // until each account has noted at the directory that its events wait
  const before = processorTime(pid);
  await release();
  const { first, last } = await arrived(name, hook, total);
  return { rate: total / ((last - first) / 1_000), cost: (processorTime(pid) - before) / total };
}

async function arrived(name, hook, total) {
  const deadline = Date.now() + MOST_SECONDS * 1_000;
  for (;;) {
    const run = await (await fetch(hook)).json();
    if (run.count >= total) return run;
    if (Date.now() > deadline) throw new Error(`${name}: ${run.count} of ${total} events came in ${MOST_SECONDS} s`);
    await sleep(20);
  }
}

async function twin(runtimes, provider) {
  const hook = `${provider}/hooks/twin`;
  const { url, pid } = await runtimes.javascript("sender", { SECRET: "bench-secret", RECEIVER: hook });
  const paths = Array.from({ length: ACCOUNTS }, (_, n) => `/account-${n}`);
  const release = () => fetch(url, { method: "PUT", body: JSON.stringify(paths) });
  return { name: "JavaScript, an object that signs and sends", pid, url, paths, hook, release, pause: () => {}, rounds: [] };
}

async function gatewaySide(runtimes, { name, folder }, provider) {
  const hook = `${provider}/hooks/${name.replaceAll(" ", "-")}`;
  const gateway = await startGateway(runtimes, folder, webhookFile("bench-bare"));
  const { url, pid, call } = gateway;
  const { id } = await call("POST", "/webhook", { target_url: hook, event_types: ["webhook:received"] });
  const paths = await webhookPaths(gateway, gateway.install, ACCOUNTS);
  const switchTo = (is_active) => () => call("PATCH", `/webhook/${id}`, { is_active });
  return { name, pid, url, paths, hook, pause: switchTo(false), release: switchTo(true), rounds: [] };
}
