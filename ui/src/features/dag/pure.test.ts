import { expect, it } from "vitest";
import { isOwn, parseLine } from "./log";
import { chain } from "./Timeline";

it("walks the critical path back from what ended last", () => {
  const bar = (id: string, start: number, end: number) => ({ row: { ti_id: id }, start, end });
  expect([...chain([bar("a", 0, 10), bar("b", 0, 30), bar("c", 31, 50), bar("d", 11, 20)])].sort()).toEqual(["b", "c"]);
});

it("reads lines of a log, also those that are none", () => {
  expect(parseLine('{"t":"2026-11-20T10:00:00Z","l":"error","s":"log","m":"no","e":[]}', 3)).toMatchObject({ number: 3, level: "error", text: "no" });
  expect(parseLine("cut off {", 4)).toMatchObject({ text: "cut off {", at: null });
});

it("tells the author's own frames from those of libraries", () => {
  const at = (file: string) => isOwn({ file, line: 1, function: "f" });
  expect(at("/home/me/dags/shop.py")).toBe(true);
  expect(at("/usr/lib/python3.13/json/decoder.py")).toBe(false);
  expect(at("/v/lib/python3.13/site-packages/pandas/core.py")).toBe(false);
});
