// Runs by tasks. Rows in sight only; a cell is one bare element, drawn as text; one tooltip and one listener for all.
import { useQueryClient } from "@tanstack/react-query";
import { ChevronDown, ChevronRight, RotateCcw } from "lucide-react";
import { memo, useCallback, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from "react";
import { at, get, query } from "@api/http";
import { throttled, useNews, type News } from "@api/live";
import { CODE, STATES, type Grid as Answer, type Run } from "@api/types";
import { ABSENT, GridModel, MORE_TRIES, SEVERAL, STATE } from "@grid/model";
import { ClearDialog } from "@shared/dialogs";
import { useKeys } from "@shared/keys";
import { prefs, usePrefs } from "@shared/prefs";
import { Badge, stateWord } from "@shared/state";
import { absolute, day, duration, hm } from "@shared/time";
import { Button, Empty, Fault, Skeleton } from "@shared/ui";
import { t } from "@shared/words";
import type { Selection } from "./selection";
import "./grid.css";

interface Held { model: GridModel<Run>; more: boolean }

/** The grid's data: read once, then patched by the news. */
function useGrid(dag: string, count: number, before: string | undefined) {
  const client = useQueryClient();
  const held = useRef<Held>({ model: new GridModel<Run>(), more: false });
  const [version, redraw] = useReducer((value: number) => value + 1, 0);
  const [fault, setFault] = useState<unknown>(null);
  const [ready, setReady] = useState("");
  const load = useCallback(async (fresh = false) => {
    const known = held.current.model.version || undefined;
    try {
      const told = await client.fetchQuery({ queryKey: ["ui", "dag", dag, "grid", count, before ?? "", known ?? ""], queryFn: ({ signal }) => get<Answer>(`/ui/dags/${at(dag)}/grid${query({ runs: count, before, known, fresh: fresh || undefined })}`, signal), staleTime: 0, gcTime: 0 });
      held.current.model.load(told);
      held.current.more = told.more;
      setFault(null);
      setReady(dag);
      redraw();
    } catch (error) {
      setFault(error);
    }
  }, [client, dag, count, before]);
  useEffect(() => {
    held.current = { model: new GridModel<Run>(), more: false };
    void load();
  }, [load]);
  const again = useMemo(() => throttled(() => void load(), 1500), [load]);
  const afterAct = useMemo(() => throttled(() => void load(true), 300), [load]);
  const paint = useMemo(() => throttled(() => redraw(), 100), []);
  useNews(`dag:${dag}`, (event) => {
    if (event.kind === "reset") again();
    if (event.kind !== "news" || before) return;
    const news = event.data as News;
    const { model } = held.current;
    for (const run of news.runs) if (run.dag_id === dag) model.putRun(run);
    for (const [of, key, , task, , state, tries] of news.tasks) if (of === dag && !model.patch(key, task, CODE[(state ?? "none") as "none"] ?? 0, tries)) again();
    paint();
  });
  // After an act of ours everything below the DAG is stale; the grid is read again with it.
  useEffect(() => client.getQueryCache().subscribe((event) => {
    const key = event.query.queryKey;
    if (event.type === "updated" && event.action.type === "invalidate" && key[1] === "dag" && key[2] === dag && key[3] === "detail") afterAct();
  }), [client, dag, afterAct]);
  return { ...held.current, fault, version, ready: ready === dag, reload: () => load() };
}

const OVERSCAN = 6;

export function Grid({ dag, selection }: { dag: string; selection: Selection }) {
  const chosen = usePrefs();
  const count = chosen.runs;
  const grid = useGrid(dag, count, selection.before);
  const { model } = grid;
  const [collapsed, setCollapsed] = useState<Set<string>>(new Set());
  const [text, setText] = useState("");
  const [problems, setProblems] = useState(false);
  const [view, setView] = useState({ top: 0, height: 600, left: 0, width: 1200 });
  const box = useRef<HTMLDivElement>(null);
  const tip = useRef<HTMLDivElement>(null);
  const pitch = chosen.density === "compact" ? 20 : 24;
  useEffect(() => {
    if (grid.ready) setCollapsed(new Set(model.closed()));
  }, [grid.ready, model]);
  const shown = model.visible(collapsed, problems, text);
  const rowAt = selection.task ? model.rowOf(selection.task) : -1;
  const runAt = selection.run ? model.columnOf(selection.run) : -1;
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => setView((before) => {
      // Only steps that bring other rows or columns into sight draw anything.
      const next = { top: Math.floor(element.scrollTop / pitch) * pitch, height: element.clientHeight, left: Math.floor(element.scrollLeft / (8 * pitch)) * 8 * pitch, width: element.clientWidth };
      return next.top === before.top && next.height === before.height && next.left === before.left && next.width === before.width ? before : next;
    });
    const watch = new ResizeObserver(measure);
    watch.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    measure();
    element.scrollLeft = element.scrollWidth;
    return () => {
      watch.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, [grid.ready, pitch]);
  // The newest run stays in sight when one is added.
  const columns = model.runs.length;
  useLayoutEffect(() => {
    const element = box.current;
    if (element && element.scrollWidth - element.clientWidth - element.scrollLeft < 80) element.scrollLeft = element.scrollWidth;
  }, [columns]);
  const select = (row: number, run: number) => {
    const line = row >= 0 ? model.row(row) : null;
    const column = model.runs[run];
    selection.set({ run: column?.run_id ?? selection.run, task: line && line[3] === 0 ? line[0] : undefined, map: undefined });
    if (row >= 0 && box.current) {
      const place = shown.indexOf(row) * pitch;
      if (place < box.current.scrollTop) box.current.scrollTop = place;
      else if (place > box.current.scrollTop + box.current.clientHeight - HEAD - pitch) box.current.scrollTop = place - box.current.clientHeight + HEAD + 2 * pitch;
    }
  };
  const [clearing, setClearing] = useState<string[] | null>(null);
  const tasksOf = (row: number) => model.tasksOf(row);
  const clearGroup = useCallback((row: number) => setClearing(model.tasksOf(row)), [model]);
  const toggle = useCallback((id: string) => setCollapsed((now) => {
    const next = new Set(now);
    if (!next.delete(id)) next.add(id);
    return next;
  }), []);
  const newest = useRef(select);
  newest.current = select;
  const pick = useCallback((row: number) => newest.current(row, runAt < 0 ? model.runs.length - 1 : runAt), [model, runAt]);
  const walk = (rows: number, runs: number) => {
    const place = Math.max(0, Math.min(shown.length - 1, (rowAt < 0 ? -1 : shown.indexOf(rowAt)) + rows));
    const run = Math.max(0, Math.min(model.runs.length - 1, (runAt < 0 ? model.runs.length - 1 : runAt) + runs));
    select(rows === 0 && rowAt < 0 ? -1 : (shown[place] ?? -1), run);
  };
  const leap = (step: 1 | -1) => {
    const found = model.nextFailure(shown, rowAt, runAt < 0 ? model.runs.length - 1 : runAt, step);
    if (found) select(...found);
  };
  useKeys([
    { keys: "j|arrowdown", what: t("Next task"), act: () => walk(1, 0) },
    { keys: "k|arrowup", what: t("Task before"), act: () => walk(-1, 0) },
    { keys: "h|arrowleft|[", what: t("Older run"), act: () => walk(0, -1) },
    { keys: "l|arrowright|]", what: t("Newer run"), act: () => walk(0, 1) },
    { keys: "e", what: t("Next failure"), act: () => leap(1) },
    { keys: "E", what: t("Failure before"), act: () => leap(-1) },
    { keys: "C", what: t("Clear the group or task in this run"), act: () => rowAt >= 0 && setClearing(tasksOf(rowAt)) },
    { keys: "o", what: t("Only problems"), act: () => setProblems(!problems) },
  ]);
  if (grid.fault && !grid.ready) return <div className="page"><Fault error={grid.fault} retry={() => void grid.reload()} /></div>;
  if (!grid.ready) return <Skeleton lines={16} />;
  const first = Math.max(0, Math.floor(view.top / pitch) - OVERSCAN);
  const last = Math.min(shown.length, Math.ceil((view.top + view.height) / pitch) + OVERSCAN);
  // Above sixty runs columns out of sight are left out too.
  const many = model.runs.length > 60;
  const from = many ? Math.max(0, Math.floor(view.left / pitch) - 8) : 0;
  const to = many ? Math.min(model.runs.length, Math.ceil((view.left + view.width) / pitch) + 16) : model.runs.length;
  const seconds = model.runs.map((run) => (run.start ? Math.max(0, (run.end ?? Date.now()) - run.start) / 1000 : 0));
  const most = Math.max(0.001, ...seconds);
  const hover = (event: React.PointerEvent) => {
    const place = tip.current;
    const cell = (event.target as HTMLElement).closest<HTMLElement>("[data-r]");
    if (!place) return;
    if (!cell) {
      place.hidden = true;
      return;
    }
    const row = Number(cell.dataset.r);
    const run = model.runs[Number(cell.dataset.c)];
    if (!run) return;
    const byte = row >= 0 ? model.cell(row, Number(cell.dataset.c)) : -1;
    const spot = cell.getBoundingClientRect();
    place.hidden = false;
    place.textContent = tipText(row >= 0 ? model.row(row)[0] : null, run, byte);
    place.style.left = `${Math.max(8, Math.min(innerWidth - place.offsetWidth - 8, spot.left + 16))}px`;
    place.style.top = `${spot.bottom + 6 + place.offsetHeight > innerHeight ? spot.top - place.offsetHeight - 6 : spot.bottom + 6}px`;
  };
  const press = (event: React.MouseEvent) => {
    const target = event.target as HTMLElement;
    const cell = target.closest<HTMLElement>("[data-r]");
    if (cell) {
      const row = Number(cell.dataset.r);
      const group = row >= 0 && model.row(row)[3] === 1;
      if (group) toggle(model.row(row)[0]);
      else select(row, Number(cell.dataset.c));
    }
  };
  return (
    <div className="grid-view">
      <div className="toolbar">
        <input data-filter type="search" className="input" placeholder={t("Filter tasks")} aria-label={t("Filter tasks")} value={text} onChange={(event) => setText(event.target.value)} />
        <Button kind="tiny" aria-pressed={problems} onClick={() => setProblems(!problems)} title={t("Only problems (o)")}>{t("Only problems")}</Button>
        {model.tree.some((row) => row[3] === 1) && <Button kind="tiny quiet" onClick={() => setCollapsed(collapsed.size ? new Set() : new Set(model.tree.filter((row) => row[3] === 1).map((row) => row[0])))}>{collapsed.size ? t("Open all groups") : t("Close all groups")}</Button>}
        <span className="grow" />
        {selection.before && <Button kind="tiny" onClick={() => selection.set({ before: undefined })}>{t("Newest runs")}</Button>}
        {grid.more && model.runs[0] && <Button kind="tiny quiet" onClick={() => selection.set({ before: model.runs[0]?.key })}>{t("Older runs")}</Button>}
        <select className="input" style={{ paddingBlock: 2 }} aria-label={t("Number of runs")} value={count} onChange={(event) => prefs.set({ runs: Number(event.target.value) })}>{[10, 25, 50, 100, 200].map((each) => <option key={each} value={each}>{t("{count} runs", { count: each })}</option>)}</select>
      </div>
      {model.runs.length === 0 && <Empty title={t("No runs yet")}><p>{t("Trigger one with t, or unpause the DAG and wait for its schedule.")}</p></Empty>}
      {/* oxlint-disable-next-line jsx-a11y/interactive-supports-focus, jsx-a11y/click-events-have-key-events */}
      <div ref={box} className="grid-box" role="grid" tabIndex={0} aria-label={t("Runs and tasks")} aria-rowcount={shown.length + 1} aria-colcount={model.runs.length + 1} aria-activedescendant={rowAt >= 0 && runAt >= 0 ? `cell-${rowAt}-${runAt}` : undefined} onPointerMove={hover} onPointerLeave={() => tip.current && (tip.current.hidden = true)} onClick={press}>
        <div className="grid-head" role="row" style={{ height: HEAD }}>
          <div className="grid-name" role="columnheader"><span className="faint small">{t("{count} tasks", { count: model.order.length })}</span></div>
          <div className="grid-cells">
            {model.runs.map((run, place) => (
              <div key={run.key} role="columnheader" className="grid-run" data-r={-1} data-c={place} data-on={place === runAt || undefined} style={{ width: pitch }} aria-label={t("run {time}, {state}", { time: hm(run.logical ?? run.after), state: run.state })}>
                <i className={`st-${run.state}`} style={{ height: `${4 + 34 * Math.sqrt((seconds[place] ?? 0) / most)}px` }} />
                {place === model.runs.length - 1 || (place % 5 === 0 && place < model.runs.length - 3) ? <span className="grid-tick">{dayChanged(model.runs, place) ? day(run.logical ?? run.after) : hm(run.logical ?? run.after)}</span> : null}
              </div>
            ))}
          </div>
        </div>
        <div role="rowgroup" style={{ height: shown.length * pitch, position: "relative", minWidth: "100%", width: `calc(var(--names) + ${model.runs.length * pitch + 16}px)` }}>
          {shown.slice(first, last).map((row, offset) => <GridRow key={model.row(row)[0]} model={model} row={row} top={(first + offset) * pitch} pitch={pitch} index={first + offset + 2} on={row === rowAt} runAt={runAt} closed={collapsed.has(model.row(row)[0])} from={from} to={to} width={model.runs.length * pitch} version={grid.version} toggle={toggle} select={pick} clear={clearGroup} />)}
        </div>
      </div>
      <div ref={tip} className="tip" role="tooltip" hidden />
      <span className="sr" role="status">{rowAt >= 0 && runAt >= 0 ? `${model.row(rowAt)[0]}, ${hm((model.runs[runAt] as Run).logical ?? (model.runs[runAt] as Run).after)}, ${stateWord(STATES[model.cell(rowAt, runAt) & STATE] ?? "none")}` : ""}</span>
      <Legend />
      {clearing && model.runs.length > 0 && <ClearDialog dag={dag} run={model.runs[runAt < 0 ? model.runs.length - 1 : runAt]?.run_id} tasks={clearing} onClose={() => setClearing(null)} />}
    </div>
  );
}

const HEAD = 64;

/** A row is drawn again when something of its own changes, not when its neighbours scroll. */
const GridRow = memo(function GridRow({ model, row, top, pitch, index, on, runAt, closed, from, to, width, toggle, select, clear }: { model: GridModel<Run>; row: number; top: number; pitch: number; index: number; on: boolean; runAt: number; closed: boolean; from: number; to: number; width: number; version: number; toggle: (id: string) => void; select: (row: number) => void; clear: (row: number) => void }) {
  const line = model.row(row);
  return (
    <div role="row" className="grid-row" data-on={on || undefined} style={{ top, height: pitch }} aria-rowindex={index}>
      <div role="rowheader" className="grid-name" data-group={line[3] === 1 ? line[0] : undefined} title={`${line[0]}${line[4] ? ` · ${line[4]}` : ""}`} style={{ paddingInlineStart: 12 + line[2] * 14 }}>
        {line[3] === 1 ? (
          <>
            <button type="button" className="grid-fold" aria-expanded={!closed} onClick={() => toggle(line[0])}>{closed ? <ChevronRight size={13} /> : <ChevronDown size={13} />}<span className="clip">{line[1]}</span></button>
            <button type="button" className="grid-act" aria-label={t("Clear the group {name}", { name: line[1] })} title={t("Clear the group")} onClick={() => clear(row)}><RotateCcw size={12} /></button>
          </>
        ) : (
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-static-element-interactions
          <span className="clip" style={{ cursor: "pointer", opacity: line[6] === "gone" ? 0.55 : 1 }} onClick={() => select(row)}>{line[1]}{line[5] && <span className="faint"> [ ]</span>}{line[6] === "setup" && <span className="faint"> ↥</span>}{line[6] === "teardown" && <span className="faint"> ↧</span>}</span>
        )}
      </div>
      {/* oxlint-disable-next-line react/no-danger -- cells of our own making: numbers and words, names escaped */}
      <div className="grid-cells" style={{ width: width + 16, paddingInlineStart: 8 + from * pitch }} dangerouslySetInnerHTML={{ __html: cellsHtml(model, row, runAt, on, from, to) }} />
    </div>
  );
});

function dayChanged(runs: Run[], place: number): boolean {
  const before = runs[place - 5];
  const now = runs[place];
  return !before || !now || day(before.logical ?? before.after) !== day(now.logical ?? now.after);
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

function cellsHtml(model: GridModel<Run>, row: number, on: number, here: boolean, from: number, to: number): string {
  const name = escaped(model.row(row)[1]);
  let html = "";
  for (let run = from; run < to; run += 1) {
    const byte = model.cell(row, run);
    const code = byte & STATE;
    const column = run === on ? " col" : "";
    if (code === ABSENT) html += `<i role="gridcell" aria-label="${name}, no instance" class="c no${column}"></i>`;
    else {
      const state = STATES[code] ?? "none";
      html += `<i role="gridcell" id="cell-${row}-${run}" data-r="${row}" data-c="${run}" aria-label="${name}, ${state}" class="c s${code} st-${state}${byte & MORE_TRIES ? " tries" : ""}${byte & SEVERAL ? " many" : ""}${column}${here && run === on ? " at" : ""}"></i>`;
    }
  }
  return html;
}

function tipText(task: string | null, run: Run, byte: number): string {
  const when = `${absolute(run.logical ?? run.after)} · ${run.type}`;
  const took = run.start ? ` · ${duration(((run.end ?? Date.now()) - run.start) / 1000)}` : "";
  if (task === null) return `${run.run_id}\n${run.state}${took}\n${when}`;
  const state = STATES[byte & STATE] ?? "none";
  return `${task}\n${stateWord(state)}${byte & MORE_TRIES ? " · more than one try" : ""}${byte & SEVERAL ? " · worst of several" : ""}\n${when}`;
}

function Legend() {
  return <div className="legend hide-narrow">{(["success", "failed", "upstream_failed", "running", "up_for_retry", "queued", "deferred", "awaiting_input", "skipped"] as const).map((state) => <Badge key={state} state={state} />)}</div>;
}
