// The entry of the Worker: the handler of requests and the classes of objects, over the exports of the wasm.
//
// A trap ends the wasm instance, and a panic is a trap. Then a new instance starts before the next event, in which an object is made
// again by its storage.

import { instance, whenLost } from "causeway/driver";
import * as wasm from "./index.js";

Error.stackTraceLimit = 100;
whenLost(wasm.__wbg_reset_state);

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
      return this.#current().fetch(request);
    }

    alarm() {
      return this.#current().alarm();
    }
  };
}

export const Account = objectClass(wasm.Account);
export const Directory = objectClass(wasm.Directory);

export default {
  fetch: wasm.fetch,
};
