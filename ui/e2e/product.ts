// What journeys share: signing in, runs made through the public API, and reading what came of them.
import { expect, type APIRequestContext, type Page } from "@playwright/test";

export const PASSWORD = process.env.PASSWORD ?? "";
let bearer = "";

export async function token(request: APIRequestContext): Promise<string> {
  if (!bearer) {
    const told = await request.post("/auth/token", { data: { username: "admin", password: PASSWORD } });
    bearer = ((await told.json()) as { access_token: string }).access_token;
  }
  return bearer;
}

export async function api<T>(request: APIRequestContext, method: string, path: string, data?: unknown): Promise<T> {
  const told = await request.fetch(path, { method, data, headers: { Authorization: `Bearer ${await token(request)}` } });
  expect(told.ok(), `${method} ${path}: ${told.status()} ${await told.text()}`).toBeTruthy();
  return (told.status() === 204 ? undefined : await told.json()) as T;
}

export async function signIn(page: Page, username = "admin", password = PASSWORD): Promise<void> {
  await page.goto("/login");
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("navigation", { name: "Places" })).toBeVisible();
}

/** Trigger a run and wait for its end; its id. */
export async function ranOnce(request: APIRequestContext, dag: string, conf: unknown = {}): Promise<string> {
  await api(request, "PATCH", `/api/v2/dags/${dag}?update_mask=is_paused`, { is_paused: false });
  const run = await api<{ dag_run_id: string }>(request, "POST", `/api/v2/dags/${dag}/dagRuns`, { logical_date: null, conf });
  await expect.poll(async () => (await api<{ state: string }>(request, "GET", `/api/v2/dags/${dag}/dagRuns/${encodeURIComponent(run.dag_run_id)}`)).state, { timeout: 30_000 }).toMatch(/success|failed/);
  return run.dag_run_id;
}
