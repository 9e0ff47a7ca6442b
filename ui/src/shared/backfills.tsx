// Backfills: what would be run before it is run; then how far each is.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { at, get, post, put, query } from "@api/http";
import { refresh, useFresh } from "@api/queries";
import type { Dag } from "@api/types";
import { A, dagPath, useSearchState } from "./nav";
import { absolute, Ago } from "./time";
import { Button, Empty, Fault, Field, Loaded, tell, tellError } from "./ui";
import { plural, t } from "./words";

interface Backfill { id: number; dag_id: string; from_date: string; to_date: string; is_paused: boolean; reprocess_behavior: string; max_active_runs: number; created_at: string; completed_at: string | null; num_runs?: number; dag_run_state_counts?: Record<string, number> }
interface Preview { backfills: { logical_date?: string | null; partition_key?: string | null }[]; total_entries: number }

export function BackfillForm({ dag }: { dag: Dag }) {
  const client = useQueryClient();
  const [search] = useSearchState();
  const [open, setOpen] = useState(!!search.from);
  const [from, setFrom] = useState(search.from ? `${search.from}T00:00` : "");
  const [to, setTo] = useState(search.to ? `${search.to}T23:59` : "");
  const [behaviour, setBehaviour] = useState("none");
  const [backwards, setBackwards] = useState(false);
  const [latest, setLatest] = useState(true);
  const [most, setMost] = useState("10");
  const [conf, setConf] = useState("{}");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const iso = (text: string) => (text ? new Date(`${text}:00Z`).toISOString() : "");
  let parsed: unknown = {};
  let wrong: string | undefined;
  try {
    parsed = JSON.parse(conf || "{}");
  } catch (fault) {
    wrong = (fault as Error).message;
  }
  const wish = { dag_id: dag.dag_id, from_date: iso(from), to_date: iso(to), run_backwards: backwards, reprocess_behavior: behaviour, max_active_runs: Number(most) || 10, run_on_latest_version: latest, dag_run_conf: parsed };
  const asked = useDeferredValue(JSON.stringify(wish));
  const preview = useQuery({ queryKey: ["preview", "backfill", asked], queryFn: () => post<Preview>("/api/v2/backfills/dry_run", JSON.parse(asked)), enabled: open && !!from && !!to && !wrong, placeholderData: (before) => before, retry: false });
  if (!open) return <div><Button kind="primary" onClick={() => setOpen(true)}>{t("New backfill…")}</Button></div>;
  const act = () => {
    setBusy(true);
    setError(null);
    post("/api/v2/backfills", wish)
      .then(() => { tell(t("The backfill was made."), "good"); setOpen(false); refresh(client, dag.dag_id); void client.invalidateQueries({ queryKey: ["ui", "backfills"] }); })
      .catch(setError)
      .finally(() => setBusy(false));
  };
  return (
    <section className="card"><header><h2>{t("New backfill")}</h2></header><div className="body stack">
      {error !== null && <Fault error={error} what={t("The backfill was not made")} />}
      <div className="columns">
        <div className="c3"><Field label={t("From (UTC)")}>{(id) => <input id={id} type="datetime-local" className="input" value={from} onChange={(event) => setFrom(event.target.value)} />}</Field></div>
        <div className="c3"><Field label={t("To (UTC)")}>{(id) => <input id={id} type="datetime-local" className="input" value={to} onChange={(event) => setTo(event.target.value)} />}</Field></div>
        <div className="c3"><Field label={t("Runs that exist")}>{(id) => <select id={id} className="input" value={behaviour} onChange={(event) => setBehaviour(event.target.value)}><option value="none">{t("leave them")}</option><option value="failed">{t("run the failed ones again")}</option><option value="completed">{t("run all again")}</option></select>}</Field></div>
        <div className="c3"><Field label={t("Runs at once")}>{(id) => <input id={id} inputMode="numeric" className="input" value={most} onChange={(event) => setMost(event.target.value)} />}</Field></div>
      </div>
      <div className="row wrap" style={{ gap: 16 }}><label className="check"><input type="checkbox" checked={backwards} onChange={(event) => setBackwards(event.target.checked)} />{t("Newest first")}</label><label className="check"><input type="checkbox" checked={latest} onChange={(event) => setLatest(event.target.checked)} />{t("Newest code")}</label></div>
      <details><summary className="small muted">{t("Conf")}</summary><Field label={t("Conf (JSON)")} wrong={wrong}>{(id) => <textarea id={id} className="input mono" value={conf} onChange={(event) => setConf(event.target.value)} />}</Field></details>
      {preview.error ? <Fault error={preview.error} what={t("What would run could not be found out")} /> : preview.data && from && to ? (
        <div className="stack" style={{ gap: 4 }}><strong>{plural(preview.data.total_entries, "run will be made or run again", "runs will be made or run again")}</strong>
          <div className="row wrap" style={{ gap: 4, maxHeight: 120, overflow: "auto" }}>{preview.data.backfills.slice(0, 200).map((each, place) => <span key={each.logical_date ?? each.partition_key ?? String(place)} className="chip">{each.logical_date ? absolute(Date.parse(each.logical_date)) : each.partition_key}</span>)}</div></div>
      ) : <p className="muted small">{t("Choose a range to see what would run.")}</p>}
      <div className="row"><Button kind="primary" disabled={busy || !preview.data?.total_entries} onClick={act}>{t("Backfill {count}", { count: preview.data?.total_entries ?? 0 })}</Button><Button onClick={() => setOpen(false)}>{t("Cancel")}</Button></div>
    </div></section>
  );
}

export function BackfillList({ dag }: { dag?: string }) {
  const client = useQueryClient();
  const options = { queryKey: ["ui", "backfills", dag ?? ""], queryFn: ({ signal }: { signal: AbortSignal }) => get<{ backfills: Backfill[]; total_entries: number }>(`/ui/backfills${query({ dag_id: dag })}`, signal) };
  const fresh = useFresh(dag ? `dag:${dag}` : "dags", options.queryKey, 2000);
  const found = useQuery({ ...options, ...fresh });
  const act = (id: number, what: "pause" | "unpause" | "cancel") => put(`/api/v2/${at("backfills", id, what)}`).then(() => client.invalidateQueries({ queryKey: options.queryKey })).catch(tellError);
  if (found.error) return <Fault error={found.error} retry={() => void found.refetch()} />;
  return <Loaded query={found} lines={4}>{(data) => data.backfills.length === 0 ? <Empty title={t("No backfills")}><p>{t("A backfill runs a stretch of the past. Make one from a DAG's calendar or its backfills view.")}</p></Empty> : (
    <section className="card table-wrap"><table className="table"><thead><tr>{!dag && <th>{t("DAG")}</th>}<th>{t("Range")}</th><th>{t("Runs")}</th><th>{t("Made")}</th><th>{t("State")}</th><th /></tr></thead>
      <tbody>{data.backfills.map((each) => {
        const counts = each.dag_run_state_counts ?? {};
        const total = Object.values(counts).reduce((sum, count) => sum + count, 0) || each.num_runs || 0;
        return (
          <tr key={each.id}>{!dag && <td><A className="name" to={dagPath(each.dag_id, "backfills")}>{each.dag_id}</A></td>}
            <td className="nowrap">{absolute(Date.parse(each.from_date))} – {absolute(Date.parse(each.to_date))}</td>
            <td style={{ minWidth: 140 }}>{total > 0 ? <><div className="meter" title={JSON.stringify(counts)}>{Object.entries(counts).map(([state, count]) => <i key={state} className={`st-${state}`} style={{ width: `${(100 * count) / total}%`, background: "var(--fill)" }} />)}</div><span className="small faint">{total}</span></> : <span className="faint">–</span>}</td>
            <td><Ago ms={Date.parse(each.created_at)} /></td><td>{each.completed_at ? <span className="muted">{t("completed")}</span> : each.is_paused ? t("paused") : t("running")}</td>
            <td className="row" style={{ justifyContent: "flex-end" }}>{!each.completed_at && <><Button kind="tiny" onClick={() => void act(each.id, each.is_paused ? "unpause" : "pause")}>{each.is_paused ? t("Go on") : t("Pause")}</Button><Button kind="tiny danger" onClick={() => void act(each.id, "cancel")}>{t("Cancel")}</Button></>}</td></tr>
        );
      })}</tbody></table></section>
  )}</Loaded>;
}
