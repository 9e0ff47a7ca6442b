// A DAG: its head, its views, and beside them what is selected.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Ellipsis, PanelRight, Play, Star } from "lucide-react";
import { lazy, Suspense, useRef, useState } from "react";
import * as acts from "@api/acts";
import { dagQuery, keys, useFresh } from "@api/queries";
import type { Dag } from "@api/types";
import { DeleteDialog } from "@shared/dialogs";
import { useKeys } from "@shared/keys";
import { A, dagPath, useGo, usePath, type Search } from "@shared/nav";
import { prefs, toggled, usePrefs } from "@shared/prefs";
import { Badge } from "@shared/state";
import { Ago } from "@shared/time";
import { TriggerDialog } from "@shared/trigger";
import { Button, Loaded, Menu, Skeleton, tell, tellError } from "@shared/ui";
import { plural, t } from "@shared/words";
import { Grid } from "./Grid";
import { InstanceView } from "./Instance";
import { RunPane } from "./RunPane";
import { useSelection } from "./selection";

const Graph = lazy(() => import("./Graph").then((all) => ({ default: all.GraphView })));
const Timeline = lazy(() => import("./Timeline").then((all) => ({ default: all.TimelineView })));
const Calendar = lazy(() => import("./Calendar").then((all) => ({ default: all.CalendarView })));
const Code = lazy(() => import("./Code").then((all) => ({ default: all.VersionsView })));
const Details = lazy(() => import("./Details").then((all) => ({ default: all.DetailsView })));
const Runs = lazy(() => import("./Runs").then((all) => ({ default: all.RunsView })));
const Tasks = lazy(() => import("./Tasks").then((all) => ({ default: all.TasksView })));
const Backfills = lazy(() => import("./Backfills").then((all) => ({ default: all.BackfillsView })));
const Audit = lazy(() => import("./Audit").then((all) => ({ default: all.AuditView })));

const VIEWS: [string, string][] = [["grid", "Grid"], ["graph", "Graph"], ["timeline", "Timeline"], ["calendar", "Calendar"], ["code", "Code"], ["runs", "Runs"], ["tasks", "Tasks"], ["backfills", "Backfills"], ["details", "Details"], ["audit", "Audit"]];
const WITH_PANEL = new Set(["grid", "graph", "timeline"]);

export function DagPage() {
  const { dag, view } = useParams({ strict: false }) as { dag: string; view?: string };
  const fresh = useFresh(`dag:${dag}`, [...keys.dag(dag), "detail"], 2000);
  const found = useQuery({ ...dagQuery(dag), ...fresh });
  return <Loaded query={found}>{(data) => <Shown key={dag} dag={data} view={VIEWS.some(([name]) => name === view) ? (view as string) : "grid"} />}</Loaded>;
}

function Shown({ dag, view }: { dag: Dag; view: string }) {
  const go = useGo();
  const selection = useSelection();
  const chosen = usePrefs();
  const [panel, setPanel] = useState(true);
  const id = dag.dag_id;
  const search: Search = { run: selection.run, task: selection.task, map: selection.map };
  const run = selection.run ?? dag.latest?.run_id;
  const open = (name: string) => go(dagPath(id, name), search);
  const triggering = useTriggering();
  useKeys([
    ...VIEWS.map(([name, word], place) => ({ keys: String((place + 1) % 10), what: t(word), act: () => open(name) })),
    { keys: "t", what: t("Trigger a run"), act: () => triggering.set(true) },
    { keys: "\\", what: t("Hide or show the panel"), act: () => setPanel(!panel) },
    { keys: "escape", what: "", act: () => (selection.task ? selection.set({ task: undefined, map: undefined, tab: undefined }) : selection.set({ run: undefined })) },
  ]);
  const side = panel && WITH_PANEL.has(view) && run;
  return (
    <div className="page fill">
      <Head dag={dag} onTrigger={() => triggering.set(true)} panel={WITH_PANEL.has(view) ? () => setPanel(!panel) : undefined} />
      <nav className="tabs" aria-label={t("Views of the DAG")}>{VIEWS.map(([name, word]) => <A key={name} to={dagPath(id, name)} search={WITH_PANEL.has(name) ? search : undefined} aria-current={name === view ? "page" : undefined}>{t(word)}</A>)}</nav>
      {dag.error && <div className="bar"><A className="name" to="/admin/import-errors" search={{ file: dag.file }}>{t("Its file cannot be loaded any more; this is the last good version: {message}", { message: dag.error })}</A></div>}
      {dag.stale && <div className="bar">{t("No file defines this DAG any more. Its history stays; it makes no new runs.")}</div>}
      <div className="workspace">
        <Suspense fallback={<Skeleton lines={14} />}>
          {view === "grid" && <Grid dag={id} selection={selection} />}
          {view === "graph" && <Graph dag={id} run={run} selection={selection} />}
          {view === "timeline" && <Timeline dag={id} run={run} selection={selection} />}
          {view === "calendar" && <Calendar dag={id} />}
          {view === "code" && <Code dag={id} />}
          {view === "runs" && <Runs dag={id} />}
          {view === "tasks" && <Tasks dag={id} />}
          {view === "backfills" && <Backfills dag={dag} />}
          {view === "details" && <Details dag={dag} />}
          {view === "audit" && <Audit dag={id} />}
        </Suspense>
        {side && (
          <aside className="side" style={{ width: `min(${selection.task ? Math.max(chosen.panel, 620) : chosen.panel}px, 60vw)` }} aria-label={t("What is selected")}>
            <Grip />
            {selection.task ? <InstanceView key={`${run}/${selection.task}/${selection.map ?? ""}`} dag={id} run={run} task={selection.task} map={selection.map ?? ""} tab={selection.tab} setTab={(tab) => selection.set({ tab })} /> : <RunPane dag={id} run={run} selection={selection} />}
          </aside>
        )}
      </div>
      {triggering.on && <TriggerDialog dag={id} onClose={() => triggering.set(false)} />}
    </div>
  );
}

function useTriggering(): { on: boolean; set: (on: boolean) => void } {
  const [on, set] = useState(false);
  return { on, set };
}

/** The edge of the panel: dragged to make it wider. */
function Grip() {
  const start = useRef<{ x: number; width: number } | null>(null);
  return (
    <div className="side-grip" role="separator" aria-orientation="vertical" aria-label={t("Width of the panel")} aria-valuenow={prefs.get().panel} tabIndex={0}
      onKeyDown={(event) => { if (event.key === "ArrowLeft") prefs.set({ panel: prefs.get().panel + 40 }); else if (event.key === "ArrowRight") prefs.set({ panel: Math.max(280, prefs.get().panel - 40) }); else return; event.stopPropagation(); event.preventDefault(); }}
      onPointerDown={(event) => { start.current = { x: event.clientX, width: prefs.get().panel }; event.currentTarget.setPointerCapture(event.pointerId); }}
      onPointerMove={(event) => { if (start.current) prefs.set({ panel: Math.max(280, Math.min(1100, start.current.width + start.current.x - event.clientX)) }); }}
      onPointerUp={() => { start.current = null; }} />
  );
}

function Head({ dag, onTrigger, panel }: { dag: Dag; onTrigger: () => void; panel?: () => void }) {
  const client = useQueryClient();
  const go = useGo();
  const { favourites } = usePrefs();
  const [deleting, setDeleting] = useState(false);
  const id = dag.dag_id;
  const setPaused = (paused: boolean, undo = true) => {
    acts.pause(client, id, paused).then(() => undo && tell(paused ? t("{name} is paused.", { name: id }) : t("{name} runs by itself again.", { name: id }), "good", () => setPaused(!paused, false))).catch(tellError);
  };
  useKeys([{ keys: "p", what: t("Pause or unpause"), act: () => setPaused(!dag.paused) }]);
  return (
    <div className="dag-head">
      <button type="button" className="btn quiet tiny icon" aria-pressed={favourites.includes(id)} aria-label={t("Favourite")} style={{ background: "none", border: 0 }} onClick={() => prefs.set({ favourites: toggled(favourites, id) })}><Star fill={favourites.includes(id) ? "currentColor" : "none"} /></button>
      {dag.latest && <A to={dagPath(id, "grid")} search={{ run: dag.latest.run_id }}><Badge state={dag.latest.state} /></A>}
      <span className="small muted clip" style={{ maxWidth: "52ch" }}>{dag.description}</span>
      <span className="grow" />
      <span className="small muted nowrap hide-narrow" title={dag.schedule}>{dag.schedule || t("by hand")}{dag.next && !dag.paused ? <> · {t("next")} <Ago ms={dag.next} /></> : null}</span>
      <span className="chip hide-narrow" title={t("Version of the code")}>v{dag.number}</span>
      <span className="small muted nowrap hide-narrow">{plural(dag.tasks, "task", "tasks")}</span>
      {dag.tags.slice(0, 4).map((tag) => <A key={tag} className="chip hide-narrow" to="/dags" search={{ tag }}>{tag}</A>)}
      <label className="check" title={t("Pause or unpause (p)")}><input type="checkbox" role="switch" className="switch" checked={!dag.paused} onChange={(event) => setPaused(!event.target.checked)} /><span className="small">{dag.paused ? t("paused") : t("active")}</span></label>
      <Button kind="primary" onClick={onTrigger} title={t("Trigger a run (t)")}><Play />{t("Trigger")}</Button>
      {panel && <Button kind="quiet icon" aria-label={t("Hide or show the panel")} title="\" onClick={panel}><PanelRight /></Button>}
      <Menu label={t("More")} icon={<Ellipsis />}>
        {(close) => (
          <>
            <A role="menuitem" to={dagPath(id, "backfills")} onClick={close}>{t("Backfill…")}</A>
            <button type="button" role="menuitem" onClick={() => { close(); void navigator.clipboard?.writeText(id); }}>{t("Copy id")}</button>
            <hr /><button type="button" role="menuitem" className="danger" onClick={() => { close(); setDeleting(true); }}>{t("Delete…")}</button>
          </>
        )}
      </Menu>
      {deleting && <DeleteDialog what={t("Delete {name} with all its runs", { name: id })} name={id} act={() => acts.deleteDag(client, id).then(() => go("/dags"))} onClose={() => setDeleting(false)} />}
    </div>
  );
}

export function useHere(): string {
  return usePath();
}
