// Journeys of people through the real product. The acts of counted journeys are counted here.
import AxeBuilder from "@axe-core/playwright";
import { expect, test, type Page } from "@playwright/test";
import { api, PASSWORD, ranOnce, signIn } from "./product";

let failedRun = "";

test.beforeAll(async ({ request }) => {
  for (const dag of ["shop_orders", "weekly_report", "nightly"])
    await expect.poll(async () => (await request.get(`/api/v2/dags/${dag}`, { headers: { Authorization: `Bearer ${await (await import("./product")).token(request)}` } })).status(), { timeout: 20_000 }).toBe(200);
  failedRun = await ranOnce(request, "shop_orders");
  await ranOnce(request, "weekly_report");
  await ranOnce(request, "nightly");
});

test("signing in leads to where one wanted to go, a wrong password is said", async ({ page }) => {
  await page.goto("/dags");
  await expect(page).toHaveURL(/login/);
  await page.getByLabel("User name").fill("admin");
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText(/password/i).last()).toBeVisible();
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page).toHaveURL(/\/dags/);
});

test.describe("signed in", () => {
  test.beforeEach(async ({ page }) => signIn(page));

  test("the exception of the newest failure is on the first screen: no act", async ({ page }) => {
    await expect(page.getByText("order 5 has no customer").first()).toBeVisible();
    await expect(page.getByText("refused the connection").first()).toBeVisible();
  });

  test("its log, opened at the error: one act", async ({ page }) => {
    await page.locator(".failure", { hasText: "shop_orders" }).getByRole("link", { name: "Log" }).click();
    await expect(page.locator(".ll.l-error", { hasText: "customer_id" }).first()).toBeInViewport();
    await expect(page.locator(".tb-frame.own").first()).toContainText("shop.py");
  });

  test("retry it: two acts, and the screen tells what comes of it", async ({ page }) => {
    await expect(page.locator(".failure").first()).toBeVisible();
    await page.keyboard.press("c");
    await expect(page.getByRole("dialog")).toBeVisible();
    await expect(page.getByRole("dialog").getByRole("button", { name: /^Clear [1-9]/ })).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(page.getByText(/cleared; it runs again/)).toBeVisible();
    await expect(page.locator(".failure").first()).toBeVisible({ timeout: 20_000 });
  });

  test("any DAG by any part of its name: palette, letters, Enter", async ({ page }) => {
    await page.keyboard.press("Control+k");
    await expect(page.getByRole("combobox")).toBeFocused();
    await page.keyboard.type("ekly");
    await expect(page.getByRole("option").first()).toContainText("weekly_report");
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/dags\/weekly_report/);
  });

  test("why does this task not run: one act from the grid", async ({ page }) => {
    await page.goto("/dags/weekly_report/grid");
    await page.locator(".c.s13").last().click();
    await expect(page.locator(".side")).toContainText("publish");
    await page.keyboard.press("y");
    await expect(page.locator(".side")).toContainText(/is over: failed/);
  });

  test("trigger with params: three acts; a wrong value lands on its field", async ({ page }) => {
    await page.goto("/dags/shop_orders");
    await expect(page.getByRole("button", { name: "Trigger", exact: true })).toBeVisible();
    await page.keyboard.press("t");
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("limit").fill("5000");
    await dialog.getByRole("button", { name: "Trigger", exact: true }).click();
    await expect(dialog.getByText("at most 1000")).toBeVisible();
    await dialog.getByLabel("limit").fill("50");
    await dialog.getByLabel("mode").selectOption("delta");
    await page.keyboard.press("Control+Enter");
    await expect(page).toHaveURL(/shop_orders\/runs\/manual/);
    await page.getByRole("tab", { name: "Details" }).click();
    await expect(page.locator("pre.block")).toContainText('"mode": "delta"');
  });

  test("a state change is on the grid by itself", async ({ page, request }) => {
    await page.goto("/dags/nightly/grid");
    await expect(page.locator(".grid-row").first()).toBeVisible();
    const before = await page.locator(".grid-run").count();
    await ranOnce(request, "nightly");
    await expect(page.locator(".grid-run")).toHaveCount(before + 1, { timeout: 5000 });
    await expect(page.locator(".grid-row").first().locator(".c").last()).toHaveClass(/s3/, { timeout: 5000 });
  });

  test("clear with what comes after it, shown first", async ({ page }) => {
    await page.goto(`/dags/shop_orders/grid?run=${encodeURIComponent(failedRun)}&task=extract`);
    await page.locator(".side").getByRole("button", { name: "Clear" }).click();
    const dialog = page.getByRole("dialog");
    await expect(dialog.getByRole("table")).toContainText("load");
    await dialog.getByLabel("Downstream").uncheck();
    await expect(dialog.getByText("1 task instance will run again")).toBeVisible();
    await dialog.getByRole("button", { name: "Cancel" }).click();
  });

  test("mark a task success", async ({ page }) => {
    const run = encodeURIComponent(failedRun);
    await page.goto(`/dags/shop_orders/runs/${run}/tasks/transform/5`);
    await page.getByRole("button", { name: "Mark" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Mark success" }).click();
    await expect(page.locator(".pane-head .badge").first()).toContainText("success");
  });

  test("a mapped task lists its failing instance first", async ({ page, request }) => {
    const run = await ranOnce(request, "shop_orders");
    await page.goto(`/dags/shop_orders/runs/${encodeURIComponent(run)}/tasks/transform/0?tab=mapped`);
    await expect(page.getByRole("table", { name: "Mapped instances" }).getByRole("row").nth(1)).toContainText("failed");
  });

  test("compare with the last success: two acts", async ({ page, request }) => {
    const run = await ranOnce(request, "nightly");
    await page.goto(`/dags/nightly/runs/${encodeURIComponent(run)}`);
    await expect(page.getByRole("tab", { name: "Tasks" })).toBeVisible();
    await page.keyboard.press("d");
    await expect(page.getByText("The same code.")).toBeVisible();
  });

  test("graph, timeline, calendar, code and details of a DAG", async ({ page }) => {
    await page.goto("/dags/weekly_report/graph");
    await page.getByRole("button", { name: "Outline" }).click();
    await expect(page.getByRole("navigation", { name: "Outline" })).toContainText("publish");
    await page.getByRole("link", { name: "Timeline" }).last().click();
    await expect(page.locator(".tl-run").first()).toBeVisible();
    await page.goto("/dags/weekly_report/calendar");
    await expect(page.locator(".cal-day[data-some]").first()).toBeVisible();
    await page.goto("/dags/weekly_report/code");
    await expect(page.locator(".cm-content")).toContainText("def weekly_report");
    await page.goto("/dags/weekly_report/details");
    await expect(page.getByText("Merges sources and publishes them").first()).toBeVisible();
  });

  test("pause with undo", async ({ page }) => {
    await page.goto("/dags");
    const toggle = page.getByRole("switch", { name: "nightly runs by itself" });
    await expect(toggle).toBeChecked();
    await toggle.click();
    await page.getByRole("button", { name: "Undo" }).click();
    await expect(toggle).toBeChecked({ timeout: 8000 });
  });

  test("backfill: what would run is shown, then it runs", async ({ page }) => {
    await page.goto("/dags/nightly/backfills?from=2026-11-03&to=2026-11-05");
    await expect(page.getByText("3 runs will be made or run again")).toBeVisible();
    await page.getByRole("button", { name: "Backfill 3" }).click();
    await expect(page.getByText("The backfill was made.")).toBeVisible();
    await expect(page.getByRole("table")).toContainText(/running|completed/);
  });

  test("add a connection, a variable and a pool", async ({ page }) => {
    await page.goto("/admin/connections");
    await page.getByRole("button", { name: "New connection" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Id").fill("warehouse");
    await dialog.getByLabel("Type").selectOption("http");
    await dialog.getByLabel("Host").fill("warehouse.example.org");
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("table")).toContainText("warehouse.example.org");
    await page.goto("/admin/variables");
    await page.getByRole("button", { name: "New variable" }).click();
    await dialog.getByLabel("Key").fill("region");
    await dialog.getByLabel("Value").fill("north");
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("table")).toContainText("region");
    await page.goto("/admin/pools");
    await page.getByRole("button", { name: "New pool" }).click();
    await dialog.getByLabel("Name").fill("small");
    await dialog.getByLabel("Slots").fill("3");
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("table")).toContainText("small");
  });

  test("a broken file shows its traceback", async ({ page }) => {
    await page.getByRole("link", { name: "Tracebacks" }).click();
    await expect(page.locator("pre.block").first()).toContainText("a_module_that_does_not_exist");
  });

  test("links of the incumbent lead to ours", async ({ page }) => {
    await page.goto("/dag_runs");
    await expect(page).toHaveURL(/\/runs$/);
    await page.goto("/events");
    await expect(page).toHaveURL(/\/admin\/audit$/);
  });

  test("a log is followed while it is written", async ({ page, request }) => {
    await api(request, "PATCH", "/api/v2/dags/slow_poke?update_mask=is_paused", { is_paused: false });
    const run = await api<{ dag_run_id: string }>(request, "POST", "/api/v2/dags/slow_poke/dagRuns", { logical_date: null });
    await page.goto(`/dags/slow_poke/runs/${encodeURIComponent(run.dag_run_id)}/tasks/ticking?tab=log`);
    await expect(page.locator(".log-lines")).toContainText("tick 3", { timeout: 20_000 });
    await expect(page.locator(".log-lines")).toContainText("tick 6", { timeout: 10_000 });
    await api(request, "PATCH", `/api/v2/dags/slow_poke/dagRuns/${encodeURIComponent(run.dag_run_id)}?update_mask=state`, { state: "failed" });
    await expect(page.locator(".pane-head .badge").first()).toContainText(/failed|skipped/, { timeout: 15_000 });
  });

  test("a question is answered in place, and the run goes on", async ({ page, request }) => {
    await api(request, "PATCH", "/api/v2/dags/release?update_mask=is_paused", { is_paused: false });
    const run = await api<{ dag_run_id: string }>(request, "POST", "/api/v2/dags/release/dagRuns", { logical_date: null });
    await expect(page.getByText("Waiting for your answer")).toBeVisible({ timeout: 15_000 });
    await page.goto("/needs-input");
    await page.getByRole("button", { name: "Approve" }).click();
    await expect.poll(async () => (await api<{ state: string }>(request, "GET", `/api/v2/dags/release/dagRuns/${encodeURIComponent(run.dag_run_id)}`)).state, { timeout: 20_000 }).toBe("success");
    await expect(page.getByText("Nobody needs an answer")).toBeVisible({ timeout: 10_000 });
  });

  test("a language of one's own", async ({ page }) => {
    await page.goto("/profile");
    await page.getByLabel("Language").selectOption("de");
    await expect(page.getByRole("link", { name: "Übersicht" })).toBeVisible();
    await page.getByLabel("Sprache").selectOption("en");
  });

  test("a whole group is cleared with one act", async ({ page }) => {
    await page.goto("/dags/weekly_report/grid");
    await page.getByRole("button", { name: "Clear the group sources" }).click({ force: true });
    await expect(page.getByRole("dialog").getByRole("table")).toContainText("sources.second");
    await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog")).toHaveCount(0);
  });

  test("keys: help names them, grid moves by them", async ({ page }) => {
    await page.goto("/dags/weekly_report/grid");
    await expect(page.locator(".grid-row").first()).toBeVisible();
    await page.keyboard.press("?");
    await expect(page.getByRole("dialog", { name: "Keys" })).toContainText("Next failure");
    await page.keyboard.press("Escape");
    await page.keyboard.press("e");
    await expect(page).toHaveURL(/task=publish/);
    await page.keyboard.press("2");
    await expect(page).toHaveURL(/graph\?.*task=publish/);
  });

  test("nothing is asked of another host, nothing breaks the page's policy", async ({ page, baseURL }) => {
    const foreign: string[] = [];
    const broken: string[] = [];
    page.on("request", (asked) => !asked.url().startsWith(baseURL ?? "") && !asked.url().startsWith("blob:") && !asked.url().startsWith("data:") && foreign.push(asked.url()));
    page.on("console", (said) => /Content Security Policy/i.test(said.text()) && broken.push(said.text()));
    for (const path of ["/", "/dags", "/dags/weekly_report/graph", "/dags/weekly_report/code", "/runs", "/admin/connections"]) {
      await page.goto(path);
      await page.waitForTimeout(400);
    }
    expect(foreign).toEqual([]);
    expect(broken).toEqual([]);
  });
});

const ROUTES = ["/", "/dags", "/dags/weekly_report/grid", "/dags/weekly_report/graph", "/dags/weekly_report/timeline", "/dags/weekly_report/calendar", "/dags/weekly_report/code", "/dags/weekly_report/runs", "/dags/weekly_report/tasks", "/dags/weekly_report/details", "/dags/weekly_report/backfills", "/runs", "/tasks", "/timeline", "/assets", "/needs-input", "/backfills", "/admin/connections", "/admin/variables", "/admin/pools", "/admin/users", "/admin/roles", "/admin/tokens", "/admin/import-errors", "/admin/components", "/admin/audit", "/admin/config", "/admin/plugins", "/admin/providers", "/profile"];

for (const theme of ["light", "dark"])
  test(`axe finds nothing serious on any screen, ${theme}`, async ({ page }) => {
    test.setTimeout(240_000);
    await signIn(page);
    await page.evaluate((name) => localStorage.setItem("tw:prefs", JSON.stringify({ theme: name })), theme);
    const found: string[] = [];
    for (const route of ROUTES) {
      await page.goto(route);
      await settled(page);
      const told = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]).analyze();
      for (const each of told.violations) if (each.impact === "serious" || each.impact === "critical") found.push(`${route}: ${each.id} ${each.nodes.slice(0, 2).map((node) => `${node.target.join(" ")} ${node.failureSummary?.split("\n")[1] ?? ""}`).join(" | ")}`);
    }
    expect(found).toEqual([]);
  });

async function settled(page: Page): Promise<void> {
  await expect(page.locator("[aria-busy=true]")).toHaveCount(0, { timeout: 15_000 });
  await page.waitForTimeout(250);
}

test("a person with few rights sees that, and can do only theirs", async ({ page, request }) => {
  await api(request, "POST", "/auth/users", { username: "vera", password: "a-long-password-1", roles: ["Viewer"] });
  await signIn(page, "vera", "a-long-password-1");
  await page.goto("/admin/users");
  await expect(page.getByRole("alert")).toContainText("may not");
  await page.goto("/dags/weekly_report");
  await page.getByRole("button", { name: "Trigger", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Trigger", exact: true }).click();
  await expect(page.getByRole("dialog").getByRole("alert")).toContainText("may not");
});

test("at 360 pixels everything has its place", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await signIn(page);
  for (const path of ["/", "/dags", "/dags/weekly_report/grid", "/runs"]) {
    await page.goto(path);
    await settled(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(361);
  }
});

test("the server restarts: everything lives again", async ({ page, request }) => {
  test.setTimeout(90_000);
  const serving = async () => (await api<{ components: { kind: string; pid: number }[] }>(request, "GET", "/ui/components")).components.find((each) => each.kind === "api-server")?.pid ?? 0;
  await signIn(page);
  await page.goto("/dags");
  await expect(page.getByRole("row").nth(1)).toBeVisible();
  const before = await serving();
  expect(before).toBeGreaterThan(0);
  process.kill(before, "SIGTERM");
  await expect(async () => {
    const now = await serving();
    expect(now).toBeGreaterThan(0);
    expect(now).not.toBe(before);
  }).toPass({ timeout: 60_000 });
  // The page that was open goes on by itself: a new run comes in over the stream.
  await page.getByRole("link", { name: "nightly", exact: true }).click();
  await expect(page.locator(".grid-row").first()).toBeVisible({ timeout: 15_000 });
  const runs = await page.locator(".grid-run").count();
  await ranOnce(request, "nightly");
  await expect(page.locator(".grid-run")).toHaveCount(runs + 1, { timeout: 20_000 });
});
