// One task instance: its log first; then why, attempts, what was rendered, values, code, details.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Check, Ellipsis, Maximize2, RotateCcw } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import * as acts from "@api/acts";
import { instanceQuery, keys, useFresh } from "@api/queries";
import { STATES, type Instance } from "@api/types";
import { ClearDialog, MarkDialog } from "@shared/dialogs";
import { useKeys } from "@shared/keys";
import { A, dagPath, runPath, taskPath } from "@shared/nav";
import { Badge } from "@shared/state";
import { absolute, Ago, duration, Lasting } from "@shared/time";
import { Button, CopyButton, Empty, Loaded, Menu, Skeleton, tellError } from "@shared/ui";
import { t } from "@shared/words";
import { AssetEvents, Links, StateStore, Values } from "./Extras";
import { InputForm } from "./InputForm";
import { LogView } from "./LogView";
import { MappedList } from "./MappedList";
import { Note } from "./Note";

const Code = lazy(() => import("./Code").then((all) => ({ default: all.CodeView })));
const RUNNING = new Set(["running", "queued", "restarting", "deferred"]);
const TABS: [string, string][] = [["log", "Log"], ["why", "Why"], ["attempts", "Attempts"], ["rendered", "Rendered"], ["xcom", "XCom"], ["mapped", "Mapped"], ["code", "Code"], ["assets", "Asset events"], ["store", "State store"], ["links", "Links"], ["details", "Details"]];

export function InstanceView({ dag, run, task, map, tab, setTab, page }: { dag: string; run: string; task: string; map: string; tab: string | undefined; setTab: (tab: string) => void; page?: boolean }) {
  const fresh = useFresh(`dag:${dag}`, keys.instance(dag, run, task, map), 400);
  const found = useQuery({ ...instanceQuery(dag, run, task, map), ...fresh });
  return <Loaded query={found}>{(data) => <Shown key={`${run}/${task}/${data.instance.map_path}`} data={data} {...{ dag, run, task, tab, setTab, page }} map={data.instance.map_path} />}</Loaded>;
}

function Shown({ data, dag, run, task, map, tab, setTab, page }: { data: Instance; dag: string; run: string; task: string; map: string; tab: string | undefined; setTab: (tab: string) => void; page?: boolean }) {
  const client = useQueryClient();
  const row = data.instance;
  const [open, setOpen] = useState<"clear" | "success" | "failed" | "skipped" | null>(null);
  const [attempt, setAttempt] = useState<number | null>(null);
  const number = attempt ?? Math.max(1, row.try_number);
  const live = RUNNING.has(row.state ?? "");
  const mapped = data.count > 1 || map !== "";
  const now = tab ?? (row.state === "awaiting_input" ? "why" : row.try_number === 0 || row.state === "upstream_failed" || row.state === "skipped" ? "why" : "log");
  const names = TABS.filter(([name]) => name !== "mapped" || mapped);
  useKeys([
    { keys: "c", what: t("Clear and run again"), act: () => setOpen("clear") },
    { keys: "m", what: t("Mark"), act: () => setOpen("success") },
    { keys: "y", what: t("Why is it (not) running"), act: () => setTab("why") },
    // In the panel digits choose the view of the DAG.
    ...(page ? names : []).map(([name, word], place) => ({ keys: String(place + 1), what: t(word), act: () => setTab(name) })),
  ]);
  const tries = [...data.attempts.map((each) => each.try_number), row.try_number].filter((each, place, all) => each > 0 && all.indexOf(each) === place);
  const place = map === "" ? -1 : Number(map);
  return (
    <div className="pane">
      <div className="pane-head">
        <div className="row">
          <Badge state={row.state} />
          {!page && <A className="name clip" style={{ fontWeight: 600 }} to={taskPath(dag, run, task, map)}>{task}{map ? `[${row.label ?? map}]` : ""}</A>}
          {page && <><A className="name" to={dagPath(dag, "grid")} search={{ run, task }}>{dag}</A><span className="faint">›</span><strong className="clip">{task}{map ? `[${row.label ?? map}]` : ""}</strong></>}
          <span className="grow" />
          <Button kind="tiny" onClick={() => setOpen("clear")} title={t("Clear and run again (c)")}><RotateCcw />{t("Clear")}</Button>
          <Button kind="tiny" onClick={() => setOpen("success")} title={t("Mark (m)")}><Check />{t("Mark")}</Button>
          <Menu label={t("More")} icon={<Ellipsis />} kind="quiet tiny icon">
            {(close) => (
              <>
                <A role="menuitem" to={runPath(dag, run)} onClick={close}>{t("The run")}</A>
                <A role="menuitem" to={`/dags/${encodeURIComponent(dag)}/tasks/${encodeURIComponent(task)}`} onClick={close}>{t("This task over time")}</A>
                <button type="button" role="menuitem" onClick={() => { close(); void navigator.clipboard?.writeText(location.href); }}>{t("Copy the link")}</button>
              </>
            )}
          </Menu>
          {!page && <A className="btn quiet tiny icon" to={taskPath(dag, run, task, map)} aria-label={t("Open as a page")} title={t("Open as a page")}><Maximize2 /></A>}
        </div>
        <div className="row wrap small muted">
          <span>{t("try {n} of {of}", { n: Math.max(row.try_number, 0), of: Math.max(row.max_tries + 1, row.try_number) })}</span>
          {row.started_at !== null && <span>{live ? t("for") : t("took")} {row.state === "running" ? <Lasting start={row.started_at} end={null} /> : duration(row.seconds)}</span>}
          {row.queued_at !== null && row.started_at !== null && row.started_at - row.queued_at > 500 && <span title={t("From queued to running")}>{t("waited {time}", { time: duration((row.started_at - row.queued_at) / 1000) })}</span>}
          <span>{row.ended_at ? <>{t("ended")} <Ago ms={row.ended_at} /></> : row.started_at ? <>{t("started")} <Ago ms={row.started_at} /></> : null}</span>
          {row.hostname && <span className="faint">{row.hostname}</span>}
          {tries.length > 1 && (
            <select className="input" style={{ width: "auto", minHeight: 22, padding: "0 4px", fontSize: 12 }} aria-label={t("Attempt")} value={number} onChange={(event) => { setAttempt(Number(event.target.value)); setTab("log"); }}>
              {tries.map((each) => <option key={each} value={each}>{t("attempt {n}", { n: each })}</option>)}
            </select>
          )}
        </div>
        {row.reason && (row.state === "failed" || row.state === "up_for_retry" || row.state === "upstream_failed") && <div className="exception clip" title={row.reason}>{row.reason.split("; ")[0]}</div>}
        {typeof row.note === "string" && row.note && <Note note={row.note} />}
      </div>
      <div className="tabs" role="tablist" aria-label={t("About the task instance")}>
        {names.map(([name, word]) => <button key={name} type="button" role="tab" aria-selected={now === name} onClick={() => setTab(name)}>{t(word)}{name === "xcom" && data.xcoms.length ? <span className="faint"> {data.xcoms.length}</span> : null}{name === "mapped" ? <span className="faint"> {data.count}</span> : null}</button>)}
      </div>
      {now === "log" && <LogView {...{ dag, run, task, map, number }} tiId={row.ti_id} running={live && number === row.try_number} />}
      {now === "why" && <Why data={data} dag={dag} run={run} map={map} />}
      {now === "attempts" && <Attempts data={data} open={(each) => { setAttempt(each); setTab("log"); }} />}
      {now === "rendered" && <Rendered data={data} />}
      {now === "xcom" && <Values data={data} {...{ dag, run, task, map }} />}
      {now === "assets" && <AssetEvents {...{ dag, run, task, map }} />}
      {now === "store" && <StateStore {...{ dag, run, task, map }} />}
      {now === "links" && <Links {...{ dag, run, task, map }} />}
      {now === "mapped" && <MappedList dag={dag} run={run} task={task} />}
      {now === "code" && <Suspense fallback={<Skeleton />}><Code dag={dag} number={data.number} find={task} /></Suspense>}
      {now === "details" && (
        <div className="pane-body">
          <dl className="facts">
            {Object.entries({ [t("Task")]: task, [t("Run")]: run, [t("Map index")]: map || "–", [t("Operator")]: row.operator, [t("Pool")]: row.pool, [t("Queue")]: row.queue, [t("Executor")]: row.executor, [t("Priority")]: row.priority_weight, [t("Host")]: row.hostname, [t("Process")]: row.pid, [t("Cause of death")]: row.cause, [t("Version")]: `v${data.number}` }).map(([name, value]) => <div key={name} style={{ display: "contents" }}><dt>{name}</dt><dd className={typeof value === "string" && value.includes("_") ? "mono" : ""}>{String(value ?? "–")}</dd></div>)}
            {(["scheduled_at", "queued_at", "started_at", "ended_at"] as const).map((name) => <div key={name} style={{ display: "contents" }}><dt>{t(name.replace("_at", ""))}</dt><dd>{row[name] ? absolute(row[name] as number) : "–"}</dd></div>)}
          </dl>
          <div className="row"><CopyButton text={row.ti_id} /><CopyButton text={run} label={t("Copy run id")} /></div>
          <NoteForm value={typeof row.note === "string" ? row.note : ""} save={(note) => acts.noteTask(client, dag, run, task, place, note)} />
          <h3>{t("Definition")}</h3><pre className="block">{JSON.stringify(data.task, null, 2)}</pre>
        </div>
      )}
      {open === "clear" && <ClearDialog dag={dag} run={run} tasks={[map ? [task, place] : task]} onClose={() => setOpen(null)} />}
      {open !== null && open !== "clear" && <MarkDialog dag={dag} run={run} task={task} map={place} state={open} onClose={() => setOpen(null)} />}
    </div>
  );
}

function NoteForm({ value, save }: { value: string; save: (note: string | null) => Promise<void> }) {
  const [text, setText] = useState(value);
  return (
    <form className="stack" style={{ gap: 6 }} onSubmit={(event) => { event.preventDefault(); save(text || null).catch(tellError); }}>
      <label className="small" htmlFor="note">{t("Note (markdown)")}</label>
      <textarea id="note" className="input" rows={2} value={text} onChange={(event) => setText(event.target.value)} />
      <div><Button kind="tiny" type="submit" disabled={text === value}>{t("Save the note")}</Button></div>
    </form>
  );
}

function Why({ data, dag, run, map }: { data: Instance; dag: string; run: string; map: string }) {
  const side = (title: string, list: [string, number][]) => (
    <div className="stack" style={{ gap: 6 }}>
      <h3>{title}</h3>
      {list.length === 0 && <span className="faint small">{t("none")}</span>}
      <ul className="stack" style={{ gap: 4 }}>{list.map(([id, code]) => <li key={id} className="row"><Badge state={STATES[code] ?? "none"} /><A className="name clip" to={taskPath(dag, run, id)}>{id}</A></li>)}</ul>
    </div>
  );
  return (
    <div className="pane-body">
      <p style={{ fontSize: 15, lineHeight: "22px" }}>{data.why}</p>
      {data.instance.state === "awaiting_input" && <InputForm dag={dag} run={run} task={data.instance.task_id} map={map} />}
      <div className="columns"><div className="c6">{side(t("Directly before it"), data.near.before)}</div><div className="c6">{side(t("Directly after it"), data.near.after)}</div></div>
      {typeof data.task?.trigger_rule === "string" && <p className="muted small">{t("Trigger rule: {rule}", { rule: data.task.trigger_rule })}</p>}
    </div>
  );
}

function Attempts({ data, open }: { data: Instance; open: (number: number) => void }) {
  const row = data.instance;
  const all = [...(row.try_number > 0 ? [{ ...row, duration_seconds: row.seconds }] : []), ...[...data.attempts].reverse().filter((each) => each.try_number !== row.try_number)];
  if (!all.length) return <Empty title={t("No attempt yet")}><p>{data.why}</p></Empty>;
  return (
    <div className="table-wrap"><table className="table">
      <thead><tr><th>{t("Try")}</th><th>{t("State")}</th><th>{t("Started")}</th><th className="num">{t("Took")}</th><th>{t("Cause")}</th><th>{t("What it said")}</th><th /></tr></thead>
      <tbody>{all.map((each) => (
        <tr key={each.try_number}><td>{each.try_number}</td><td><Badge state={each.state} /></td><td><Ago ms={each.started_at} /></td><td className="num nowrap">{duration(each.duration_seconds)}</td><td className="muted">{each.cause?.replaceAll("_", " ") ?? ""}</td><td className="exception" style={{ minWidth: 160 }}>{each.state === "success" ? "" : each.reason}</td><td><Button kind="tiny" onClick={() => open(each.try_number)}>{t("Log")}</Button></td></tr>
      ))}</tbody>
    </table></div>
  );
}

function Rendered({ data }: { data: Instance }) {
  const fields = Object.entries(data.rendered ?? {});
  if (!fields.length) return <Empty title={t("Nothing was rendered")}><p>{data.instance.try_number ? t("This task has no templated fields.") : t("Fields are rendered when the task starts.")}</p></Empty>;
  return <div className="pane-body">{fields.map(([name, value]) => <div key={name} className="stack" style={{ gap: 4 }}><div className="row spread"><h3 className="mono">{name}</h3><CopyButton text={typeof value === "string" ? value : JSON.stringify(value)} label={t("Copy")} /></div><pre className="block">{typeof value === "string" ? value : JSON.stringify(value, null, 2)}</pre></div>)}</div>;
}
