import { describe, expect, it } from "vitest";
import { layout, pool } from "./layout";

const run = (count: number, edges: number[]) => layout({ count, edges, widths: new Array(count).fill(100), height: 30, gapX: 40, gapY: 10 });

function random(seed: number): () => number {
  let state = seed;
  return () => ((state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648);
}

describe("layout", () => {
  it("puts every node after what it needs", () => {
    const made = run(5, [0, 1, 0, 2, 1, 3, 2, 3, 0, 4, 4, 3]);
    expect(made.rank[0]).toBe(0);
    expect(made.rank[3]).toBe(2);
    expect(made.crossings).toBe(0);
  });
  it("keeps boxes of a rank apart", () => {
    const made = run(6, [0, 1, 0, 2, 0, 3, 0, 4, 0, 5]);
    const ys = [...made.y].slice(1).sort((a, b) => a - b);
    for (let at = 1; at < ys.length; at += 1) expect((ys[at] as number) - (ys[at - 1] as number)).toBeGreaterThanOrEqual(39.9);
  });
  it("goes through stand-ins of long edges", () => {
    expect(run(4, [0, 1, 1, 2, 2, 3, 0, 3]).lines[3]?.length).toBe(8);
  });
  it("lives with circles and with nothing", () => {
    expect(run(2, [0, 1, 1, 0]).x.length).toBe(2);
    expect(run(0, []).width).toBe(0);
  });
  it("lays 2,000 tasks out in time", () => {
    const next = random(7);
    const edges: number[] = [];
    for (let node = 1; node < 2000; node += 1) for (let each = 0; each < 1 + next() * 2; each += 1) edges.push(Math.max(0, node - 1 - Math.floor(next() * 60)), node);
    const start = performance.now();
    run(2000, edges);
    expect(performance.now() - start).toBeLessThan(3000);
  });
});

it("pools neighbours that would come too near", () => {
  expect(pool([0, 0, 100], [10, 10, 10])).toEqual([-5, 5, 100]);
});
