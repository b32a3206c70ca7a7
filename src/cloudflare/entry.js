// The entry of the Worker: the handler of requests and the classes of objects, over the exports of the wasm.
//
// A trap ends the wasm instance with all that it has in memory, and a panic is a trap. Then a new instance starts at once, before
// anything can call into the old one, and an object is made again by its storage.

import { instance, lose, whenLost } from "causeway/driver";
import * as wasm from "./index.js";

Error.stackTraceLimit = 100;
whenLost(wasm.__wbg_reset_state);

// What traps outside of driver.js and this file: streams that Rust produces, which wasm-bindgen runs in microtasks.
const loseByTrap = (error) => error instanceof WebAssembly.RuntimeError && lose(error);
addEventListener("error", ({ error }) => loseByTrap(error));
addEventListener("unhandledrejection", ({ reason }) => loseByTrap(reason));

/** Calls an export of the wasm. */
function call(work) {
  try {
    return work();
  } catch (error) {
    lose(error);
    throw error;
  }
}

function objectClass(Inner) {
  return class {
    #state;
    #env;
    #inner;
    #instance;

    constructor(state, env) {
      this.#state = state;
      this.#env = env;
    }

    #current() {
      if (this.#instance !== instance) {
        this.#inner = new Inner(this.#state, this.#env);
        this.#instance = instance;
      }
      return this.#inner;
    }

    fetch(request) {
      return call(() => this.#current().fetch(request));
    }

    alarm() {
      return call(() => this.#current().alarm());
    }
  };
}

export const Account = objectClass(wasm.Account);
export const Directory = objectClass(wasm.Directory);

export default {
  fetch: (request, env, context) => call(() => wasm.fetch(request, env, context)),
};
