// All DAGs: found by any part of a name, told apart by their last runs.
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Ellipsis, Play, Star } from "lucide-react";
import { useDeferredValue, useMemo, useState } from "react";
import * as acts from "@api/acts";
import { get, query } from "@api/http";
import { keys, useFresh } from "@api/queries";
import type { DagEntry, DagPage as Page } from "@api/types";
import { DeleteDialog } from "@shared/dialogs";
import { useKeys } from "@shared/keys";
import { A, dagPath, runPath, useGo, useSearchState } from "@shared/nav";
import { prefs, toggled, usePrefs } from "@shared/prefs";
import { Badge, Strip } from "@shared/state";
import { Ago, duration } from "@shared/time";
import { TriggerDialog } from "@shared/trigger";
import { Button, Empty, Fault, Menu, Skeleton, tell, tellError } from "@shared/ui";
import { VList, type Column } from "@shared/vlist";
import { plural, t } from "@shared/words";

const PAGE = 200;

export function DagsPage() {
  const [search, change] = useSearchState();
  const go = useGo();
  const client = useQueryClient();
  const { favourites } = usePrefs();
  const [typed, setTyped] = useState(search.q ?? "");
  const [chosen, setChosen] = useState<Set<string>>(new Set());
  const [triggering, setTriggering] = useState<string | null>(null);
  const [deleting, setDeleting] = useState<string | null>(null);
  const [busy, setBusy] = useState<Record<string, boolean>>({});
  const given = useDeferredValue({ q: search.q, state: search.state, tag: search.tag, owner: search.owner, paused: search.paused, sort: search.sort, favourite: search.favourite, favourites: search.favourite ? favourites.join(",") : undefined });
  const fresh = useFresh("dags", keys.dags, 2000);
  const pages = useInfiniteQuery({
    queryKey: [...keys.dags, given],
    queryFn: ({ pageParam, signal }) => get<Page>(`/ui/dags${query({ ...given, from: pageParam, count: PAGE })}`, signal),
    initialPageParam: 0,
    getNextPageParam: (last, all) => (all.length * PAGE < last.total ? all.length * PAGE : undefined),
    placeholderData: (before) => before,
    ...fresh,
  });
  const first = pages.data?.pages[0];
  const rows = useMemo(() => pages.data?.pages.flatMap((page) => page.dags) ?? [], [pages.data]);
  const setPaused = (dag: DagEntry, paused: boolean, undo = true) => {
    setBusy((now) => ({ ...now, [dag.dag_id]: paused }));
    acts.pause(client, dag.dag_id, paused)
      .then(() => undo && tell(paused ? t("{name} is paused.", { name: dag.dag_id }) : t("{name} runs by itself again.", { name: dag.dag_id }), "good", () => setPaused(dag, !paused, false)))
      .catch(tellError)
      .finally(() => setTimeout(() => setBusy((now) => Object.fromEntries(Object.entries(now).filter(([id]) => id !== dag.dag_id))), 600));
  };
  useKeys([{ keys: "t", what: t("Trigger the selected DAG"), act: () => chosen.size === 1 && setTriggering([...chosen][0] ?? null) }]);
  const columns: Column<DagEntry>[] = [
    { name: "Latest", width: "92px", sort: "state", cell: (dag) => (dag.latest ? <A to={runPath(dag.dag_id, dag.latest.run_id)}><Badge state={dag.latest.state} /></A> : <span className="faint small">{t("no runs")}</span>) },
    { name: "DAG", width: "minmax(180px, 2fr)", sort: "name", cell: (dag) => (
      <span className="row" style={{ gap: 6 }}>
        <button type="button" className="btn quiet tiny icon" aria-pressed={favourites.includes(dag.dag_id)} aria-label={t("Favourite {name}", { name: dag.dag_id })} onClick={() => prefs.set({ favourites: toggled(favourites, dag.dag_id) })} style={{ background: "none", border: 0 }}><Star fill={favourites.includes(dag.dag_id) ? "currentColor" : "none"} /></button>
        <A className="name clip" style={{ fontWeight: 500, opacity: dag.paused ? 0.7 : 1 }} to={dagPath(dag.dag_id)} title={dag.description ?? dag.dag_id}>{dag.name ?? dag.dag_id}</A>
        {dag.tags.slice(0, 3).map((tag) => <button key={tag} type="button" className="chip hide-narrow" onClick={() => change({ tag })}>{tag}</button>)}
      </span>) },
    { name: "Last 20 runs", width: "142px", className: "hide-narrow", cell: (dag) => <Strip strip={dag.strip} seconds={dag.seconds} label={t("{failed} of the last {all} runs failed", { failed: [...dag.strip].filter((letter) => letter === "f").length, all: dag.strip.length })} /> },
    { name: "Took", width: "120px", className: "hide-narrow", cell: (dag) => <Took dag={dag} /> },
    { name: "Schedule", width: "minmax(90px, 1fr)", className: "hide-narrow", cell: (dag) => <span className="muted" title={dag.schedule}>{dag.schedule || t("by hand")}</span> },
    { name: "Next run", width: "96px", sort: "next", className: "hide-narrow", cell: (dag) => (dag.paused ? <span className="faint">{t("paused")}</span> : <Ago ms={dag.next} />) },
    { name: "Owner", width: "90px", className: "hide-narrow", cell: (dag) => <span className="muted">{dag.owners.join(", ")}</span> },
    { name: "", width: "122px", cell: (dag) => (
      <span className="row" style={{ gap: 4, justifyContent: "flex-end" }}>
        <input type="checkbox" role="switch" className="switch" aria-label={t("{name} runs by itself", { name: dag.dag_id })} title={dag.paused ? (dag.pause_reason ?? t("Paused")) : t("Runs by itself")} checked={!(busy[dag.dag_id] ?? dag.paused)} onChange={(event) => setPaused(dag, !event.target.checked)} />
        <Button kind="quiet tiny icon" aria-label={t("Trigger {name}", { name: dag.dag_id })} title={t("Trigger")} onClick={() => setTriggering(dag.dag_id)}><Play /></Button>
        <Menu label={t("More for {name}", { name: dag.dag_id })} icon={<Ellipsis />} kind="quiet tiny icon">
          {(close) => (
            <>
              {["grid", "graph", "runs", "code", "details"].map((view) => <A key={view} role="menuitem" to={dagPath(dag.dag_id, view)} onClick={close}>{t(view[0]?.toUpperCase() + view.slice(1))}</A>)}
              <hr /><button type="button" role="menuitem" className="danger" onClick={() => { close(); setDeleting(dag.dag_id); }}>{t("Delete…")}</button>
            </>
          )}
        </Menu>
      </span>) },
  ];
  const states = first?.facets.state ?? {};
  const facet = (name: string, value: string, text: string, count: number) => (
    <button key={`${name}${value}`} type="button" className="chip" aria-pressed={search[name] === value} onClick={() => change({ [name]: search[name] === value ? undefined : value })}>{text} <span className="faint">{count}</span></button>
  );
  const picked = rows.filter((dag) => chosen.has(dag.dag_id));
  return (
    <div className="page fill">
      <div className="toolbar">
        <input data-filter type="search" className="input" placeholder={t("Any part of a name, tag or owner")} aria-label={t("Filter")} value={typed} onChange={(event) => { setTyped(event.target.value); change({ q: event.target.value || undefined }); }} />
        {["failed", "running", "queued", "success", "none"].filter((state) => states[state]).map((state) => facet("state", state, t(state === "none" ? "no runs" : state), states[state] ?? 0))}
        {first && facet("paused", "true", t("paused"), first.facets.paused.true)}
        {favourites.length > 0 && facet("favourite", "true", t("favourites"), favourites.length)}
        {first && first.facets.tag.length > 0 && (
          <select className="input" aria-label={t("Tag")} value={search.tag ?? ""} onChange={(event) => change({ tag: event.target.value || undefined })}>
            <option value="">{t("any tag")}</option>{first.facets.tag.map(([tag, count]) => <option key={tag} value={tag}>{tag} ({count})</option>)}
          </select>
        )}
        {first && first.facets.owner.length > 1 && (
          <select className="input" aria-label={t("Owner")} value={search.owner ?? ""} onChange={(event) => change({ owner: event.target.value || undefined })}>
            <option value="">{t("any owner")}</option>{first.facets.owner.map(([owner, count]) => <option key={owner} value={owner}>{owner} ({count})</option>)}
          </select>
        )}
        <span className="grow" />
        {chosen.size > 0 ? (
          <>
            <strong className="small">{t("{count} selected", { count: chosen.size })}</strong>
            <Button kind="tiny" onClick={() => { for (const dag of picked) setPaused(dag, true, false); setChosen(new Set()); }}>{t("Pause")}</Button>
            <Button kind="tiny" onClick={() => { for (const dag of picked) setPaused(dag, false, false); setChosen(new Set()); }}>{t("Unpause")}</Button>
          </>
        ) : <span className="small faint">{first ? (first.total === first.all ? plural(first.all, "DAG", "DAGs") : t("{total} of {all} DAGs", { total: first.total, all: first.all })) : ""}</span>}
      </div>
      {pages.error && !first ? <div className="page"><Fault error={pages.error} retry={() => void pages.refetch()} /></div>
        : !first ? <Skeleton lines={14} />
        : rows.length === 0 ? (
          <Empty title={first.all === 0 ? t("No DAGs yet") : t("No DAG fits")}>
            <p>{first.all === 0 ? t("Put a Python file with a DAG into the folder of DAGs; it appears here within seconds. Files that cannot be loaded are listed under Admin, import errors.") : t("Nothing has all of these words and filters.")}</p>
            {first.all > 0 && <Button onClick={() => { setTyped(""); go("/dags", undefined, true); }}>{t("Clear the filters")}</Button>}
          </Empty>
        ) : <VList rows={rows} columns={columns} keyOf={(dag) => dag.dag_id} label={t("DAGs")} total={first.total} selected={chosen} onSelect={setChosen} sort={search.sort ?? "name"} onSort={(sort) => change({ sort })} onOpen={(dag) => go(dagPath(dag.dag_id))} more={() => pages.hasNextPage && !pages.isFetchingNextPage && void pages.fetchNextPage()} />}
      {triggering && <TriggerDialog dag={triggering} onClose={() => setTriggering(null)} />}
      {deleting && <DeleteDialog what={t("Delete {name} with all its runs", { name: deleting })} name={deleting} act={() => acts.deleteDag(client, deleting)} onClose={() => setDeleting(null)} />}
    </div>
  );
}

function Took({ dag }: { dag: DagEntry }) {
  const latest = dag.latest?.end && dag.latest.start ? (dag.latest.end - dag.latest.start) / 1000 : null;
  if (latest === null) return <span className="faint">–</span>;
  const slow = dag.median && dag.median > 1 && latest > dag.median * 1.5;
  return <span title={dag.median ? t("median {time}", { time: duration(dag.median) }) : undefined}>{duration(latest)} {slow && <span className="small" style={{ color: "var(--upstream_failed-ink)" }}>×{(latest / (dag.median as number)).toFixed(1)}</span>}</span>;
}
