// The first screen: what is broken and why, what waits for somebody, then how it goes.
import { useQuery } from "@tanstack/react-query";
import { AlarmClock, ArrowRight, FileWarning, Hand, Hourglass, RotateCcw, ScrollText, X } from "lucide-react";
import { useState } from "react";
import { homeQuery } from "@api/queries";
import type { Failing, Home, Stuck } from "@api/types";
import { useKeys } from "@shared/keys";
import { A, dagPath, runPath, taskPath, useGo } from "@shared/nav";
import { prefs, usePrefs } from "@shared/prefs";
import { Badge, Dot, Sign } from "@shared/state";
import { Ago, hm } from "@shared/time";
import { Button, Empty, Loaded } from "@shared/ui";
import { plural, t } from "@shared/words";
import { ClearDialog } from "@shared/dialogs";
import "./home.css";

export function HomePage() {
  const home = useQuery(homeQuery());
  return <Loaded query={home} lines={14}>{(data) => <Shown home={data} />}</Loaded>;
}

const nameOf = (line: Failing) => `${line.ti_id}:${line.try_number}`;

function Shown({ home }: { home: Home }) {
  const dismissed = new Set(usePrefs().dismissed);
  const failing = home.failing.filter((line) => !dismissed.has(nameOf(line)));
  const [retrying, setRetrying] = useState<Failing | null>(null);
  const [at, setAt] = useState(0);
  const go = useGo();
  const line = failing[Math.min(at, failing.length - 1)];
  useKeys([
    { keys: "j|arrowdown|e", what: t("Next failure"), act: () => setAt(Math.min(at + 1, failing.length - 1)) },
    { keys: "k|arrowup|E", what: t("Failure before"), act: () => setAt(Math.max(at - 1, 0)) },
    { keys: "c", what: t("Retry the failure"), act: () => line && setRetrying(line) },
    { keys: "enter", what: t("Open its log"), act: () => line && go(taskPath(line.dag_id, line.run_id, line.task_id, line.map_path)) },
  ]);
  const groups = grouped(failing);
  return (
    <div className="page home">
      <section className="card" aria-labelledby="failing">
        <header>
          <h2 id="failing" className="row">{failing.length > 0 ? <span className="badge st-failed"><Sign state="failed" />{failing.length}</span> : <span className="badge st-success"><Sign state="success" /></span>}{t("Failing now")}</h2>
          <span className="tail">
            {failing.length > 0 && <span className="faint small hide-narrow"><kbd>c</kbd> {t("retry")} <kbd>Enter</kbd> {t("log")}</span>}
            {dismissed.size > 0 && home.failing.length > failing.length && <Button kind="tiny quiet" onClick={() => prefs.set({ dismissed: [] })}>{t("Show {count} dismissed", { count: home.failing.length - failing.length })}</Button>}
          </span>
        </header>
        {failing.length === 0 ? (
          <div className="calm"><strong>{t("Nothing is failing.")}</strong><span className="muted">{home.dags.all === 0 ? t("There are no DAGs yet: put files into the folder of DAGs.") : plural(home.dags.all, "DAG is watched", "DAGs are watched")}</span></div>
        ) : (
          <ol className="failures">
            {groups.map((group) => (
              <li key={group.cause} className="group">
                {group.lines.length > 1 && <div className="cause"><span className="exception clip">{group.cause}</span><span className="faint small">{plural(group.lines.length, "task", "tasks")}</span></div>}
                {group.lines.map((each) => <FailureRow key={each.ti_id} line={each} alone={group.lines.length === 1} here={each === line} onRetry={() => setRetrying(each)} />)}
              </li>
            ))}
          </ol>
        )}
      </section>
      <div className="columns">
        {home.waiting.length > 0 && <Waiting title={t("Waiting for your answer")} icon={<Hand size={15} />} lines={home.waiting} tone="awaiting_input" />}
        {home.stuck.length > 0 && <Waiting title={t("Ready, and not running")} icon={<Hourglass size={15} />} lines={home.stuck} tone="queued" />}
        {(home.late?.length ?? 0) > 0 && (
          <section className="card c6" aria-labelledby="late">
            <header><h2 id="late" className="row"><span className="badge st-upstream_failed"><AlarmClock size={13} />{home.late?.length}</span>{t("Late")}</h2></header>
            <ul className="lines">{home.late?.slice(0, 8).map((line) => (
              <li key={line.id}><A className="name grow clip" to={runPath(line.dag_id, line.run_id)}>{line.dag_id}{line.task_id ? ` › ${line.task_id}` : ""}</A><span className="muted small clip">{line.name}</span><span className="faint small nowrap">{t("due")} <Ago ms={line.due} /></span></li>
            ))}</ul>
          </section>
        )}
        {home.broken.length > 0 && (
          <section className="card c12" aria-labelledby="broken">
            <header><h2 id="broken" className="row"><FileWarning size={15} />{plural(home.broken.length, "broken DAG file", "broken DAG files")}</h2><span className="tail"><A className="link small" to="/admin/import-errors">{t("Tracebacks")}</A></span></header>
            <ul className="lines">{home.broken.map((file) => (
              <li key={file.bundle + file.path}><A to="/admin/import-errors" search={{ file: file.path }} className="name mono">{file.path}</A><span className="exception grow clip" title={file.message}>{file.message}</span><Ago ms={file.at} className="faint small" /></li>
            ))}</ul>
          </section>
        )}
        <Pulse home={home} />
        <Hours home={home} />
        <Components home={home} />
      </div>
      {retrying && <ClearDialog dag={retrying.dag_id} run={retrying.run_id} tasks={[retrying.map_path ? [retrying.task_id, Number(retrying.map_path)] : retrying.task_id]} only onClose={() => setRetrying(null)} />}
    </div>
  );
}

/** Failures that say the same stand together: numbers and quoted parts do not tell them apart. */
export function grouped(lines: Failing[]): { cause: string; lines: Failing[] }[] {
  const groups = new Map<string, { cause: string; lines: Failing[] }>();
  for (const line of lines) {
    const cause = exception(line);
    const key = cause.replace(/\d+/g, "#").replace(/(["'`]).*?\1/g, "…");
    const group = groups.get(key);
    if (group) group.lines.push(line);
    else groups.set(key, { cause, lines: [line] });
  }
  return [...groups.values()];
}

/** The exception line: what stands behind it is about retries. */
export function exception(line: Pick<Failing, "reason" | "cause" | "state">): string {
  const reason = (line.reason ?? "").split("; ")[0] ?? "";
  return reason || (line.cause ? line.cause.replaceAll("_", " ") : t("It failed without a word."));
}

function FailureRow({ line, alone, here, onRetry }: { line: Failing; alone: boolean; here: boolean; onRetry: () => void }) {
  const log = taskPath(line.dag_id, line.run_id, line.task_id, line.map_path);
  return (
    <div className="failure" data-on={here || undefined}>
      <Badge state={line.state} small />
      <div className="what">
        <div className="row wrap" style={{ gap: 6 }}>
          <A className="name strong" to={dagPath(line.dag_id)}>{line.dag_id}</A><span className="faint">›</span>
          <A className="name strong" to={log}>{line.task_id}{line.map_path ? `[${line.map_path}]` : ""}</A>
          {line.instances > 1 && <span className="chip">{t("{count} instances", { count: line.instances })}</span>}
          {line.runs_in_row > 1 && <span className="chip">{t("{count} runs in a row", { count: line.runs_in_row })}</span>}
        </div>
        {alone && <A className="exception clip" to={log} title={exception(line)}>{exception(line)}</A>}
        {line.where && <span className="faint small mono clip">{line.where}</span>}
      </div>
      <div className="when small">
        <span>{line.state === "up_for_retry" ? t("try {n} of {of}, will retry", { n: line.try_number, of: line.max_tries + 1 }) : t("try {n} of {of}", { n: line.try_number, of: Math.max(line.max_tries + 1, line.try_number) })}</span>
        <span className="faint">{t("since")} <Ago ms={line.since} /></span>
      </div>
      <div className="when small hide-narrow"><span className="faint">{t("last success")}</span><Ago ms={line.last_success} /></div>
      <div className="row acts">
        <A className="btn tiny" to={log}><ScrollText />{t("Log")}</A>
        <Button kind="tiny" onClick={onRetry}><RotateCcw />{t("Retry")}</Button>
        <Button kind="tiny quiet icon" aria-label={t("Dismiss")} title={t("Dismiss until it fails again")} onClick={() => prefs.set({ dismissed: [...prefs.get().dismissed.slice(-300), nameOf(line)] })}><X /></Button>
      </div>
    </div>
  );
}

function Waiting({ title, icon, lines, tone }: { title: string; icon: React.ReactNode; lines: Stuck[]; tone: string }) {
  return (
    <section className="card c6" aria-label={title}>
      <header><h2 className="row"><span className={`badge st-${tone}`}>{icon}{lines.length}</span>{title}</h2></header>
      <ul className="lines">{lines.slice(0, 8).map((line) => (
        <li key={line.ti_id}>
          <Dot state={line.state} />
          <A className="name nowrap" to={taskPath(line.dag_id, line.run_id, line.task_id, line.map_path)}>{line.dag_id} › {line.task_id}{line.map_path ? `[${line.map_path}]` : ""}</A>
          <span className="muted small grow clip" title={line.reason ?? ""}>{line.reason}</span><Ago ms={line.since} className="faint small nowrap" />
        </li>
      ))}</ul>
    </section>
  );
}

function Pulse({ home }: { home: Home }) {
  const count = (name: string) => home.pulse[name] ?? 0;
  return (
    <section className="card c4" aria-labelledby="pulse">
      <header><h2 id="pulse">{t("Just now")}</h2><span className="tail"><A className="link small" to="/runs" search={{ state: "running,queued" }}>{t("Live runs")} <ArrowRight size={12} /></A></span></header>
      <div className="body stack">
        <dl className="numbers">
          <div><dt>{t("runs")}</dt><dd>{home.live.running.toLocaleString()}</dd></div>
          <div><dt><Dot state="running" /> {t("running")}</dt><dd>{count("running").toLocaleString()}</dd></div>
          <div><dt><Dot state="queued" /> {t("queued")}</dt><dd>{count("queued").toLocaleString()}</dd></div>
          <div><dt><Dot state="deferred" /> {t("waiting")}</dt><dd>{(count("deferred") + count("up_for_reschedule") + count("up_for_retry") + count("scheduled")).toLocaleString()}</dd></div>
        </dl>
        {home.pools.slice(0, 5).map((pool) => (
          <div key={pool.name} className="stack" style={{ gap: 4 }}>
            <div className="row spread small"><span className="clip">{pool.name}</span><span className="faint nowrap">{t("{used} of {all} slots", { used: pool.used, all: pool.slots < 0 ? "∞" : pool.slots })}</span></div>
            <div className="meter" role="img" aria-label={t("{used} of {all} slots", { used: pool.used, all: pool.slots })}><i style={{ width: `${pool.slots > 0 ? Math.min(100, (100 * pool.used) / pool.slots) : 0}%` }} /></div>
          </div>
        ))}
      </div>
    </section>
  );
}

function Hours({ home }: { home: Home }) {
  const most = Math.max(1, ...home.hours.map((hour) => hour[0] + hour[1] + hour[2] + hour[3]));
  const total = home.hours.reduce((sum, hour) => sum + hour[0] + hour[1] + hour[2] + hour[3], 0);
  const failed = home.hours.reduce((sum, hour) => sum + hour[1], 0);
  const first = home.now - 23 * 3_600_000;
  return (
    <section className="card c4" aria-labelledby="hours">
      <header><h2 id="hours">{t("Runs of the last 24 hours")}</h2><span className="tail small faint">{t("{total}, {failed} failed", { total: total.toLocaleString(), failed })}</span></header>
      <div className="body">
        <div className="hours" role="img" aria-label={t("{total}, {failed} failed", { total, failed })}>
          {home.hours.map((hour, place) => (
            <i key={first + place * 3_600_000} title={`${hm(first + place * 3_600_000 - (home.now % 3_600_000))}: ${hour[0]} ✓ ${hour[1]} × ${hour[2]} ▸`}>
              {hour[1] > 0 && <b className="st-failed" style={{ height: `${Math.max(4, (100 * hour[1]) / most)}%` }} />}
              {hour[3] > 0 && <b className="st-queued" style={{ height: `${Math.max(3, (100 * hour[3]) / most)}%` }} />}
              {hour[2] > 0 && <b className="st-running" style={{ height: `${Math.max(3, (100 * hour[2]) / most)}%` }} />}
              {hour[0] > 0 && <b className="st-success" style={{ height: `${Math.max(3, (100 * hour[0]) / most)}%` }} />}
            </i>
          ))}
        </div>
        <div className="row spread small faint"><span>{hm(first)}</span><span>{t("now")}</span></div>
      </div>
    </section>
  );
}

function Components({ home }: { home: Home }) {
  const found = Object.entries(home.health.components).filter(([kind, each]) => kind !== "triggerer" || each.at !== null);
  return (
    <section className="card c4" aria-labelledby="components">
      <header><h2 id="components">{t("Components")}</h2><span className="tail"><A className="link small" to="/admin/components">{t("All")} <ArrowRight size={12} /></A></span></header>
      <ul className="lines">
        {home.health.problem && <li><Dot state="failed" /><span>{home.health.problem}</span></li>}
        {found.map(([kind, each]) => (
          <li key={kind}><Dot state={each.status === "healthy" ? "success" : "failed"} /><span className="grow">{kind}</span><span className={each.status === "healthy" ? "faint small" : "exception"}>{each.at === null ? t("never seen") : each.status === "healthy" ? plural(each.alive, "alive", "alive") : t("silent")}</span>{each.at !== null && each.status !== "healthy" && <Ago ms={each.at} className="faint small" />}</li>
        ))}
      </ul>
      {found.length === 0 && !home.health.problem && <Empty title={t("No component has registered.")} />}
    </section>
  );
}

export const latestRun = (line: Failing): string => runPath(line.dag_id, line.run_id);
