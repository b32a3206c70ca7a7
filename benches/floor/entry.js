// The entry of the floor: as src/cloudflare/entry.js, without starting a dead instance again.

import * as wasm from "./index.js";

export const { Holder } = wasm;

export default { fetch: wasm.fetch };
