// The entry of the Worker, over the exports of the wasm. A trap ends the wasm instance with all that it has in memory: then the
// open requests get a 502, and a new instance starts at once.

import { lose, whenLost, whileOpen } from "causeway/driver";
import * as wasm from "./index.js";

Error.stackTraceLimit = 100;
whenLost(wasm.__wbg_reset_state);

// What ends the instance in microtasks: tasks that wasm-bindgen runs. It gives an exception of JavaScript that went through the wasm
// this name; a trap is thrown as it is.
const isTrap = (error) => error instanceof WebAssembly.RuntimeError || error?.message === "Critical error";
const loseByTrap = (error) => isTrap(error) && lose(error);
addEventListener("error", ({ error }) => loseByTrap(error));
addEventListener("unhandledrejection", ({ reason }) => loseByTrap(reason));

const trapped = () =>
  Response.json({ error: { kind: "connection_lost", message: "The SFTP Worker ended in the middle of the operation." } }, { status: 502 });

export default {
  fetch(request, _env, context) {
    const { promise, resolve } = Promise.withResolvers();
    const close = whileOpen(() => resolve(trapped()));
    try {
      wasm.fetch(request, context).then(resolve, (error) => {
        loseByTrap(error);
        resolve(trapped());
      });
    } catch (error) {
      lose(error);
    }
    return promise.finally(close);
  },
};
