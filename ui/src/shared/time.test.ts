import { expect, it } from "vitest";
import { duration, relative } from "./time";

it("says durations as people do", () => {
  expect([0.004, 4.21, 41, 182, 3600, 90_000].map(duration)).toEqual(["4 ms", "4.2 s", "41 s", "3 m 02 s", "1 h 00 m", "1 d 01 h"]);
  expect(duration(null)).toBe("");
});

it("says how long ago", () => {
  expect(relative(0, 65_000)).toBe("1 min ago");
  expect(relative(3_600_000, 0)).toBe("in 1 h");
  expect(relative(0, 1000)).toBe("now");
});
