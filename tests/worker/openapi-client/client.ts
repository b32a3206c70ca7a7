// A client as people write it over what `openapi-typescript` makes of /openapi.json. It has to compile as it is.

import createClient from "openapi-fetch";
import type { components, paths } from "./api";

type Environment = components["schemas"]["Environment"];

export async function configure(baseUrl: string, token: string, file: components["schemas"]["IntegrationFile"]) {
  const { GET, POST, PUT } = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${token}` } });

  // What has a default may be left out.
  const made = await POST("/environment", { body: { name: "generated" } });
  if (made.error) throw new Error(`${made.error.code}: ${made.error.message}`);
  const environment: Environment = made.data;

  const saved = await PUT("/integration/{id}", { params: { path: { id: file.name } }, body: file });
  const version: number | undefined = saved.data?.version;
  const installed = await POST("/environment-integration", { body: { environment_id: environment.id, integration_name: file.name } });
  if (installed.error) throw new Error(installed.error.message);
  const account = await POST("/integrated-account", {
    body: { environment_id: environment.id, tenant_id: "acme", environment_integration_id: installed.data.id, authentication_method: "api_key", context: { api_key: "k" }, run_actions: false },
  });
  if (account.error) throw new Error(account.error.message);
  const status: "connecting" | "active" | "post_install_error" | "validation_error" | "needs_reauth" = account.data.status;

  const names: string[] = [];
  let next_cursor: string | undefined;
  do {
    const page = await GET("/environment", { params: { query: { limit: 1, next_cursor } } });
    if (page.error) throw new Error(page.error.message);
    names.push(...page.data.result.map(({ name }) => name));
    next_cursor = page.data.next_cursor ?? undefined;
  } while (next_cursor);
  const again = await GET("/environment/{id}", { params: { path: { id: environment.id } } });
  const missing = await GET("/environment/{id}", { params: { path: { id: account.data.id } } });
  return { names, environment, again: again.data, missing: missing.error?.code, version, status, account: account.data.id };
}

export async function call(baseUrl: string, token: string, integrated_account_id: string) {
  const { GET, POST } = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${token}` } });
  const query = { integrated_account_id };
  const listed = await GET("/proxy/{resource}", { params: { path: { resource: "ships" }, query: { ...query, limit: 2 } } });
  if (listed.error) throw new Error(listed.error.message);
  if (typeof listed.data === "string") throw new Error("lines, which only x-all-pages asks for");
  const records: unknown[] = listed.data.result;
  const got = await GET("/proxy/{resource}/{id}", { params: { path: { resource: "ships", id: "1" }, query } });
  const created = await POST("/proxy/{resource}", { params: { path: { resource: "ships" }, query, header: { "idempotency-key": "one" } }, body: { name: "Fram" } });
  return { records, got: got.data, created: created.data, status: created.response.status };
}

/** Compiled only: no server of SFTP. */
export async function files(baseUrl: string) {
  const { GET, POST } = createClient<paths>({ baseUrl });
  const folder = await GET("/proxy/files", { params: { query: { path: "/in" } } });
  const page = typeof folder.data === "object" ? folder.data : undefined;
  const kinds: ("file" | "directory" | "symlink" | "other")[] | undefined = page?.result.map(({ type }) => type);
  await POST("/proxy/files/rename", { body: { from: "/a", to: "/b" } });
  // @ts-expect-error: it needs both
  await POST("/proxy/files/rename", { body: { from: "/a" } });
  // @ts-expect-error: an environment needs a name
  await POST("/environment", { body: {} });
  // @ts-expect-error: there is no such call
  await GET("/environments");
  return kinds;
}
