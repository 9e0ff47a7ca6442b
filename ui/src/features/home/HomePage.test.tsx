import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, it } from "vitest";
import { keys } from "@api/queries";
import type { Home } from "@api/types";
import { show } from "../../test-screen";
import { HomePage } from "./index";

const calm: Home = {
  now: Date.now(), failing: [], waiting: [], stuck: [], late: [], broken: [], pulse: { running: 3 }, live: { queued: 0, running: 1 },
  pools: [{ name: "default_pool", slots: 128, used: 3 }], hours: Array.from({ length: 24 }, () => [0, 0, 0, 0] as [number, number, number, number]),
  dags: { all: 7, paused: 1 }, health: { problem: null, components: { scheduler: { status: "healthy", at: Date.now(), alive: 1 } } },
};
const failing: Home["failing"] = [{ ti_id: "1", run_key: "r", dag_id: "shop", run_id: "manual__1", task_id: "load", map_path: "", state: "failed", reason: "KeyError: 'x'; no retries left", cause: "exception", operator: "@task", try_number: 1, max_tries: 0, ended_at: Date.now(), instances: 1, runs_in_row: 2, since: Date.now(), last_success: null, where: "shop.py:3 in load" }];

it("says so when nothing fails", async () => {
  show(<HomePage />, [[keys.home, calm]]);
  expect(await screen.findByText("Nothing is failing.")).toBeInTheDocument();
});

it("shows the exception, where it happened, and forgets what is dismissed", async () => {
  show(<HomePage />, [[keys.home, { ...calm, failing }]]);
  expect(await screen.findByText("KeyError: 'x'")).toBeInTheDocument();
  expect(screen.getByText("shop.py:3 in load")).toBeInTheDocument();
  expect(screen.getByText("2 runs in a row")).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Dismiss" }));
  expect(screen.getByText("Nothing is failing.")).toBeInTheDocument();
});
