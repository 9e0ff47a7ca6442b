// Screenshots of every screen, light and dark, with data and with an error: to be looked at one by one. The six best go
// into the documentation (DOCS=1).
import { test } from "@playwright/test";
import { api, ranOnce, signIn } from "./product";

const FOLDER = process.env.SHOTS ?? "../tests/e2e/shots";
const SCREENS: [string, string][] = [
  ["home", "/"], ["dags", "/dags"], ["grid", "/dags/weekly_report/grid"], ["graph", "/dags/weekly_report/graph"], ["timeline-of-run", "/dags/weekly_report/timeline"], ["calendar", "/dags/nightly/calendar"], ["code", "/dags/shop_orders/code"], ["dag-runs", "/dags/shop_orders/runs"], ["dag-tasks", "/dags/shop_orders/tasks"], ["backfills-of-dag", "/dags/nightly/backfills?from=2026-11-03&to=2026-11-05"], ["details", "/dags/shop_orders/details"], ["dag-audit", "/dags/shop_orders/audit"], ["log", "/dags/shop_orders/grid?task=transform"],
  ["task", "/dags/weekly_report/tasks/publish"], ["runs", "/runs"], ["tasks", "/tasks"], ["timeline", "/timeline?hours=1"], ["assets", "/assets"], ["needs-input", "/needs-input"], ["backfills", "/backfills"], ["connections", "/admin/connections"], ["variables", "/admin/variables"], ["pools", "/admin/pools"], ["users", "/admin/users"], ["roles", "/admin/roles"], ["tokens", "/admin/tokens"], ["import-errors", "/admin/import-errors"], ["components", "/admin/components"], ["audit", "/admin/audit"], ["config", "/admin/config"], ["plugins", "/admin/plugins"], ["providers", "/admin/providers"], ["profile", "/profile"], ["not-found", "/no/such/page"],
];
const BEST: Record<string, string> = { home: "light", dags: "light", grid: "light", graph: "dark", log: "light", "timeline-of-run": "light" };

test("every screen", async ({ page, request }) => {
  test.setTimeout(400_000);
  const run = await ranOnce(request, "shop_orders");
  for (let round = 0; round < 6; round += 1) await ranOnce(request, "weekly_report");
  await ranOnce(request, "nightly");
  await api(request, "POST", "/api/v2/connections", { connection_id: "warehouse", conn_type: "postgres", host: "db.example.org", login: "etl" }).catch(() => undefined);
  await api(request, "POST", "/api/v2/variables", { key: "region", value: "north" }).catch(() => undefined);
  await signIn(page);
  const screens: [string, string][] = [...SCREENS, ["run", `/dags/shop_orders/runs/${encodeURIComponent(run)}`], ["instance", `/dags/shop_orders/runs/${encodeURIComponent(run)}/tasks/transform/5`], ["why", `/dags/shop_orders/runs/${encodeURIComponent(run)}/tasks/load?tab=why`]];
  for (const theme of ["light", "dark"]) {
    await page.evaluate((name) => localStorage.setItem("tw:prefs", JSON.stringify({ theme: name })), theme);
    for (const [name, path] of screens) {
      await page.goto(path);
      await page.locator("[aria-busy=true]").first().waitFor({ state: "detached", timeout: 10_000 }).catch(() => undefined);
      await page.waitForTimeout(350);
      await page.screenshot({ path: `${FOLDER}/${name}-${theme}.png` });
      if (process.env.DOCS && BEST[name] === theme) await page.screenshot({ path: `../docs/images/ui-${name}.png` });
    }
  }
  await page.route(/\/(ui|api\/v2)\/(?!stream)/, (route) => route.fulfill({ status: 503, json: { detail: "the database did not answer within 30 s; try again", error: "Unavailable" } }));
  for (const [name, path] of screens.slice(0, 20)) {
    await page.goto(path);
    await page.waitForTimeout(300);
    await page.screenshot({ path: `${FOLDER}/${name}-error.png` });
  }
});
