// Assets: freshest knowledge first, what makes and reads each, its events, and why a DAG that waits has not run yet.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { useState } from "react";
import { at, post, remove } from "@api/http";
import { apiQuery, useFresh } from "@api/queries";
import { A, dagPath, runPath, taskPath, useSearchState } from "@shared/nav";
import { Ago } from "@shared/time";
import { Button, Dialog, Empty, Fault, Field, Loaded, tell, tellError } from "@shared/ui";
import { plural, t } from "@shared/words";
import "./assets.css";

interface Ref { dag_id: string; task_id?: string }
interface Asset { id: number; name: string; uri: string; group: string; extra?: Record<string, unknown> | null; scheduled_dags?: Ref[]; producing_tasks?: Ref[]; consuming_tasks?: Ref[]; aliases?: { id: number; name: string }[]; watchers?: { name: string }[]; last_asset_event?: { id: number | null; timestamp: string | null } | null }
interface Event { id: number; asset_id: number; name?: string; uri?: string; timestamp: string; extra?: unknown; source_dag_id: string | null; source_task_id: string | null; source_run_id: string | null; source_map_index: number; created_dagruns?: { dag_id: string; run_id: string; state: string }[]; partition_key?: string | null }

export function AssetsPage() {
  const [search, change] = useSearchState();
  const options = apiQuery<{ assets: Asset[]; total_entries: number }>("/assets", { limit: 100, name_pattern: search.q ? `%${search.q}%` : undefined });
  const found = useQuery({ ...options, ...useFresh("dags", options.queryKey, 3000) });
  return (
    <div className="page">
      <div className="row"><input data-filter type="search" className="input" style={{ maxWidth: 260 }} placeholder={t("Part of a name")} aria-label={t("Filter")} defaultValue={search.q} onChange={(event) => change({ q: event.target.value || undefined })} /></div>
      {found.error ? <Fault error={found.error} retry={() => void found.refetch()} /> : (
        <Loaded query={found}>{(data) => data.assets.length === 0 ? <Empty title={t("No assets")}><p>{t("Tasks name the data they make as outlets, DAGs the data they wait for as schedule; both appear here.")}</p></Empty> : (
          <>
            <div className="card table-wrap"><table className="table"><thead><tr><th>{t("Asset")}</th><th>{t("Fresh")}</th><th>{t("Made by")}</th><th>{t("Wakes")}</th><th>{t("Group")}</th></tr></thead>
              <tbody>{[...data.assets].sort((a, b) => fresh(b) - fresh(a)).map((asset) => <tr key={asset.id}><td><A className="name" style={{ fontWeight: 500 }} to={`/assets/${asset.id}`}>{asset.name}</A> <span className="mono small faint">{asset.uri === asset.name ? "" : asset.uri}</span></td><td>{fresh(asset) ? <Ago ms={fresh(asset)} /> : <span className="faint">{t("never")}</span>}</td><td className="small"><Refs refs={asset.producing_tasks} /></td><td className="small"><Refs refs={asset.scheduled_dags} /></td><td className="muted">{asset.group}</td></tr>)}</tbody></table></div>
            <Lineage assets={data.assets} />
          </>
        )}</Loaded>
      )}
    </div>
  );
}

const fresh = (asset: Asset) => (asset.last_asset_event?.timestamp ? Date.parse(asset.last_asset_event.timestamp) : 0);

function Refs({ refs }: { refs?: Ref[] }) {
  const all = refs ?? [];
  return <>{all.slice(0, 3).map((ref, place) => <span key={`${ref.dag_id}.${ref.task_id ?? ""}`}>{place > 0 && ", "}<A className="link" to={dagPath(ref.dag_id)}>{ref.dag_id}{ref.task_id ? ` › ${ref.task_id}` : ""}</A></span>)}{all.length > 3 && <span className="faint"> +{all.length - 3}</span>}{!all.length && <span className="faint">–</span>}</>;
}

/** Who makes what for whom: DAGs and assets in columns, from left to right. */
function Lineage({ assets }: { assets: Asset[] }) {
  const linked = assets.filter((asset) => (asset.producing_tasks?.length ?? 0) + (asset.scheduled_dags?.length ?? 0) > 0).slice(0, 60);
  if (!linked.length) return null;
  return (
    <section className="card"><header><h2>{t("Lineage")}</h2></header><ul className="body lineage">{linked.map((asset) => (
      <li key={asset.id}><span className="lin-side">{(asset.producing_tasks ?? []).map((ref) => <A key={ref.dag_id + (ref.task_id ?? "")} className="chip" to={dagPath(ref.dag_id, "graph")}>{ref.dag_id}{ref.task_id ? ` › ${ref.task_id}` : ""}</A>)}</span><span className="lin-arrow" aria-label={t("makes")}>→</span><A className="lin-asset" to={`/assets/${asset.id}`}>◈ {asset.name}</A><span className="lin-arrow" aria-label={t("wakes")}>→</span><span className="lin-side end">{(asset.scheduled_dags ?? []).map((ref) => <A key={ref.dag_id} className="chip" to={dagPath(ref.dag_id)}>{ref.dag_id}</A>)}</span></li>
    ))}</ul></section>
  );
}

export function AssetPage() {
  const { asset: id } = useParams({ strict: false }) as { asset: string };
  const client = useQueryClient();
  const [making, setMaking] = useState(false);
  const one = apiQuery<Asset>(`/assets/${at(id)}`);
  const events = apiQuery<{ asset_events: Event[]; total_entries: number }>("/assets/events", { asset_id: id, limit: 50, order_by: "-timestamp" });
  const queued = apiQuery<{ queued_events: { dag_id: string; created_at: string; dag_display_name?: string }[] }>(`/assets/${at(id)}/queuedEvents`);
  const found = useQuery({ ...one, ...useFresh("dags", one.queryKey, 2000) });
  const log = useQuery({ ...events, ...useFresh("dags", events.queryKey, 2000) });
  const waiting = useQuery({ ...queued, retry: false });
  const stale = () => client.invalidateQueries({ queryKey: ["api"] });
  if (found.error) return <div className="page"><Fault error={found.error} /></div>;
  return <Loaded query={found}>{(asset) => (
    <div className="page">
      <div className="row wrap"><h2 style={{ fontSize: 15 }}>◈ {asset.name}</h2><span className="mono muted">{asset.uri}</span><span className="grow" />
        <Button onClick={() => setMaking(true)}>{t("Create an event…")}</Button>
        <Button kind="primary" disabled={!asset.producing_tasks?.length} title={asset.producing_tasks?.length ? t("Runs the DAG that makes it") : t("No DAG makes it")} onClick={() => void post<{ dag_id: string; dag_run_id: string }>(`/api/v2/assets/${at(id)}/materialize`).then((run) => tell(t("Run {name} of {dag} was made.", { name: run.dag_run_id, dag: run.dag_id }), "good")).catch(tellError)}>{t("Materialise")}</Button></div>
      <div className="columns">
        <section className="card c4"><header><h2>{t("Made by")}</h2></header><div className="body small"><Refs refs={asset.producing_tasks} /></div></section>
        <section className="card c4"><header><h2>{t("Wakes")}</h2></header><div className="body small"><Refs refs={asset.scheduled_dags} /></div></section>
        <section className="card c4"><header><h2>{t("Waiting for more")}</h2></header><div className="body stack small">{waiting.data?.queued_events.length ? waiting.data.queued_events.map((each) => <div key={each.dag_id} className="row"><A className="link grow" to={dagPath(each.dag_id)}>{each.dag_id}</A><span className="faint">{t("has this one since")} <Ago ms={Date.parse(each.created_at)} /></span><Button kind="tiny quiet" onClick={() => void remove(`/api/v2/dags/${at(each.dag_id)}/assets/${at(id)}/queuedEvents`).then(stale).catch(tellError)}>{t("Drop")}</Button></div>) : <span className="faint">{t("No DAG has an event of it in its queue.")}</span>}</div></section>
      </div>
      <section className="card"><header><h2>{t("Events")}</h2><span className="tail small faint">{log.data ? plural(log.data.total_entries, "event", "events") : ""}</span></header>
        {log.error ? <div className="body"><Fault error={log.error} /></div> : log.data?.asset_events.length ? <div className="table-wrap"><table className="table"><thead><tr><th>{t("When")}</th><th>{t("From")}</th><th>{t("Caused")}</th><th>{t("Partition")}</th><th>{t("Extra")}</th></tr></thead><tbody>{log.data.asset_events.map((event) => <tr key={event.id}><td><Ago ms={Date.parse(event.timestamp)} /></td><td>{event.source_dag_id && event.source_run_id ? <A className="link" to={event.source_task_id ? taskPath(event.source_dag_id, event.source_run_id, event.source_task_id) : runPath(event.source_dag_id, event.source_run_id)}>{event.source_dag_id}{event.source_task_id ? ` › ${event.source_task_id}` : ""}</A> : <span className="muted">{t("a person or a watcher")}</span>}</td><td>{(event.created_dagruns ?? []).map((run) => <A key={run.run_id} className="link" to={runPath(run.dag_id, run.run_id)}>{run.dag_id} </A>)}</td><td className="mono small">{event.partition_key}</td><td className="mono small clip" style={{ maxWidth: 320 }}>{event.extra ? JSON.stringify(event.extra) : ""}</td></tr>)}</tbody></table></div> : <Empty title={t("No events yet")} />}
      </section>
      {making && <EventForm id={asset.id} onClose={() => setMaking(false)} done={() => { setMaking(false); void stale(); }} />}
    </div>
  )}</Loaded>;
}

function EventForm({ id, onClose, done }: { id: number; onClose: () => void; done: () => void }) {
  const [extra, setExtra] = useState("{}");
  const [partition, setPartition] = useState("");
  const [error, setError] = useState<unknown>(null);
  return (
    <Dialog title={t("Create an event")} onClose={onClose} footer={<><Button onClick={onClose}>{t("Cancel")}</Button><Button kind="primary" onClick={() => { Promise.resolve().then(() => post("/api/v2/assets/events", { asset_id: id, extra: JSON.parse(extra || "{}"), ...(partition ? { partition_key: partition } : {}) })).then(() => { tell(t("The event was made."), "good"); done(); }).catch(setError); }}>{t("Create")}</Button></>}>
      {error !== null && <Fault error={error} what={t("The event was not made")} />}
      <p className="muted">{t("As if the asset had just been made: DAGs that wait for it are told.")}</p>
      <Field label={t("Extra (JSON)")}>{(name) => <textarea id={name} className="input mono" value={extra} onChange={(event) => setExtra(event.target.value)} />}</Field>
      <Field label={t("Partition key")}>{(name) => <input id={name} className="input mono" value={partition} onChange={(event) => setPartition(event.target.value)} />}</Field>
    </Dialog>
  );
}
