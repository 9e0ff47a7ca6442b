// The graph on a canvas: blocks when far, boxes nearer, names, then everything. Only what is in sight is drawn; failed
// tasks last, and never smaller than three pixels.
import type { Layout } from "./layout";

export interface Item { id: string; label: string; sub: string; state: string; group: boolean; count: number; kind: "" | "setup" | "teardown" | "mapped" }
export interface Frame { label: string; x: number; y: number; width: number; height: number; depth: number }
export interface View { x: number; y: number; zoom: number }
export interface Palette { [name: string]: string }

export const BOX = 34;

export function palette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const found: Palette = {};
  for (const name of ["bg", "surface", "line", "line-strong", "fg", "fg-2", "fg-3", "accent", "hover", "selected"]) found[name] = style.getPropertyValue(`--${name}`).trim();
  for (const state of ["success", "failed", "upstream_failed", "running", "up_for_retry", "queued", "deferred", "awaiting_input", "skipped"]) {
    found[`${state}-fill`] = style.getPropertyValue(`--${state}-fill`).trim();
    found[`${state}-tint`] = style.getPropertyValue(`--${state}-tint`).trim();
    found[`${state}-line`] = style.getPropertyValue(`--${state}-line`).trim();
  }
  return found;
}

const AS: Record<string, string> = { restarting: "running", scheduled: "queued", up_for_reschedule: "deferred", removed: "skipped" };
const HOLLOW = new Set(["scheduled", "up_for_reschedule", "none", "removed"]);

function fill(colours: Palette, state: string): string {
  return colours[`${AS[state] ?? state}-fill`] ?? (colours["line-strong"] as string);
}

export function draw(context: CanvasRenderingContext2D, size: { width: number; height: number; ratio: number }, view: View, made: Layout, items: Item[], frames: Frame[], edges: ArrayLike<number>, widths: ArrayLike<number>, labels: Map<number, string>, colours: Palette, lit: { node: number; near: Set<number> | null; hover: number }): void {
  const { zoom } = view;
  context.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
  context.fillStyle = colours.surface as string;
  context.fillRect(0, 0, size.width, size.height);
  context.setTransform(size.ratio * zoom, 0, 0, size.ratio * zoom, size.ratio * view.x, size.ratio * view.y);
  const left = -view.x / zoom;
  const top = -view.y / zoom;
  const right = left + size.width / zoom;
  const bottom = top + size.height / zoom;
  for (const frame of frames) {
    if (frame.x > right || frame.y > bottom || frame.x + frame.width < left || frame.y + frame.height < top) continue;
    context.fillStyle = colours.hover as string;
    context.globalAlpha = 0.7;
    round(context, frame.x, frame.y, frame.width, frame.height, 8);
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = colours.line as string;
    context.lineWidth = 1 / Math.max(zoom, 0.5);
    context.stroke();
    if (zoom >= 0.35) {
      context.fillStyle = colours["fg-3"] as string;
      context.font = "500 11px 'Inter Variable', sans-serif";
      context.textBaseline = "top";
      context.fillText(frame.label, frame.x + 8, frame.y + 4, frame.width - 16);
    }
  }
  // Edges: all in one path each for quiet and lit, so that the canvas strokes twice.
  for (const strong of [false, true]) {
    context.beginPath();
    for (let edge = 0; edge < made.lines.length; edge += 1) {
      const from = edges[edge * 2] as number;
      const to = edges[edge * 2 + 1] as number;
      const on = lit.near !== null && lit.near.has(from) && lit.near.has(to);
      if (on !== strong) continue;
      const line = made.lines[edge] as Float64Array;
      const last = line.length - 2;
      const y0 = line[1] as number;
      const y1 = line[last + 1] as number;
      if (Math.max(line[0] as number, line[last] as number) < left || Math.min(line[0] as number, line[last] as number) > right) continue;
      if (line.length === 4 && ((y0 < top && y1 < top) || (y0 > bottom && y1 > bottom))) continue;
      context.moveTo(line[0] as number, y0);
      for (let at = 2; at <= last; at += 2) {
        const px = line[at - 2] as number;
        const py = line[at - 1] as number;
        const x = line[at] as number;
        const y = line[at + 1] as number;
        if (zoom < 0.2) context.lineTo(x, y);
        else {
          const bend = Math.min(60, (x - px) / 2);
          context.bezierCurveTo(px + bend, py, x - bend, y, x, y);
        }
      }
    }
    context.strokeStyle = (strong ? colours.accent : colours["line-strong"]) as string;
    context.globalAlpha = lit.near !== null && !strong ? 0.35 : 1;
    context.lineWidth = (strong ? 2 : 1.2) / Math.max(zoom, 0.45);
    context.stroke();
    context.globalAlpha = 1;
  }
  if (zoom >= 0.6)
    for (const [edge, text] of labels) {
      const line = made.lines[edge];
      if (!line) continue;
      const middle = Math.floor(line.length / 4) * 2;
      const x = ((line[Math.max(0, middle - 2)] as number) + (line[middle] as number)) / 2;
      const y = ((line[Math.max(1, middle - 1)] as number) + (line[middle + 1] as number)) / 2;
      context.font = "11px 'Inter Variable', sans-serif";
      const width = context.measureText(text).width;
      context.fillStyle = colours.surface as string;
      context.fillRect(x - width / 2 - 3, y - 8, width + 6, 16);
      context.fillStyle = colours["fg-2"] as string;
      context.textBaseline = "middle";
      context.fillText(text, x - width / 2, y);
    }
  const least = 3 / zoom;
  for (const failed of [false, true])
    for (let node = 0; node < items.length; node += 1) {
      const item = items[node] as Item;
      if ((item.state === "failed") !== failed) continue;
      const width = widths[node] as number;
      const x = made.x[node] as number;
      const y = (made.y[node] as number) - BOX / 2;
      if (x > right || y > bottom || x + width < left || y + BOX < top) continue;
      const colour = fill(colours, item.state);
      context.globalAlpha = lit.near !== null && !lit.near.has(node) ? 0.4 : 1;
      if (zoom < 0.25) {
        context.fillStyle = colour;
        context.fillRect(x, y, Math.max(width, least), Math.max(BOX, least));
        continue;
      }
      round(context, x, y, width, BOX, 6);
      context.fillStyle = item.state === "none" ? (colours.surface as string) : (colours[`${AS[item.state] ?? item.state}-tint`] ?? (colours.surface as string));
      context.fill();
      context.strokeStyle = node === lit.node ? (colours.accent as string) : node === lit.hover ? (colours["fg-3"] as string) : (colours["line-strong"] as string);
      context.lineWidth = node === lit.node ? 2.5 : 1;
      context.stroke();
      context.fillStyle = colour;
      context.strokeStyle = colour;
      if (HOLLOW.has(item.state)) {
        context.lineWidth = 1.5;
        round(context, x + 7, y + 10, 14, 14, 4);
        context.stroke();
      } else {
        round(context, x + 6, y + 9, 16, 16, 4);
        context.fill();
      }
      if (item.group || item.kind === "mapped") {
        context.strokeStyle = colours["line-strong"] as string;
        context.lineWidth = 1;
        context.beginPath();
        context.moveTo(x + 4, y + BOX + 3);
        context.lineTo(x + width - 4, y + BOX + 3);
        context.stroke();
      }
      if (zoom >= 0.45) {
        context.fillStyle = colours.fg as string;
        context.font = `${item.group ? 600 : 500} 12px 'Inter Variable', sans-serif`;
        context.textBaseline = "middle";
        const two = zoom >= 0.8 && item.sub;
        context.fillText(item.label, x + 29, y + (two ? 12 : BOX / 2 + 0.5), width - 36);
        if (two) {
          context.fillStyle = colours["fg-3"] as string;
          context.font = "10.5px 'Inter Variable', sans-serif";
          context.fillText(item.sub, x + 29, y + 25, width - 36);
        }
      }
    }
  context.globalAlpha = 1;
}

export function round(context: CanvasRenderingContext2D, x: number, y: number, width: number, height: number, radius: number): void {
  context.beginPath();
  context.roundRect(x, y, width, height, radius);
}

/** The view that shows everything, or the part around `nodes`. */
export function fitted(made: Layout, widths: ArrayLike<number>, size: { width: number; height: number }, nodes: number[] | null, most = 1): View {
  let left = Infinity;
  let top = Infinity;
  let right = -Infinity;
  let bottom = -Infinity;
  for (const node of nodes ?? Array.from(made.x.keys())) {
    left = Math.min(left, made.x[node] as number);
    right = Math.max(right, (made.x[node] as number) + (widths[node] as number));
    top = Math.min(top, (made.y[node] as number) - BOX);
    bottom = Math.max(bottom, (made.y[node] as number) + BOX);
  }
  if (!Number.isFinite(left)) return { x: 0, y: 0, zoom: 1 };
  const zoom = Math.min(most, (size.width - 48) / Math.max(1, right - left), (size.height - 48) / Math.max(1, bottom - top));
  return { zoom, x: size.width / 2 - ((left + right) / 2) * zoom, y: size.height / 2 - ((top + bottom) / 2) * zoom };
}

export function hit(made: Layout, widths: ArrayLike<number>, x: number, y: number): number {
  for (let node = 0; node < made.x.length; node += 1) {
    const left = made.x[node] as number;
    const middle = made.y[node] as number;
    if (x >= left && x <= left + (widths[node] as number) && Math.abs(y - middle) <= BOX / 2) return node;
  }
  return -1;
}
