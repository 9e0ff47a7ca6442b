// Wishes, all through the public API. Each says what it makes stale.
import type { QueryClient } from "@tanstack/react-query";
import type { components } from "./contract";
import { at, patch, post, remove } from "./http";
import { refresh } from "./queries";
import type { Run } from "./types";

const api = (...parts: (string | number)[]) => `/api/v2/${at(...parts)}`;

export type Instance = Pick<Bodies["TaskInstanceResponse"], "dag_id" | "dag_run_id" | "task_id" | "map_index" | "state" | "try_number">;
export interface ClearWish {
  dag: string; run?: string; tasks?: (string | [string, number])[]; upstream?: boolean; downstream?: boolean; past?: boolean;
  future?: boolean; onlyFailed?: boolean; latest?: boolean; preventRunning?: boolean; note?: string; groups?: string[];
}

export async function pause(client: QueryClient, dag: string, paused: boolean): Promise<void> {
  await patch(`${api("dags", dag)}?update_mask=is_paused`, { is_paused: paused });
  refresh(client, dag);
}

export async function trigger(client: QueryClient, dag: string, wish: Bodies["TriggerDAGRunPostBody"]): Promise<Pick<Bodies["DAGRunResponse"], "dag_run_id">> {
  const made = await post<{ dag_run_id: string }>(api("dags", dag, "dagRuns"), wish);
  refresh(client, dag);
  return made;
}

type Bodies = components["schemas"];

function clearBody(wish: ClearWish, dry: boolean): Partial<Bodies["ClearTaskInstancesBody"]> {
  return {
    dry_run: dry,
    dag_run_id: wish.run,
    task_ids: wish.tasks,
    only_failed: wish.onlyFailed ?? false,
    reset_dag_runs: true,
    include_upstream: wish.upstream ?? false,
    include_downstream: wish.downstream ?? false,
    include_past: wish.past ?? false,
    include_future: wish.future ?? false,
    run_on_latest_version: wish.latest ?? false,
    prevent_running_task: wish.preventRunning ?? false,
    ...(wish.note ? { note: wish.note } : {}),
  };
}

export async function clearPreview(wish: ClearWish): Promise<Instance[]> {
  const told = await post<{ task_instances: Instance[] }>(api("dags", wish.dag, "clearTaskInstances"), clearBody(wish, true));
  return told.task_instances;
}

export async function clear(client: QueryClient, wish: ClearWish): Promise<void> {
  await post(api("dags", wish.dag, "clearTaskInstances"), clearBody(wish, false));
  refresh(client, wish.dag);
}

export async function clearRun(client: QueryClient, dag: string, run: string, onlyFailed: boolean, latest = false): Promise<void> {
  await post(api("dags", dag, "dagRuns", run, "clear"), { dry_run: false, only_failed: onlyFailed, run_on_latest_version: latest });
  refresh(client, dag);
}

export interface MarkWish { dag: string; run: string; task: string; map?: number; state: "success" | "failed" | "skipped"; upstream?: boolean; downstream?: boolean; past?: boolean; future?: boolean; note?: string }

function markPath(wish: MarkWish): string {
  const map = wish.map === undefined || wish.map < 0 ? [] : [wish.map];
  return api("dags", wish.dag, "dagRuns", wish.run, "taskInstances", wish.task, ...map);
}

function markBody(wish: MarkWish): Partial<Bodies["PatchTaskInstanceBody"]> {
  return {
    new_state: wish.state,
    include_upstream: wish.upstream ?? false,
    include_downstream: wish.downstream ?? false,
    include_past: wish.past ?? false,
    include_future: wish.future ?? false,
    ...(wish.note ? { note: wish.note } : {}),
  };
}

export async function markPreview(wish: MarkWish): Promise<Instance[]> {
  return (await patch<{ task_instances: Instance[] }>(`${markPath(wish)}/dry_run`, markBody(wish))).task_instances;
}

export async function mark(client: QueryClient, wish: MarkWish): Promise<void> {
  await patch(markPath(wish), markBody(wish));
  refresh(client, wish.dag);
}

export async function markRun(client: QueryClient, dag: string, run: string, state: "success" | "failed" | "queued"): Promise<void> {
  await patch(`${api("dags", dag, "dagRuns", run)}?update_mask=state`, { state });
  refresh(client, dag);
}

export async function noteRun(client: QueryClient, dag: string, run: string, note: string | null): Promise<void> {
  await patch(`${api("dags", dag, "dagRuns", run)}?update_mask=note`, { note });
  refresh(client, dag);
}

export async function noteTask(client: QueryClient, dag: string, run: string, task: string, map: number, note: string | null): Promise<void> {
  const tail = map >= 0 ? [map] : [];
  await patch(`${api("dags", dag, "dagRuns", run, "taskInstances", task, ...tail)}?update_mask=note`, { note });
  refresh(client, dag);
}

export async function deleteRun(client: QueryClient, dag: string, run: string): Promise<void> {
  await remove(api("dags", dag, "dagRuns", run));
  refresh(client, dag);
}

export async function deleteDag(client: QueryClient, dag: string): Promise<void> {
  await remove(api("dags", dag));
  refresh(client, dag);
}

export const isLive = (run: Pick<Run, "state">): boolean => run.state === "queued" || run.state === "running";
