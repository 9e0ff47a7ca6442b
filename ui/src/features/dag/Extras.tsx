// What stands beside an instance: links of its operator, values it keeps over runs, XComs by hand, events it caused.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { at, patch, post, put, remove } from "@api/http";
import { apiQuery, keys } from "@api/queries";
import type { Instance } from "@api/types";
import { Ago } from "@shared/time";
import { Button, Dialog, Empty, Fault, Field, Loaded, tell, tellError } from "@shared/ui";
import { plural, t } from "@shared/words";

interface Place { dag: string; run: string; task: string; map: string }
const base = ({ dag, run, task }: Place) => `/${at("dags", dag, "dagRuns", run, "taskInstances", task)}`;
const index = (map: string) => (map === "" ? -1 : Number(map));

export function Links(place: Place) {
  const found = useQuery(apiQuery<{ extra_links: Record<string, string | null> }>(`${base(place)}/links`, { map_index: index(place.map) }));
  if (found.error) return <div className="pane-body"><Fault error={found.error} /></div>;
  return <Loaded query={found} lines={2}>{(data) => {
    const links = Object.entries(data.extra_links).filter(([, href]) => href);
    return links.length === 0 ? <Empty title={t("No links")}><p>{t("The operator of this task offers none.")}</p></Empty> : <ul className="pane-body">{links.map(([name, href]) => <li key={name}><a className="link" href={/^(https?:|\/)/.test(href ?? "") ? (href ?? undefined) : undefined} target="_blank" rel="noopener noreferrer">{name}</a> <span className="mono small faint">{href}</span></li>)}</ul>;
  }}</Loaded>;
}

function ValueForm({ title, name, value, save, onClose }: { title: string; name?: string; value: unknown; save: (key: string, value: unknown) => Promise<unknown>; onClose: () => void }) {
  const [key, setKey] = useState(name ?? "");
  const [text, setText] = useState(JSON.stringify(value ?? null, null, 2));
  const [error, setError] = useState<unknown>(null);
  return (
    <Dialog title={title} onClose={onClose} footer={<><Button onClick={onClose}>{t("Cancel")}</Button><Button kind="primary" disabled={!key} onClick={() => { Promise.resolve().then(() => save(key, JSON.parse(text))).then(() => { tell(t("Saved."), "good"); onClose(); }).catch(setError); }}>{t("Save")}</Button></>}>
      {error !== null && <Fault error={error} what={t("It was not saved")} />}
      {name === undefined && <Field label={t("Key")}>{(id) => <input id={id} className="input mono" value={key} onChange={(event) => setKey(event.target.value)} />}</Field>}
      <Field label={t("Value (JSON)")}>{(id) => <textarea id={id} className="input mono" rows={8} value={text} onChange={(event) => setText(event.target.value)} />}</Field>
    </Dialog>
  );
}

export function Values({ data, ...place }: Place & { data: Instance }) {
  const client = useQueryClient();
  const [editing, setEditing] = useState<string | null>(null);
  const path = `/api/v2${base(place)}/xcomEntries`;
  const stale = () => client.invalidateQueries({ queryKey: keys.dag(place.dag) });
  return (
    <div className="pane-body">
      <div><Button kind="tiny" onClick={() => setEditing("")}>{t("Add a value…")}</Button></div>
      {!data.xcoms.length && <Empty title={t("No values")}><p>{t("The task has left no XCom.")}</p></Empty>}
      {data.xcoms.map((each) => (
        <div key={each.key} className="stack" style={{ gap: 4 }}>
          <div className="row"><h3 className="mono grow clip">{each.key}</h3><span className="faint small">{t("{size} bytes", { size: each.size.toLocaleString() })}{each.length !== null ? ` · ${plural(each.length, "item", "items")}` : ""}</span><Button kind="tiny quiet" onClick={() => setEditing(each.key)}>{t("Change")}</Button><Button kind="tiny quiet" onClick={() => void remove(`${path}/${at(each.key)}?map_index=${index(place.map)}`).then(stale).catch(tellError)}>{t("Delete")}</Button></div>
          {each.shown ? <pre className="block">{JSON.stringify(each.value, null, 2)}</pre> : <p className="muted small">{each.url ? t("Stored at {url}", { url: each.url }) : t("Too long to be shown here.")}</p>}
        </div>
      ))}
      {editing !== null && <ValueForm title={editing ? t("Change {name}", { name: editing }) : t("Add a value")} name={editing || undefined} value={data.xcoms.find((each) => each.key === editing)?.value} onClose={() => setEditing(null)} save={(key, value) => (editing ? patch(`${path}/${at(key)}`, { value, map_index: index(place.map) }) : post(path, { key, value, map_index: index(place.map) })).then(stale)} />}
    </div>
  );
}

interface Kept { key: string; value: unknown; updated_at: string; expires_at: string | null }

export function StateStore(place: Place) {
  const client = useQueryClient();
  const [editing, setEditing] = useState<Kept | "new" | null>(null);
  const options = apiQuery<{ task_state_store: Kept[] }>(`${base(place)}/state-store`, { map_index: index(place.map) });
  const found = useQuery(options);
  const path = (key: string) => `/api/v2${base(place)}/state-store${key ? `/${at(key)}` : ""}?map_index=${index(place.map)}`;
  const stale = () => client.invalidateQueries({ queryKey: options.queryKey });
  if (found.error) return <div className="pane-body"><Fault error={found.error} /></div>;
  return <Loaded query={found} lines={2}>{(data) => (
    <div className="pane-body">
      <div className="row"><Button kind="tiny" onClick={() => setEditing("new")}>{t("Add a value…")}</Button>{data.task_state_store.length > 0 && <Button kind="tiny danger" onClick={() => void remove(path("")).then(stale).catch(tellError)}>{t("Clear all")}</Button>}</div>
      {data.task_state_store.length === 0 ? <Empty title={t("Nothing is kept")}><p>{t("What a task keeps from one run to the next stands here.")}</p></Empty> : data.task_state_store.map((each) => <div key={each.key} className="stack" style={{ gap: 4 }}><div className="row"><h3 className="mono grow">{each.key}</h3><span className="faint small">{t("changed")} <Ago ms={Date.parse(each.updated_at)} />{each.expires_at && <> · {t("until")} <Ago ms={Date.parse(each.expires_at)} /></>}</span><Button kind="tiny quiet" onClick={() => setEditing(each)}>{t("Change")}</Button><Button kind="tiny quiet" onClick={() => void remove(path(each.key)).then(stale).catch(tellError)}>{t("Delete")}</Button></div><pre className="block">{JSON.stringify(each.value, null, 2)}</pre></div>)}
      {editing && <ValueForm title={editing === "new" ? t("Add a value") : t("Change {name}", { name: editing.key })} name={editing === "new" ? undefined : editing.key} value={editing === "new" ? null : editing.value} onClose={() => setEditing(null)} save={(key, value) => put(path(key), { value }).then(stale)} />}
    </div>
  )}</Loaded>;
}

interface AssetEvent { id: number; name?: string; uri?: string; timestamp: string; extra?: unknown }

export function AssetEvents({ dag, run, task, map }: Place) {
  const found = useQuery(apiQuery<{ asset_events: AssetEvent[] }>("/assets/events", { source_dag_id: dag, source_run_id: run, source_task_id: task, source_map_index: map === "" ? undefined : Number(map), limit: 50 }));
  if (found.error) return <div className="pane-body"><Fault error={found.error} /></div>;
  return <Loaded query={found} lines={2}>{(data) => data.asset_events.length === 0 ? <Empty title={t("No asset events")}><p>{t("This task has made no asset.")}</p></Empty> : <ul className="pane-body">{data.asset_events.map((event) => <li key={event.id} className="row"><strong>◈ {event.name ?? event.uri}</strong><Ago ms={Date.parse(event.timestamp)} className="faint small" /><span className="mono small">{event.extra ? JSON.stringify(event.extra) : ""}</span></li>)}</ul>}</Loaded>;
}
