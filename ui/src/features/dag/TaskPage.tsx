// One task over its runs: how long it took, how it ended, what it said.
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { historyQuery } from "@api/queries";
import { rowsOf, type Task } from "@api/types";
import { A, dagPath, taskPath } from "@shared/nav";
import { Badge, stateWord } from "@shared/state";
import { Ago, duration } from "@shared/time";
import { Empty, Loaded } from "@shared/ui";
import { plural, t } from "@shared/words";

export function TaskPage() {
  const { dag, task } = useParams({ strict: false }) as { dag: string; task: string };
  const found = useQuery(historyQuery(dag, task));
  return <Loaded query={found}>{(data) => {
    const rows = rowsOf(data) as (Task & { run_id: string; run_key?: string })[];
    rows.sort((a, b) => (b.started_at ?? 0) - (a.started_at ?? 0));
    const timed = rows.filter((row) => row.seconds !== null).map((row) => row.seconds as number).sort((a, b) => a - b);
    const at = (share: number) => timed[Math.min(timed.length - 1, Math.floor(timed.length * share))];
    const failures = rows.filter((row) => row.state === "failed").length;
    return (
      <div className="page">
        <div className="row wrap"><h2 style={{ fontSize: 15 }}>{task}</h2><A className="link small" to={dagPath(dag, "grid")} search={{ task }}>{t("In the grid")}</A><span className="muted small">{String(data.task?.operator ?? "")}</span></div>
        {rows.length === 0 ? <Empty title={t("It has not run yet")} /> : (
          <>
            <div className="columns">
              <div className="card c4"><div className="body"><dl className="facts"><dt>{t("median")}</dt><dd>{duration(at(0.5))}</dd><dt>{t("95 of 100 within")}</dt><dd>{duration(at(0.95))}</dd><dt>{t("longest")}</dt><dd>{duration(timed.at(-1))}</dd><dt>{t("failed")}</dt><dd>{failures} / {plural(rows.length, "instance", "instances")}</dd></dl></div></div>
              <div className="card c8"><div className="body"><Bars rows={rows} dag={dag} /></div></div>
            </div>
            <div className="card table-wrap"><table className="table"><thead><tr><th>{t("State")}</th><th>{t("Run")}</th><th className="num">{t("Took")}</th><th>{t("Started")}</th><th>{t("What it said")}</th></tr></thead>
              <tbody>{rows.slice(0, 200).map((row) => <tr key={row.ti_id}><td><Badge state={row.state} /></td><td className="clip" style={{ maxWidth: 280 }}><A className="name mono small" title={row.run_id} to={taskPath(dag, row.run_id, task, row.map_path)}>{row.run_id}{row.map_path ? ` [${row.map_path}]` : ""}</A></td><td className="num nowrap">{duration(row.seconds)}</td><td className="nowrap"><Ago ms={row.started_at} /></td><td className="exception">{row.state === "failed" ? (row.reason ?? "").split("; ")[0] : ""}</td></tr>)}</tbody></table></div>
          </>
        )}
      </div>
    );
  }}</Loaded>;
}

/** Durations, oldest first; bars are links. */
export function Bars({ rows, dag }: { rows: (Task & { run_id: string })[]; dag: string }) {
  const shown = rows.slice(0, 100).reverse();
  const most = Math.max(0.001, ...shown.map((row) => row.seconds ?? 0));
  return (
    <div role="img" aria-label={t("Durations of the newest {count} instances", { count: shown.length })}>
      <div style={{ display: "flex", alignItems: "flex-end", gap: 2, height: 120 }}>
        {shown.map((row) => <A key={row.ti_id} to={taskPath(dag, row.run_id, row.task_id, row.map_path)} tabIndex={-1} title={`${row.run_id}: ${duration(row.seconds)} ${stateWord(row.state)}`} className={`st-${row.state ?? "none"}`} style={{ flex: 1, maxWidth: 14, height: `${Math.max(3, (100 * (row.seconds ?? 0)) / most)}%`, background: "var(--fill)", borderRadius: 2 }} />)}
      </div>
      <div className="row spread small faint"><span>{t("older")}</span><span>{t("longest {time}", { time: duration(most) })}</span><span>{t("newest")}</span></div>
    </div>
  );
}
