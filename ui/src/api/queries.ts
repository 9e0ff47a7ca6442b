// Queries as factories, by noun; keys nest from all to one.
import { keepPreviousData, queryOptions, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { at, get, query, signedOut } from "./http";
import { throttled, useLive, useNews } from "./live";
import type * as T from "./types";

export const keys = {
  all: ["ui"] as const,
  home: ["ui", "home"] as const,
  dags: ["ui", "dags"] as const,
  dag: (dag: string) => ["ui", "dag", dag] as const,
  run: (dag: string, run: string) => ["ui", "dag", dag, "run", run] as const,
  instance: (dag: string, run: string, task: string, map: string) => ["ui", "dag", dag, "run", run, "task", task, map] as const,
};

async function me({ signal }: { signal: AbortSignal }): Promise<T.Me> {
  const told = await get<T.Me>("/auth/me", signal);
  if (told.is_anonymous && Object.keys(told.permissions).length === 0) signedOut();
  return told;
}

export const meQuery = () => queryOptions({ queryKey: ["me"], queryFn: me, staleTime: 300_000, retry: false });
export const homeQuery = () => queryOptions({ queryKey: keys.home, queryFn: ({ signal }) => get<T.Home>("/ui/home", signal), placeholderData: keepPreviousData });
export const dagsQuery = (given: Record<string, string | number | undefined>) =>
  queryOptions({ queryKey: [...keys.dags, given], queryFn: ({ signal }) => get<T.DagPage>(`/ui/dags${query(given)}`, signal), placeholderData: keepPreviousData });
export const dagQuery = (dag: string) => queryOptions({ queryKey: [...keys.dag(dag), "detail"], queryFn: ({ signal }) => get<T.Dag>(`/ui/dags/${at(dag)}`, signal) });
export const graphQuery = (dag: string, version?: string) =>
  queryOptions({ queryKey: [...keys.dag(dag), "graph", version ?? ""], queryFn: ({ signal }) => get<T.Graph>(`/ui/dags/${at(dag)}/graph${query({ version })}`, signal), staleTime: 60_000 });
export const runQuery = (dag: string, run: string) =>
  queryOptions({ queryKey: [...keys.run(dag, run), "tasks"], queryFn: ({ signal }) => get<T.RunTasks>(`/ui/dags/${at(dag)}/runs/${at(run)}`, signal), placeholderData: keepPreviousData });
export const instanceQuery = (dag: string, run: string, task: string, map: string) =>
  queryOptions({ queryKey: keys.instance(dag, run, task, map), queryFn: ({ signal }) => get<T.Instance>(`/ui/dags/${at(dag)}/runs/${at(run)}/tasks/${at(task)}${query({ map })}`, signal) });
export const versionsQuery = (dag: string) =>
  queryOptions({ queryKey: [...keys.dag(dag), "versions"], queryFn: ({ signal }) => get<{ versions: { number: number; version: string; hash: string; bundle_version: string; at: number; file: string }[] }>(`/ui/dags/${at(dag)}/versions`, signal) });
export const codeQuery = (dag: string, number?: number) =>
  queryOptions({ queryKey: [...keys.dag(dag), "code", number ?? 0], queryFn: ({ signal }) => get<{ number: number; file: string; bundle: string; bundle_version: string; at: number; source: string }>(`/ui/dags/${at(dag)}/code${query({ number })}`, signal), staleTime: 60_000 });
export const calendarQuery = (dag: string) =>
  queryOptions({ queryKey: [...keys.dag(dag), "calendar"], queryFn: ({ signal }) => get<{ runs: [number, T.RunState, string][]; planned: number[] }>(`/ui/dags/${at(dag)}/calendar`, signal) });
export const historyQuery = (dag: string, task: string) =>
  queryOptions({ queryKey: [...keys.dag(dag), "history", task], queryFn: ({ signal }) => get<T.Table & { task: Record<string, unknown> | null }>(`/ui/dags/${at(dag)}/tasks/${at(task)}/history`, signal) });
export const errorsQuery = () =>
  queryOptions({ queryKey: ["ui", "import-errors"], queryFn: ({ signal }) => get<{ errors: { bundle: string; path: string; message: string; traceback: string; at: number }[] }>("/ui/import-errors", signal) });
/** Something of the public API. */
export const apiQuery = <R,>(path: string, given: Record<string, string | number | boolean | undefined> = {}) =>
  queryOptions({ queryKey: ["api", path, given], queryFn: ({ signal }) => get<R>(`/api/v2${path}${query(given)}`, signal), placeholderData: keepPreviousData });

/** What changed everywhere: read again what is on screen. */
export function refresh(client: QueryClient, dag?: string): void {
  void client.invalidateQueries({ queryKey: dag ? keys.dag(dag) : keys.all });
  if (dag) {
    void client.invalidateQueries({ queryKey: keys.home });
    void client.invalidateQueries({ queryKey: keys.dags });
  }
}

/** Reads the queries under `key` again when there is news of `topic`, at most once per `ms`; polls without a stream. */
export function useFresh(topic: string | null, key: readonly unknown[], ms = 1000): { refetchInterval: number | false } {
  const client = useQueryClient();
  const name = JSON.stringify(key);
  const act = useMemo(
    () => throttled(() => void client.invalidateQueries({ queryKey: JSON.parse(name) as unknown[] }), ms),
    [client, name, ms],
  );
  useNews(topic, (event) => {
    if (event.kind === "news" || event.kind === "reset") act();
  });
  return { refetchInterval: useLive().live ? false : 10_000 };
}
