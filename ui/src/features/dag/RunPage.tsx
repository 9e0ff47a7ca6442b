// A run as a page: its failures first, then its tasks, graph, timeline, notes, and the last success beside it.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { lazy, Suspense, useMemo, useState } from "react";
import * as acts from "@api/acts";
import { at, get, query } from "@api/http";
import { apiQuery } from "@api/queries";
import { CODE, rowsOf, type Run, type RunTasks, type Task } from "@api/types";
import { useKeys } from "@shared/keys";
import { A, dagPath, taskPath, useGo } from "@shared/nav";
import { Badge } from "@shared/state";
import { Ago, duration } from "@shared/time";
import { Button, Empty, Fault, Loaded, Skeleton, tellError } from "@shared/ui";
import { VList } from "@shared/vlist";
import { t } from "@shared/words";
import { Problems, Progress, RunFacts, RunHead, useRun } from "./RunPane";
import { useSelection } from "./selection";
import "./grid.css";

const Graph = lazy(() => import("./Graph").then((all) => ({ default: all.GraphView })));
const Timeline = lazy(() => import("./Timeline").then((all) => ({ default: all.TimelineView })));
const TABS: [string, string][] = [["tasks", "Tasks"], ["graph", "Graph"], ["timeline", "Timeline"], ["details", "Details"], ["events", "Asset events"], ["compare", "Compare"]];

export function RunPage() {
  const { dag, run } = useParams({ strict: false }) as { dag: string; run: string };
  const found = useRun(dag, run);
  return <Loaded query={found}>{(data) => <Shown data={data} dag={dag} run={run} />}</Loaded>;
}

function Shown({ data, dag, run }: { data: RunTasks; dag: string; run: string }) {
  const selection = useSelection();
  const tab = selection.tab ?? "tasks";
  useKeys([
    ...TABS.map(([name, word], place) => ({ keys: String(place + 1), what: t(word), act: () => selection.set({ tab: name }) })),
    { keys: "d", what: t("Compare with the last success"), act: () => selection.set({ tab: "compare" }) },
  ]);
  return (
    <div className="page fill">
      <div style={{ background: "var(--surface)" }}><RunHead data={data} dag={dag} page /></div>
      <div className="tabs" role="tablist" aria-label={t("About the run")}>{TABS.map(([name, word]) => <button key={name} type="button" role="tab" aria-selected={tab === name} onClick={() => selection.set({ tab: name })}>{t(word)}</button>)}<A to={dagPath(dag, "grid")} search={{ run }}>{t("In the grid")}</A></div>
      <div className="workspace" style={{ flexDirection: "column" }}>
        <Suspense fallback={<Skeleton />}>
          {tab === "tasks" && <><div style={{ padding: "12px 16px", display: "grid", gap: 12, background: "var(--surface)", maxHeight: "45%", overflow: "auto" }}><Problems data={data} dag={dag} /><Progress data={data} /></div><TaskList data={data} dag={dag} /></>}
          {tab === "graph" && <Graph dag={dag} run={run} selection={selection} />}
          {tab === "timeline" && <Timeline dag={dag} run={run} selection={selection} />}
          {tab === "details" && <div className="page"><div className="card"><div className="body stack"><RunFacts data={data} /><NoteForm dag={dag} run={data.run} /></div></div></div>}
          {tab === "events" && <Events dag={dag} run={run} />}
          {tab === "compare" && <Compare data={data} dag={dag} />}
        </Suspense>
      </div>
    </div>
  );
}

function NoteForm({ dag, run }: { dag: string; run: Run }) {
  const client = useQueryClient();
  const [text, setText] = useState(run.note ?? "");
  return <form className="stack" style={{ gap: 6 }} onSubmit={(event) => { event.preventDefault(); acts.noteRun(client, dag, run.run_id, text || null).catch(tellError); }}><label htmlFor="run-note" className="small">{t("Note (markdown)")}</label><textarea id="run-note" className="input" value={text} onChange={(event) => setText(event.target.value)} /><div><Button kind="tiny" type="submit" disabled={text === (run.note ?? "")}>{t("Save the note")}</Button></div></form>;
}

function TaskList({ data, dag }: { data: RunTasks; dag: string }) {
  const go = useGo();
  const [sort, setSort] = useState("order");
  const rows = useMemo(() => {
    const all = rowsOf(data);
    if (sort === "state") all.sort((a, b) => CODE[b.state ?? "none"] - CODE[a.state ?? "none"]);
    if (sort === "took") all.sort((a, b) => (b.seconds ?? 0) - (a.seconds ?? 0));
    if (sort === "start") all.sort((a, b) => (a.started_at ?? Infinity) - (b.started_at ?? Infinity));
    return all;
  }, [data, sort]);
  if (!rows.length) return <Empty title={t("No task instances yet")} />;
  return <VList rows={rows} keyOf={(row) => row.ti_id} label={t("Task instances")} height={32} sort={sort} onSort={setSort} onOpen={(row) => go(taskPath(dag, data.run.run_id, row.task_id, row.map_path))} columns={taskColumns(dag, data.run.run_id)} />;
}

export function taskColumns(dag: string, run: string): { name: string; width: string; sort?: string; className?: string; cell: (row: Task) => React.ReactNode }[] {
  return [
    { name: "State", width: "130px", sort: "state", cell: (row) => <Badge state={row.state} /> },
    { name: "Task", width: "minmax(160px, 2fr)", sort: "order", cell: (row) => <A className="name" to={taskPath(dag, run, row.task_id, row.map_path)}>{row.task_id}{row.map_path ? `[${row.label ?? row.map_path}]` : ""}</A> },
    { name: "Operator", width: "minmax(90px, 1fr)", className: "hide-narrow", cell: (row) => <span className="muted">{row.operator}</span> },
    { name: "Try", width: "44px", className: "hide-narrow", cell: (row) => row.try_number || "" },
    { name: "Took", width: "90px", sort: "took", cell: (row) => duration(row.seconds) },
    { name: "Started", width: "100px", sort: "start", className: "hide-narrow", cell: (row) => <Ago ms={row.started_at} /> },
    { name: "Reason", width: "minmax(120px, 2fr)", className: "hide-narrow", cell: (row) => <span className={row.state === "failed" ? "exception" : "muted small"}>{row.state === "success" ? "" : (row.reason ?? "").split("; ")[0]}</span> },
  ];
}

function Events({ dag, run }: { dag: string; run: string }) {
  const found = useQuery(apiQuery<{ asset_events: { id: number; name?: string; uri?: string; timestamp: string; source_dag_id?: string; source_task_id?: string; source_run_id?: string }[] }>(`/${at("dags", dag, "dagRuns", run, "upstreamAssetEvents")}`));
  if (found.error) return <div className="page"><Fault error={found.error} /></div>;
  return <Loaded query={found}>{(data) => data.asset_events.length ? (
    <div className="page"><div className="card table-wrap"><table className="table"><thead><tr><th>{t("Asset")}</th><th>{t("From")}</th><th>{t("When")}</th></tr></thead><tbody>{data.asset_events.map((event) => <tr key={event.id}><td>{event.name ?? event.uri}</td><td className="muted">{event.source_dag_id} {event.source_task_id}</td><td><Ago ms={Date.parse(event.timestamp)} /></td></tr>)}</tbody></table></div></div>
  ) : <Empty title={t("No asset events")}><p>{t("This run was not caused by assets.")}</p></Empty>}</Loaded>;
}

/** This run beside the last one that went well: what took longer, what ended otherwise. */
function Compare({ data, dag }: { data: RunTasks; dag: string }) {
  const runs = useQuery({ queryKey: ["ui", "dag", dag, "last-success", data.run.key], queryFn: () => get<{ runs: Run[] }>(`/ui/runs${query({ dag_id: dag, state: "success", before: data.run.key, count: 1 })}`) });
  const other = runs.data?.runs[0];
  const found = useQuery({ queryKey: ["ui", "dag", dag, "run", other?.run_id ?? "", "tasks"], queryFn: () => get<RunTasks>(`/ui/dags/${at(dag)}/runs/${at(other?.run_id ?? "")}`), enabled: !!other });
  if (runs.data && !other) return <Empty title={t("No earlier success to compare with")} />;
  return <Loaded query={found}>{(past) => {
    const before = new Map(rowsOf(past).map((row) => [`${row.task_id}/${row.map_path}`, row]));
    const rows = rowsOf(data).map((row) => ({ row, was: before.get(`${row.task_id}/${row.map_path}`) }));
    rows.sort((a, b) => Number(b.row.state !== (b.was?.state ?? null)) - Number(a.row.state !== (a.was?.state ?? null)) || Math.abs((b.row.seconds ?? 0) - (b.was?.seconds ?? 0)) - Math.abs((a.row.seconds ?? 0) - (a.was?.seconds ?? 0)));
    const changed = JSON.stringify(data.conf) !== JSON.stringify(past.conf);
    return (
      <div className="page">
        <p className="muted">{t("Compared with")} <A className="link" to={`/dags/${at(dag)}/runs/${at(past.run.run_id)}`}>{past.run.run_id}</A>, <Ago ms={past.run.end} />. {data.number !== past.number ? t("The code changed: v{a} to v{b}.", { a: past.number, b: data.number }) : t("The same code.")} {changed ? t("The conf is different.") : t("The same conf.")}</p>
        <div className="card table-wrap"><table className="table"><thead><tr><th>{t("Task")}</th><th>{t("Then")}</th><th>{t("Now")}</th><th className="num">{t("Took then")}</th><th className="num">{t("Took now")}</th></tr></thead>
          <tbody>{rows.slice(0, 500).map(({ row, was }) => <tr key={row.ti_id}><td><A className="name" to={taskPath(dag, data.run.run_id, row.task_id, row.map_path)}>{row.task_id}{row.map_path ? `[${row.map_path}]` : ""}</A></td><td>{was ? <Badge state={was.state} /> : <span className="faint">{t("not there")}</span>}</td><td><Badge state={row.state} /></td><td className="num">{duration(was?.seconds)}</td><td className="num">{duration(row.seconds)}</td></tr>)}</tbody></table></div>
      </div>
    );
  }}</Loaded>;
}
