// A run at a glance: what failed in it first, then how far it is.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Ellipsis, Maximize2, RotateCcw } from "lucide-react";
import { useMemo, useState } from "react";
import * as acts from "@api/acts";
import { keys, runQuery, useFresh } from "@api/queries";
import { CODE, rowsOf, type RunTasks, type State, type Task } from "@api/types";
import { ClearDialog, DeleteDialog } from "@shared/dialogs";
import { useKeys } from "@shared/keys";
import { A, dagPath, runPath, taskPath, useGo } from "@shared/nav";
import { Badge, RunKind } from "@shared/state";
import { absolute, Ago, day, duration, hm, Lasting } from "@shared/time";
import { TriggerDialog } from "@shared/trigger";
import { Button, CopyButton, Loaded, Menu, tell, tellError } from "@shared/ui";
import { plural, t } from "@shared/words";
import { Note } from "./Note";
import type { Selection } from "./selection";

export function useRun(dag: string, run: string) {
  const key = keys.run(dag, run);
  const fresh = useFresh(`dag:${dag}`, [...key, "tasks"], 700);
  return useQuery({ ...runQuery(dag, run), ...fresh });
}

export function RunPane({ dag, run, selection }: { dag: string; run: string; selection: Selection }) {
  const found = useRun(dag, run);
  return <Loaded query={found}>{(data) => (
    <div className="pane">
      <RunHead data={data} dag={dag} />
      <div className="pane-body">
        <Problems data={data} dag={dag} pick={(task) => selection.set({ run, task: task.task_id, map: task.map_path || undefined, tab: undefined })} />
        <Progress data={data} />
        <RunFacts data={data} />
      </div>
    </div>
  )}</Loaded>;
}

export function nameOfRun(data: RunTasks): string {
  const at = data.run.logical ?? data.run.after;
  return `${day(at)} ${hm(at)}`;
}

export function RunHead({ data, dag, page }: { data: RunTasks; dag: string; page?: boolean }) {
  const client = useQueryClient();
  const go = useGo();
  const { run } = data;
  const [open, setOpen] = useState<"clear" | "failed" | "delete" | "again" | null>(null);
  const failed = rowsOf(data).some((row) => row.state === "failed" || row.state === "upstream_failed");
  useKeys([{ keys: "c", what: t("Clear the run"), act: () => setOpen(failed ? "failed" : "clear") }]);
  const mark = (state: "success" | "failed") => acts.markRun(client, dag, run.run_id, state).then(() => tell(t("The run was marked {state}.", { state: t(state) }), "good")).catch(tellError);
  return (
    <div className="pane-head">
      <div className="row">
        <Badge state={run.state} /><strong className="nowrap">{nameOfRun(data)}</strong><span className="muted small"><RunKind type={run.type} word /></span>
        <span className="grow" />
        {failed && <Button kind="tiny" onClick={() => setOpen("failed")}><RotateCcw />{t("Retry failed")}</Button>}
        <Menu label={t("Acts of the run")} icon={<Ellipsis />} kind="quiet tiny icon">
          {(close) => (
            <>
              <button type="button" role="menuitem" onClick={() => { close(); setOpen("clear"); }}>{t("Clear all tasks…")}</button>
              <button type="button" role="menuitem" onClick={() => { close(); setOpen("again"); }}>{t("Trigger again with this conf…")}</button>
              <button type="button" role="menuitem" onClick={() => { close(); void mark("success"); }}>{t("Mark success")}</button>
              <button type="button" role="menuitem" onClick={() => { close(); void mark("failed"); }}>{t("Mark failed (stops it)")}</button>
              <hr /><button type="button" role="menuitem" className="danger" onClick={() => { close(); setOpen("delete"); }}>{t("Delete…")}</button>
            </>
          )}
        </Menu>
        {!page && <A className="btn quiet tiny icon" to={runPath(dag, run.run_id)} aria-label={t("Open as a page")} title={t("Open as a page")}><Maximize2 /></A>}
      </div>
      <div className="row wrap small muted">
        {run.start ? <span>{acts.isLive(run) ? t("for") : t("took")} <Lasting start={run.start} end={run.end} /></span> : <span>{t("not started")}</span>}
        <span>{run.end ? <>{t("ended")} <Ago ms={run.end} /></> : run.start ? <>{t("started")} <Ago ms={run.start} /></> : <>{t("due")} <Ago ms={run.after} /></>}</span>
        <span>v{data.number}</span>{run.user && <span>{t("by {name}", { name: run.user })}</span>}
      </div>
      {run.reason && run.state === "failed" && <div className="small" style={{ color: "var(--failed-ink)" }}>{run.reason}</div>}
      {run.note && <Note note={run.note} />}
      {open === "clear" && <ClearDialog dag={dag} run={run.run_id} onClose={() => setOpen(null)} />}
      {open === "failed" && <ClearDialog dag={dag} run={run.run_id} only onClose={() => setOpen(null)} />}
      {open === "again" && <TriggerDialog dag={dag} conf={data.conf} onClose={() => setOpen(null)} />}
      {open === "delete" && <DeleteDialog what={t("Delete this run")} name={run.run_id} act={() => acts.deleteRun(client, dag, run.run_id).then(() => go(dagPath(dag)))} onClose={() => setOpen(null)} />}
    </div>
  );
}

/** What failed, with what it said; one line per task. */
export function Problems({ data, dag, pick }: { data: RunTasks; dag: string; pick?: (task: Task) => void }) {
  const failed = useMemo(() => {
    const all = rowsOf(data).filter((row) => row.state === "failed" || row.state === "up_for_retry" || row.state === "awaiting_input");
    const byTask = new Map<string, Task[]>();
    for (const row of all) byTask.set(row.task_id, [...(byTask.get(row.task_id) ?? []), row]);
    return [...byTask.values()];
  }, [data]);
  if (!failed.length) return null;
  return (
    <section className="stack" style={{ gap: 4 }} aria-label={t("Problems")}>
      {failed.slice(0, 20).map((rows) => {
        const row = rows[0] as Task;
        return (
          <A key={row.task_id} to={taskPath(dag, data.run.run_id, row.task_id, row.map_path)} className="card" style={{ padding: "8px 12px", display: "grid", gap: 2 }}
            onClick={(event) => { if (pick && !event.metaKey && !event.ctrlKey) { event.preventDefault(); pick(row); } }}>
            <span className="row"><Badge state={row.state} small /><strong className="clip">{row.task_id}{row.map_path ? `[${row.label ?? row.map_path}]` : ""}</strong>{rows.length > 1 && <span className="chip">{t("{count} instances", { count: rows.length })}</span>}</span>
            <span className="exception clip" title={row.reason ?? ""}>{(row.reason ?? "").split("; ")[0]}</span>
          </A>
        );
      })}
    </section>
  );
}

export function Progress({ data }: { data: RunTasks }) {
  const counts = useMemo(() => {
    const made = new Map<State, number>();
    for (const row of rowsOf(data)) made.set(row.state ?? "none", (made.get(row.state ?? "none") ?? 0) + 1);
    return [...made].sort((a, b) => CODE[b[0]] - CODE[a[0]]);
  }, [data]);
  const total = data.rows.length;
  if (!total) return <p className="muted small">{t("The run has no task instances yet.")}</p>;
  return (
    <section className="stack" style={{ gap: 8 }} aria-label={t("Progress")}>
      <div className="meter" style={{ height: 10 }}>{counts.map(([state, count]) => <i key={state} className={`st-${state}`} style={{ width: `${(100 * count) / total}%`, background: state === "none" || state === "scheduled" ? "var(--line)" : "var(--fill)" }} />)}</div>
      <div className="row wrap" style={{ gap: 6 }}>{counts.map(([state, count]) => <span key={state} className="row small" style={{ gap: 4 }}><Badge state={state} />{count.toLocaleString()}</span>)}<span className="faint small">{plural(total, "instance", "instances")}</span></div>
    </section>
  );
}

export function RunFacts({ data }: { data: RunTasks }) {
  const { run } = data;
  const facts: [string, React.ReactNode][] = [
    [t("Run id"), <span key="id" className="mono">{run.run_id}</span>],
    [t("Logical date"), run.logical ? absolute(run.logical) : "–"],
    [t("Data interval"), data.interval[0] ? `${absolute(data.interval[0])} – ${data.interval[1] ? absolute(data.interval[1]) : ""}` : "–"],
    [t("Due"), absolute(run.after)],
    [t("Queued"), run.queued ? absolute(run.queued) : "–"],
    [t("Started"), run.start ? absolute(run.start) : "–"],
    [t("Ended"), run.end ? absolute(run.end) : "–"],
    [t("Waited"), run.queued && run.start ? duration((run.start - run.queued) / 1000) : "–"],
    [t("Asked for by"), `${run.by}${run.user ? `, ${run.user}` : ""}`],
    [t("Code"), `v${data.number}${data.bundle_version ? ` · ${data.bundle_version.slice(0, 12)}` : ""}`],
  ];
  return (
    <section className="stack">
      <dl className="facts">{facts.map(([name, value]) => <div key={name} style={{ display: "contents" }}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      <div><CopyButton text={run.run_id} label={t("Copy run id")} /></div>
      {(data.deadlines?.length ?? 0) > 0 && <><h3>{t("Deadlines")}</h3><ul className="stack" style={{ gap: 4 }}>{data.deadlines?.map((each) => <li key={each.id} className="row small"><Badge state={each.state === "met" ? "success" : each.state === "missed" ? "failed" : "scheduled"} small /><span className="grow clip">{each.name ?? (each.task_id || t("the run"))}</span><span className="faint">{t(each.state)} · {t("due")} <Ago ms={each.due} /></span></li>)}</ul></>}
      {Object.keys(data.conf).length > 0 && <><h3>{t("Conf")}</h3><pre className="block">{JSON.stringify(data.conf, null, 2)}</pre></>}
    </section>
  );
}
