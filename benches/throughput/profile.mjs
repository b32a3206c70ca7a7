// A processor profile of one Worker by the inspector of workerd.

import { once } from "node:events";
import { writeFile } from "node:fs/promises";

/** Samples `worker` while `work` runs; writes Chrome's .cpuprofile and prints the twenty functions with most time of their own. */
export async function profile(runtime, worker, file, work) {
  const inspector = new URL(`/core:user:${worker}`, await runtime.getInspectorURL());
  const socket = new WebSocket(inspector);
  await once(socket, "open");
  let last = 0;
  const send = (method, params = {}) => {
    const id = ++last;
    const { promise, resolve } = Promise.withResolvers();
    const listen = ({ data }) => {
      const message = JSON.parse(data);
      if (message.id !== id) return;
      socket.removeEventListener("message", listen);
      resolve(message.result);
    };
    socket.addEventListener("message", listen);
    socket.send(JSON.stringify({ id, method, params }));
    return promise;
  };
  await send("Profiler.enable");
  await send("Profiler.setSamplingInterval", { interval: 200 });
  await send("Profiler.start");
  await work();
  const { profile } = await send("Profiler.stop");
  socket.close();
  await writeFile(file, JSON.stringify(profile));
  print(profile);
}

function print({ nodes, samples }) {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, `${callFrame.functionName || "(anonymous)"} ${callFrame.url.split("/").at(-1)}`]));
  const counts = new Map();
  for (const id of samples) counts.set(names.get(id), (counts.get(names.get(id)) ?? 0) + 1);
  const top = [...counts].sort(([, a], [, b]) => b - a).slice(0, 20);
  console.log("\nOwn time by function, % of samples");
  for (const [name, count] of top) console.log(`  ${((100 * count) / samples.length).toFixed(1).padStart(5)}  ${name}`);
}
