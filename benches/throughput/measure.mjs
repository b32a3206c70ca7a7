// How a row is measured: load on one side after the other, several rounds, and what the runtime's process used meanwhile.
//
// A side is `{name, pid, load, against?}`: `pid` the workerd that serves it, `load` what autocannon takes, `against` the name of the
// side it is compared with (the first one when absent). Measuring adds `rounds: [{rate, cost}]`: requests per second, and
// milliseconds of processor time per request.

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import autocannon from "autocannon";

export const ROUNDS = Number(process.env.ROUNDS || 9);
export const DURATION = Number(process.env.DURATION || 0.7);
export const CONNECTIONS = 20;
/** Requests before the first round: by then the engine has compiled what is hot. */
const WARM_UP = 2_000;

/**
 * Measures sides in turn, every second round backwards. `tail`: seconds after a round whose work still counts for it, such as lines
 * of a log that are written later; each side then needs a process that no other side uses.
 */
export async function alternate(sides, { tail = 0, warmUp = WARM_UP, rounds = ROUNDS, seconds = DURATION } = {}) {
  for (const side of sides) {
    side.rounds = [];
    await load(side, { amount: warmUp });
  }
  if (tail > 0) await sleep(tail * 1_000);
  for (let round = 0; round < rounds; round++) {
    const results = [];
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      const before = processorTime(side.pid);
      const { requests, duration } = await load(side, { duration: seconds });
      results.push({ side, before, after: processorTime(side.pid), count: requests.total, duration });
    }
    if (tail > 0) await sleep(tail * 1_000);
    for (const { side, before, after, count, duration } of results) {
      const used = (tail > 0 ? processorTime(side.pid) : after) - before;
      side.rounds.push({ rate: count / duration, cost: used / count });
    }
  }
  return sides;
}

/** Sends requests to a side for some seconds, or `amount` of them. */
export async function load({ name, load: options }, more) {
  const outcome = await autocannon({ connections: CONNECTIONS, sampleInt: 100, ...options, ...more });
  const { non2xx, errors } = outcome;
  if (non2xx + errors > 0) throw new Error(`${name}: ${non2xx} answers were not 2xx, ${errors} requests failed`);
  return outcome;
}

/** For autocannon: every connection goes round `requests()`, each from another one. */
export function inTurn(url, requests) {
  let connections = 0;
  const setupClient = (client) => {
    const all = requests();
    const first = Math.floor(((connections++ % CONNECTIONS) * all.length) / CONNECTIONS);
    client.setRequests([...all.slice(first), ...all.slice(0, first)]);
  };
  return { url, setupClient };
}

/** Processor time of a process and its threads, in milliseconds; /proc counts in hundredths of a second. */
export function processorTime(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Memory that a process has to itself (RssAnon), in bytes. What the engine has not collected yet is in it. */
export function memoryOf(pid) {
  return Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/^RssAnon:\s+(\d+) kB/m)[1]) * 1_024;
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Runs `work` for each item, `atOnce` at a time; returns the results in order. */
export async function each(items, work, atOnce = CONNECTIONS) {
  const results = [];
  let next = 0;
  const worker = async () => {
    for (let n = next++; n < items.length; n = next++) results[n] = await work(items[n], n);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}
