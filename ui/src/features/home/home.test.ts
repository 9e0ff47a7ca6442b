import { expect, it } from "vitest";
import type { Failing } from "@api/types";
import { exception, grouped } from "./index";

const line = (reason: string, id: string) => ({ reason, ti_id: id, state: "failed", cause: "exception" }) as Failing;

it("puts failures that say the same together", () => {
  const groups = grouped([line("KeyError: 'a' in row 5; no retries left", "1"), line("KeyError: 'b' in row 17", "2"), line("OSError: full", "3")]);
  expect(groups.map((group) => group.lines.length)).toEqual([2, 1]);
});

it("says the exception without what is about retries", () => {
  expect(exception(line("ValueError: bad; tries again in 5 s", "1"))).toBe("ValueError: bad");
  expect(exception({ reason: null, cause: "out_of_memory", state: "failed" })).toBe("out of memory");
});
