import { expect, it } from "vitest";
import { fit } from "./fit";

it("finds a name by any part of it, the best first", () => {
  expect(fit("wee", "weekly_report")).toBeGreaterThan(fit("rep", "weekly_report"));
  expect(fit("rep", "weekly_report")).toBeGreaterThan(fit("eekl", "weekly_report"));
  expect(fit("wr", "weekly_report")).toBeGreaterThan(0);
  expect(fit("xyz", "weekly_report")).toBe(0);
});
