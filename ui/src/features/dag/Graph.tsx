// The graph of a run: drawn on a canvas, laid out in a worker; beside it an outline with the same content.
import { useQuery } from "@tanstack/react-query";
import { Focus, ListTree, Minus, Plus } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { graphQuery, keys, runQuery, useFresh } from "@api/queries";
import { CODE, rowsOf, type Graph, type State, type Task } from "@api/types";
import type { Layout } from "@graph/layout";
import { BOX, draw, fitted, hit, palette, type Frame, type Item, type View } from "@graph/scene";
import { useKeys } from "@shared/keys";
import { usePrefs } from "@shared/prefs";
import { Badge } from "@shared/state";
import { duration } from "@shared/time";
import { Button, Loaded, Skeleton } from "@shared/ui";
import { plural, t } from "@shared/words";
import type { Selection } from "./selection";
import "./graph.css";

const OPEN_MAX = 80;

export function GraphView({ dag, run, selection }: { dag: string; run: string | undefined; selection: Selection }) {
  const states = useQuery({ ...runQuery(dag, run ?? ""), enabled: !!run, ...useFresh(`dag:${dag}`, [...keys.run(dag, run ?? ""), "tasks"], 700) });
  const version = states.data?.run.version;
  const found = useQuery({ ...graphQuery(dag, run ? version : undefined), enabled: !run || !!version || !!states.error });
  const rows = useMemo(() => (states.data ? rowsOf(states.data) : []), [states.data]);
  return <Loaded query={found}>{(graph) => <Shown key={graph.version} graph={graph} rows={rows} selection={selection} run={run} />}</Loaded>;
}

interface Folded { items: Item[]; edges: number[]; group: number[]; ids: string[]; members: number[][]; labels: Map<number, string>; frames: { id: number; depth: number; nodes: number[] }[] }

/** The graph with some groups closed: each is one box then, its edges those of its tasks. */
function fold(graph: Graph, closed: ReadonlySet<number>): Folded {
  const parents = graph.groups.map((group) => group[2]);
  const boxOf = (task: number): number => {
    let box = -1;
    for (let group = graph.group[task] ?? -1; group >= 0; group = parents[group] ?? -1) if (closed.has(group)) box = group;
    return box;
  };
  const ids: string[] = [];
  const items: Item[] = [];
  const members: number[][] = [];
  const group: number[] = [];
  const at = new Map<string, number>();
  const place = new Int32Array(graph.tasks.length);
  const mapped = new Set(graph.mapped);
  const setups = new Set(graph.setups);
  const teardowns = new Set(graph.teardowns);
  graph.tasks.forEach((id, task) => {
    const box = boxOf(task);
    const name = box >= 0 ? `group ${box}` : id;
    let node = at.get(name);
    if (node === undefined) {
      node = items.length;
      at.set(name, node);
      const inside = graph.group[task] ?? -1;
      const label = box >= 0 ? (graph.groups[box]?.[1] || graph.groups[box]?.[0] || "") : (graph.labels[task] ?? (inside >= 0 ? id.replace(`${graph.groups[inside]?.[0]}.`, "") : id));
      items.push({ id: name, label, sub: box >= 0 ? "" : (graph.operators[task] ?? ""), state: "none", group: box >= 0, count: 0, kind: mapped.has(task) ? "mapped" : setups.has(task) ? "setup" : teardowns.has(task) ? "teardown" : "" });
      ids.push(box >= 0 ? (graph.groups[box]?.[0] ?? "") : id);
      members.push([]);
      let outer = box >= 0 ? (parents[box] ?? -1) : inside;
      // The outermost open group keeps its members together.
      for (let up = outer; up >= 0; up = parents[up] ?? -1) outer = up;
      group.push(outer);
    }
    members[node]?.push(task);
    place[task] = node;
  });
  const edges: number[] = [];
  const seen = new Set<string>();
  const edgeAt = new Map<string, number>();
  for (let edge = 0; edge < graph.edges.length; edge += 2) {
    const from = place[graph.edges[edge] as number] as number;
    const to = place[graph.edges[edge + 1] as number] as number;
    const name = `${from} ${to}`;
    if (from === to || seen.has(name)) continue;
    seen.add(name);
    edgeAt.set(name, edges.length / 2);
    edges.push(from, to);
  }
  const labels = new Map<number, string>();
  for (const [from, to, text] of graph.edge_labels) {
    const edge = edgeAt.get(`${place[from]} ${place[to]}`);
    if (edge !== undefined) labels.set(edge, text);
  }
  const frames: Folded["frames"] = [];
  graph.groups.forEach((_, id) => {
    let depth = 0;
    for (let up: number = id; up >= 0; up = parents[up] ?? -1) {
      if (closed.has(up)) return;
      depth += 1;
    }
    const nodes = new Set<number>();
    graph.group.forEach((inside, task) => {
      for (let up = inside; up >= 0; up = parents[up] ?? -1) if (up === id) nodes.add(place[task] as number);
    });
    if (nodes.size) frames.push({ id, depth, nodes: [...nodes] });
  });
  for (const [node, inside] of members.entries()) (items[node] as Item).count = inside.length;
  return { items, edges, group, ids, members, labels, frames };
}

let worker: Worker | null = null;
let asked = 0;
function ask(input: unknown): Promise<Layout> {
  worker ??= new Worker(new URL("../../graph/layout.worker.ts", import.meta.url), { type: "module" });
  const of = worker;
  const id = (asked += 1);
  return new Promise((done) => {
    const hear = (event: MessageEvent<{ id: number; layout: Layout }>) => {
      if (event.data.id !== id) return;
      of.removeEventListener("message", hear);
      done(event.data.layout);
    };
    of.addEventListener("message", hear);
    of.postMessage({ id, input });
  });
}

function Shown({ graph, rows, selection, run }: { graph: Graph; rows: Task[]; selection: Selection; run: string | undefined }) {
  const { theme } = usePrefs();
  const [closed, setClosed] = useState<ReadonlySet<number>>(() => new Set(graph.tasks.length > OPEN_MAX ? graph.groups.map((_, id) => id) : []));
  const [made, setMade] = useState<{ layout: Layout; of: Folded; widths: number[] } | null>(null);
  const [outline, setOutline] = useState(false);
  const [text, setText] = useState("");
  const canvas = useRef<HTMLCanvasElement>(null);
  const mini = useRef<HTMLCanvasElement>(null);
  const view = useRef<View>({ x: 0, y: 0, zoom: 1 });
  const size = useRef({ width: 0, height: 0, ratio: 1 });
  const hover = useRef(-1);
  const touched = useRef(false);
  const folded = useMemo(() => fold(graph, closed), [graph, closed]);
  useEffect(() => {
    let there = true;
    const widths = folded.items.map((item) => Math.max(90, Math.min(240, 40 + item.label.length * 7)));
    void ask({ count: folded.items.length, edges: folded.edges, group: folded.group, widths, height: BOX, gapX: 56, gapY: 16 }).then((layout) => there && setMade({ layout, of: folded, widths }));
    return () => {
      there = false;
    };
  }, [folded]);
  const states = useMemo(() => {
    const worst = new Map<string, { state: State; seconds: number; tries: number; count: number }>();
    for (const row of rows) {
      const state = row.state ?? "none";
      const before = worst.get(row.task_id);
      if (!before) worst.set(row.task_id, { state, seconds: row.seconds ?? 0, tries: row.try_number, count: 1 });
      else {
        before.count += 1;
        before.seconds = Math.max(before.seconds, row.seconds ?? 0);
        if (CODE[state] > CODE[before.state]) before.state = state;
      }
    }
    return worst;
  }, [rows]);
  const items = useMemo(() => {
    if (!made) return [];
    return made.of.items.map((item, node) => {
      let state: State = "none";
      let known: { seconds: number; tries: number; count: number } | undefined;
      for (const task of made.of.members[node] as number[]) {
        const found = states.get(graph.tasks[task] as string);
        if (found && (CODE[found.state] > CODE[state] || !known)) {
          state = found.state;
          known = found;
        }
      }
      const sub = item.group ? plural(item.count, "task", "tasks") : [item.sub, known && known.count > 1 ? `×${known.count}` : "", known?.seconds ? duration(known.seconds) : "", known && known.tries > 1 ? t("try {n}", { n: known.tries }) : ""].filter(Boolean).join(" · ");
      return { ...item, state, sub };
    });
  }, [made, states, graph]);
  const selected = made && selection.task ? made.of.ids.findIndex((id, node) => id === selection.task || (made.of.items[node]?.group && (made.of.members[node] as number[]).some((task) => graph.tasks[task] === selection.task))) : -1;
  const near = useMemo(() => {
    if (!made || selected < 0) return null;
    const found = new Set([selected]);
    for (const way of [0, 1]) {
      const open = [selected];
      const seen = new Set(open);
      while (open.length) {
        const node = open.pop();
        for (let edge = 0; edge < made.of.edges.length; edge += 2) {
          const next = made.of.edges[edge + way] === node ? (made.of.edges[edge + 1 - way] as number) : -1;
          if (next >= 0 && !seen.has(next)) {
            seen.add(next);
            found.add(next);
            open.push(next);
          }
        }
      }
    }
    return found;
  }, [made, selected]);
  const frames = useMemo<Frame[]>(() => {
    if (!made) return [];
    return made.of.frames.map(({ id, depth, nodes }) => {
      let left = Infinity, top = Infinity, right = -Infinity, bottom = -Infinity;
      for (const node of nodes) {
        left = Math.min(left, made.layout.x[node] as number);
        right = Math.max(right, (made.layout.x[node] as number) + (made.widths[node] as number));
        top = Math.min(top, made.layout.y[node] as number);
        bottom = Math.max(bottom, made.layout.y[node] as number);
      }
      const pad = 18 - Math.min(12, depth * 4);
      return { label: graph.groups[id]?.[1] || graph.groups[id]?.[0] || "", x: left - pad, y: top - BOX / 2 - pad - 8, width: right - left + 2 * pad, height: bottom - top + BOX + 2 * pad + 8, depth };
    }).sort((a, b) => a.depth - b.depth);
  }, [made, graph]);
  const paint = useCallback(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !made || !items.length) return;
    const colours = palette();
    draw(context, size.current, view.current, made.layout, items, frames, made.of.edges, made.widths, made.of.labels, colours, { node: selected, near, hover: hover.current });
    paintMini(mini.current, made.layout, items, made.widths, view.current, size.current, colours);
  }, [made, items, frames, selected, near]);
  const due = useRef(0);
  const soon = useCallback(() => {
    if (due.current) return;
    due.current = requestAnimationFrame(() => {
      due.current = 0;
      paint();
    });
  }, [paint]);
  useEffect(() => () => cancelAnimationFrame(due.current), []);
  const fit = useCallback((nodes: number[] | null, most?: number) => {
    if (made) view.current = fitted(made.layout, made.widths, size.current, nodes, most);
    soon();
  }, [made, soon]);
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const measure = () => {
      const box = element.parentElement?.getBoundingClientRect();
      if (!box) return;
      const ratio = devicePixelRatio || 1;
      size.current = { width: box.width, height: box.height, ratio };
      element.width = Math.round(box.width * ratio);
      element.height = Math.round(box.height * ratio);
      if (!touched.current) fit(opening(made, items));
      paint();
    };
    const watch = new ResizeObserver(measure);
    if (element.parentElement) watch.observe(element.parentElement);
    measure();
    return () => watch.disconnect();
  }, [made, fit, paint, items]);
  useEffect(() => soon(), [soon, theme]);
  useEffect(() => {
    // Another version or other groups: show it whole again.
    touched.current = false;
  }, [made]);
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      touched.current = true;
      if (event.ctrlKey || event.metaKey || Math.abs(event.deltaY) > Math.abs(event.deltaX)) zoomBy(Math.exp(-event.deltaY * 0.0015), event.offsetX, event.offsetY);
      else view.current.x -= event.deltaX;
      soon();
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => element.removeEventListener("wheel", wheel);
  });
  const zoomBy = (by: number, x = size.current.width / 2, y = size.current.height / 2) => {
    const now = view.current;
    const zoom = Math.max(0.02, Math.min(2.5, now.zoom * by));
    view.current = { zoom, x: x - ((x - now.x) / now.zoom) * zoom, y: y - ((y - now.y) / now.zoom) * zoom };
    touched.current = true;
    soon();
  };
  const nodeAt = (event: { nativeEvent: { offsetX: number; offsetY: number } }) => (made ? hit(made.layout, made.widths, (event.nativeEvent.offsetX - view.current.x) / view.current.zoom, (event.nativeEvent.offsetY - view.current.y) / view.current.zoom) : -1);
  const open = (node: number) => {
    if (!made || node < 0) return selection.set({ task: undefined, map: undefined });
    if (made.of.items[node]?.group) {
      const group = graph.groups.findIndex((each) => each[0] === made.of.ids[node]);
      setClosed((now) => new Set([...now].filter((each) => each !== group)));
    } else selection.set({ run, task: made.of.ids[node], map: undefined });
  };
  const grip = useRef<{ x: number; y: number; moved: boolean } | null>(null);
  const fly = (wanted: string) => {
    setText(wanted);
    if (!made || !wanted) return;
    const node = made.of.ids.findIndex((id) => id.toLowerCase().includes(wanted.toLowerCase()));
    if (node >= 0) {
      touched.current = true;
      fit([node], 1);
      hover.current = node;
    }
  };
  const fail = (step: number) => {
    if (!made) return;
    const failed = items.map((item, node) => (item.state === "failed" ? node : -1)).filter((node) => node >= 0);
    if (!failed.length) return;
    const next = failed[(failed.indexOf(selected) + step + failed.length) % failed.length] as number;
    touched.current = true;
    fit([next], 1);
    open(next);
  };
  useKeys([
    { keys: "e", what: t("Next failure"), act: () => fail(1) },
    { keys: "E", what: t("Failure before"), act: () => fail(-1) },
    { keys: "0", what: t("Show all"), act: () => fit(null) },
    { keys: "+|=", what: t("Nearer"), act: () => zoomBy(1.25) },
    { keys: "-", what: t("Farther"), act: () => zoomBy(0.8) },
  ]);
  return (
    <div className="graph-view">
      <div className="toolbar">
        <input data-filter type="search" className="input" placeholder={t("Find a task")} aria-label={t("Find a task")} value={text} onChange={(event) => fly(event.target.value)} />
        {graph.groups.length > 0 && <Button kind="tiny" onClick={() => setClosed(new Set(closed.size ? [] : graph.groups.map((_, id) => id)))}>{closed.size ? t("Open all groups") : t("Close all groups")}</Button>}
        <span className="grow" />
        <span className="small faint">{plural(graph.tasks.length, "task", "tasks")}, {plural(graph.edges.length / 2, "edge", "edges")} · v{graph.number}</span>
        <Button kind="tiny" aria-pressed={outline} onClick={() => setOutline(!outline)}><ListTree />{t("Outline")}</Button>
      </div>
      <div className="graph-box">
        {!made && <Skeleton />}
        <canvas ref={canvas} role="img" aria-label={t("Graph of {count} tasks; the outline has the same content as text", { count: graph.tasks.length })} style={{ touchAction: "none" }}
          onPointerDown={(event) => { grip.current = { x: event.clientX, y: event.clientY, moved: false }; event.currentTarget.setPointerCapture(event.pointerId); }}
          onPointerMove={(event) => {
            if (grip.current) {
              const dx = event.clientX - grip.current.x;
              const dy = event.clientY - grip.current.y;
              if (grip.current.moved || Math.abs(dx) + Math.abs(dy) > 3) {
                view.current.x += dx;
                view.current.y += dy;
                grip.current = { x: event.clientX, y: event.clientY, moved: true };
                touched.current = true;
                soon();
              }
              return;
            }
            const node = nodeAt(event);
            if (node !== hover.current) {
              hover.current = node;
              event.currentTarget.style.cursor = node >= 0 ? "pointer" : "grab";
              event.currentTarget.title = node >= 0 && made ? `${made.of.ids[node]}\n${items[node]?.state}\n${items[node]?.sub}` : "";
              soon();
            }
          }}
          onPointerUp={(event) => { if (grip.current && !grip.current.moved) open(nodeAt(event)); grip.current = null; }} />
        <div className="graph-tools">
          <Button kind="tiny icon" aria-label={t("Nearer")} onClick={() => zoomBy(1.25)}><Plus /></Button>
          <Button kind="tiny icon" aria-label={t("Farther")} onClick={() => zoomBy(0.8)}><Minus /></Button>
          <Button kind="tiny icon" aria-label={t("Show all")} title={t("Show all (0)")} onClick={() => { touched.current = false; fit(null); }}><Focus /></Button>
        </div>
        <canvas ref={mini} className="graph-mini" width={180} height={110} aria-hidden="true" onPointerDown={(event) => {
          if (!made) return;
          const scale = Math.min(180 / made.layout.width, 110 / made.layout.height);
          const x = event.nativeEvent.offsetX / scale;
          const y = event.nativeEvent.offsetY / scale;
          view.current = { ...view.current, x: size.current.width / 2 - x * view.current.zoom, y: size.current.height / 2 - y * view.current.zoom };
          touched.current = true;
          soon();
        }} />
        {outline && (
          <nav className="graph-outline" aria-label={t("Outline")}>
            <ul>{graph.tasks.slice(0, 5000).map((id, task) => {
              const before: string[] = [];
              for (let edge = 0; edge < graph.edges.length && before.length < 4; edge += 2) if (graph.edges[edge + 1] === task) before.push(graph.tasks[graph.edges[edge] as number] as string);
              return <li key={id}><button type="button" aria-current={selection.task === id || undefined} onClick={() => { selection.set({ run, task: id, map: undefined }); fly(id); }}><Badge state={states.get(id)?.state ?? "none"} small /><span className="clip">{id}</span><span className="faint small clip">{before.length ? t("after {names}", { names: before.join(", ") }) : ""}</span></button></li>;
            })}</ul>
          </nav>
        )}
      </div>
    </div>
  );
}

/** What is shown first: everything while names can be read, else what failed and what is around it. */
function opening(made: { layout: Layout; of: Folded; widths: number[] } | null, items: Item[]): number[] | null {
  if (!made || items.length < 60) return null;
  const failed = items.map((item, node) => (item.state === "failed" ? node : -1)).filter((node) => node >= 0).slice(0, 3);
  if (!failed.length) return null;
  let found = new Set(failed);
  for (let step = 0; step < 2; step += 1) {
    const next = new Set(found);
    for (let edge = 0; edge < made.of.edges.length; edge += 2) {
      const from = made.of.edges[edge] as number;
      const to = made.of.edges[edge + 1] as number;
      if (found.has(from)) next.add(to);
      if (found.has(to)) next.add(from);
    }
    if (next.size > 40) break;
    found = next;
  }
  return [...found];
}

function paintMini(canvas: HTMLCanvasElement | null, made: Layout, items: Item[], widths: number[], view: View, size: { width: number; height: number }, colours: Record<string, string>): void {
  const context = canvas?.getContext("2d");
  if (!canvas || !context) return;
  canvas.hidden = items.length < 12;
  context.clearRect(0, 0, canvas.width, canvas.height);
  const scale = Math.min(canvas.width / Math.max(1, made.width), canvas.height / Math.max(1, made.height));
  items.forEach((item, node) => {
    context.fillStyle = colours[`${item.state}-fill`] ?? (colours["line-strong"] as string);
    context.fillRect((made.x[node] as number) * scale, ((made.y[node] as number) - BOX / 2) * scale, Math.max(1.5, (widths[node] as number) * scale), Math.max(1.5, BOX * scale));
  });
  context.strokeStyle = colours.accent as string;
  context.strokeRect((-view.x / view.zoom) * scale, (-view.y / view.zoom) * scale, (size.width / view.zoom) * scale, (size.height / view.zoom) * scale);
}
