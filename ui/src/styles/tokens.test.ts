// State colours can be told apart under every kind of sight: the least distance (CIEDE2000) over normal, deutan, protan
// and tritan sight is recomputed from the tokens themselves.
import { describe, expect, it } from "vitest";
import css from "./tokens.css?raw";

const SOLID = ["success", "failed", "upstream_failed", "running", "up_for_retry", "queued", "deferred", "awaiting_input", "skipped"];

function tokens(theme: "light" | "dark"): Map<string, string> {
  const dark = css.indexOf('[data-theme="dark"]');
  const part = theme === "light" ? css.slice(0, dark) : css.slice(dark, css.indexOf("--s1"));
  return new Map([...part.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map((found) => [found[1] as string, found[2] as string]));
}

type Triple = [number, number, number];
const linear = (hex: string): Triple => [1, 3, 5].map((at) => {
  const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}) as Triple;
const times = (matrix: number[], [a, b, c]: Triple): Triple => [0, 3, 6].map((row) => (matrix[row] as number) * a + (matrix[row + 1] as number) * b + (matrix[row + 2] as number) * c) as Triple;
// Machado, Oliveira and Fernandes 2009, severity 1.
const SIGHTS: Record<string, number[]> = {
  normal: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protan: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deutan: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritan: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
};
const XYZ = [0.4124564, 0.3575761, 0.1804375, 0.2126729, 0.7151522, 0.072175, 0.0193339, 0.119192, 0.9503041];

function lab(rgb: Triple): Triple {
  const [x, y, z] = times(XYZ, rgb.map((value) => Math.max(0, Math.min(1, value))) as Triple);
  const f = (value: number) => (value > 0.008856 ? Math.cbrt(value) : 7.787 * value + 16 / 116);
  const [fx, fy, fz] = [f(x / 0.95047), f(y), f(z / 1.08883)];
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
}

function distance([l1, a1, b1]: Triple, [l2, a2, b2]: Triple): number {
  const rad = Math.PI / 180;
  const c = (Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2;
  const g = 0.5 * (1 - Math.sqrt(c ** 7 / (c ** 7 + 25 ** 7)));
  const [p1, p2] = [a1 * (1 + g), a2 * (1 + g)];
  const [c1, c2] = [Math.hypot(p1, b1), Math.hypot(p2, b2)];
  const hue = (a: number, b: number) => (a === 0 && b === 0 ? 0 : (Math.atan2(b, a) / rad + 360) % 360);
  const [h1, h2] = [hue(p1, b1), hue(p2, b2)];
  const [dl, dc] = [l2 - l1, c2 - c1];
  let dh = h2 - h1;
  if (c1 * c2 === 0) dh = 0;
  else if (dh > 180) dh -= 360;
  else if (dh < -180) dh += 360;
  const dH = 2 * Math.sqrt(c1 * c2) * Math.sin((dh / 2) * rad);
  const [lm, cm] = [(l1 + l2) / 2, (c1 + c2) / 2];
  let hm = h1 + h2;
  if (c1 * c2 !== 0) hm = Math.abs(h1 - h2) <= 180 ? hm / 2 : hm < 360 ? (hm + 360) / 2 : (hm - 360) / 2;
  const tt = 1 - 0.17 * Math.cos((hm - 30) * rad) + 0.24 * Math.cos(2 * hm * rad) + 0.32 * Math.cos((3 * hm + 6) * rad) - 0.2 * Math.cos((4 * hm - 63) * rad);
  const [sl, sc, sh] = [1 + (0.015 * (lm - 50) ** 2) / Math.sqrt(20 + (lm - 50) ** 2), 1 + 0.045 * cm, 1 + 0.015 * cm * tt];
  const rt = -2 * Math.sqrt(cm ** 7 / (cm ** 7 + 25 ** 7)) * Math.sin(60 * rad * Math.exp(-(((hm - 275) / 25) ** 2)));
  return Math.sqrt((dl / sl) ** 2 + (dc / sc) ** 2 + (dH / sh) ** 2 + rt * (dc / sc) * (dH / sh));
}

const luminance = (hex: string) => {
  const [r, g, b] = linear(hex);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a: string, b: string) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (high + 0.05) / (low + 0.05);
};

describe.each(["light", "dark"] as const)("%s", (theme) => {
  const found = tokens(theme);
  it("keeps solid states apart under every kind of sight", () => {
    let least = Infinity;
    for (const matrix of Object.values(SIGHTS))
      for (const [at, one] of SOLID.entries())
        for (const other of SOLID.slice(at + 1)) least = Math.min(least, distance(lab(times(matrix, linear(found.get(`${one}-fill`) as string))), lab(times(matrix, linear(found.get(`${other}-fill`) as string)))));
    expect(least).toBeGreaterThan(theme === "light" ? 14 : 12.5);
  });
  it("keeps words on badges readable", () => {
    for (const state of SOLID) expect(contrast(found.get(`${state}-ink`) as string, found.get(`${state}-tint`) as string), state).toBeGreaterThan(4.49);
  });
  it("keeps text readable", () => {
    for (const name of ["fg", "fg-2", "fg-3"]) for (const on of ["bg", "surface"]) expect(contrast(found.get(name) as string, found.get(on) as string), `${name} on ${on}`).toBeGreaterThan(4.49);
  });
});
