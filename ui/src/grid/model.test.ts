import { describe, expect, it } from "vitest";
import { ABSENT, GridModel, SEVERAL, STATE, type Row } from "./model";

const tree: Row[] = [["a", "a", 0, 0, "", false, ""], ["g", "g", 0, 1, "", false, ""], ["g.b", "b", 1, 0, "", false, ""], ["g.c", "c", 1, 0, "", false, ""]];
const make = () => {
  const model = new GridModel<{ key: string; run_id: string }>();
  // Newest first, as the server tells.
  model.load({ version: "v", order: ["a", "g.b", "g.c"], tree, gone: [], runs: [{ key: "2", run_id: "two" }, { key: "1", run_id: "one" }], cells: btoa(String.fromCharCode(3, 13, 3, 3, 3, 10)) });
  return model;
};

describe("GridModel", () => {
  it("has the newest run last and tells groups by their worst task", () => {
    const model = make();
    expect(model.runs.map((run) => run.run_id)).toEqual(["one", "two"]);
    expect(model.cell(1, 1) & STATE).toBe(13);
    expect(model.cell(1, 0)).toBe(10 | SEVERAL);
  });
  it("hides what is in a closed group and what is well", () => {
    const model = make();
    expect(model.visible(new Set(["g"]), false, "")).toEqual([0, 1]);
    expect(model.visible(new Set(), true, "")).toEqual([1, 2]);
    expect(model.visible(new Set(), false, "c")).toEqual([1, 3]);
  });
  it("takes news of cells and of runs", () => {
    const model = make();
    expect(model.patch("2", "g.b", 3, 2)).toBe(true);
    expect(model.cell(2, 1) & STATE).toBe(3);
    model.putRun({ key: "3", run_id: "three" });
    expect(model.cell(0, 2)).toBe(ABSENT);
    expect(model.cell(0, 0) & STATE).toBe(3);
  });
  it("names the tasks of a group", () => {
    expect(make().tasksOf(1)).toEqual(["g.b", "g.c"]);
    expect(make().tasksOf(0)).toEqual(["a"]);
  });
  it("walks to the next failure", () => {
    expect(make().nextFailure([0, 1, 2, 3], 0, 1, 1)).toEqual([2, 1]);
  });
  it("shows tasks of older versions after those of today", () => {
    const model = make();
    model.load({ version: "v", order: null, gone: ["old"], runs: [{ key: "1", run_id: "one" }], cells: btoa(String.fromCharCode(3, 3, 3, 12)) });
    expect(model.row(4)[0]).toBe("old");
    expect(model.cell(4, 0) & STATE).toBe(12);
  });
});
