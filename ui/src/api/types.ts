// What the server tells the screens (see server/ui).
export type State =
  | "none" | "removed" | "skipped" | "success" | "scheduled" | "queued" | "deferred" | "up_for_reschedule"
  | "awaiting_input" | "restarting" | "running" | "up_for_retry" | "upstream_failed" | "failed";
export type RunState = "queued" | "running" | "success" | "failed";

/** States as numbers, in the order of the server's list. */
export const STATES: readonly State[] = [
  "none", "removed", "skipped", "success", "scheduled", "queued", "deferred", "up_for_reschedule", "awaiting_input",
  "restarting", "running", "up_for_retry", "upstream_failed", "failed",
];
export const CODE = Object.fromEntries(STATES.map((state, code) => [state, code])) as Record<State, number>;

export interface Run {
  dag_id: string; key: string; run_id: string; type: string; by: string; state: RunState; after: number;
  logical: number | null; queued: number | null; start: number | null; end: number | null; version: string;
  note: string | null; reason: string | null; user: string | null;
}

export interface Failing {
  ti_id: string; run_key: string; dag_id: string; run_id: string; task_id: string; map_path: string; state: State;
  reason: string | null; cause: string | null; operator: string; try_number: number; max_tries: number;
  ended_at: number | null; instances: number; runs_in_row: number; since: number | null; last_success: number | null;
  where?: string | null;
}

export interface Stuck {
  ti_id: string; dag_id: string; run_id: string; task_id: string; map_path: string; state: State;
  reason: string | null; since: number | null;
}

export interface Health {
  problem: string | null;
  components: Record<string, { status: string; at: number | null; alive: number }>;
}

export interface Deadline { id: string; dag_id: string; run_id: string; task_id: string; name: string | null; state: "pending" | "met" | "missed" | "void"; due: number | null }

export interface Home {
  now: number; failing: Failing[]; waiting: Stuck[]; stuck: Stuck[]; late?: Deadline[];
  broken: { bundle: string; path: string; message: string; at: number }[];
  pulse: Record<string, number>; live: { queued: number; running: number };
  pools: { name: string; slots: number; used: number }[];
  hours: [number, number, number, number][]; dags: { all: number; paused: number }; health: Health;
}

export interface DagEntry {
  dag_id: string; name: string | null; description: string | null; paused: boolean; pause_reason: string | null;
  schedule: string; tags: string[]; owners: string[]; next: number | null; active: number; strip: string;
  seconds: (number | null)[]; median: number | null; latest: Run | null;
}

export interface DagPage {
  total: number; all: number; dags: DagEntry[];
  facets: { state: Record<string, number>; paused: { true: number; false: number }; tag: [string, number][]; owner: [string, number][] };
}

export interface ParamSpec {
  schema?: Record<string, unknown>; default?: unknown; required?: boolean; description?: string | null;
}

export interface Dag {
  dag_id: string; name: string | null; description: string | null; paused: boolean; pause_reason: string | null;
  stale: boolean; schedule: string; timezone: string; tags: string[]; owners: string[]; file: string; bundle: string;
  next: number | null; parsed: number | null; active: number; max_active_runs: number; version: string; number: number;
  tasks: number; params: Record<string, ParamSpec>; document: Record<string, unknown>; states: Record<string, number>;
  latest: Run | null; error: string | null;
}

/** [id, label, depth, kind (1: group), operator, mapped, mark] */
export type TreeRow = [string, string, number, 0 | 1, string, boolean, string];

export interface Grid {
  version: string; number: number; order: string[] | null; tree?: TreeRow[]; gone: string[]; runs: Run[];
  cells: string; more: boolean;
}

export interface Graph {
  version: string; number: number; tasks: string[]; labels: (string | null)[]; operators: string[]; group: number[];
  mapped: number[]; setups: number[]; teardowns: number[]; edges: number[]; edge_labels: [number, number, string][];
  groups: [string, string, number, boolean][];
}

export interface Table { columns: string[]; rows: unknown[][] }

export interface Task {
  ti_id: string; task_id: string; map_path: string; state: State | null; try_number: number; max_tries: number;
  scheduled_at: number | null; queued_at: number | null; started_at: number | null; ended_at: number | null;
  seconds: number | null; operator: string; reason: string | null; label: string | null; pool: string;
  dag_id?: string; run_id?: string;
}

export interface RunTasks extends Table {
  run: Run; conf: Record<string, unknown>; interval: [number | null, number | null]; bundle_version: string | null; number: number; deadlines?: Deadline[];
}

export interface Attempt {
  try_number: number; state: State | null; reason: string | null; cause: string | null; queued_at: number | null;
  started_at: number | null; ended_at: number | null; duration_seconds: number | null; hostname: string | null; pid: number | null;
}

export interface Instance {
  instance: Task & Attempt & Record<string, unknown>;
  run: { run_id: string; state: RunState; type: string; key: string };
  attempts: Attempt[]; why: string; rendered: Record<string, unknown> | null;
  xcoms: { key: string; size: number; length: number | null; shown: boolean; value: unknown; url: string | null; at: number | null }[];
  number: number; version: string; task: Record<string, unknown> | null;
  near: { before: [string, number][]; after: [string, number][] }; count: number;
}

export interface LogRange {
  there: boolean; total: number; from: number; size: number; lines: string[]; errors: number[]; open: number | null; found?: number[];
}

export interface Me { username: string; roles: string[]; is_anonymous?: boolean; permissions: Record<string, string[]>; [more: string]: unknown }

export function rowsOf(table: Table): Task[] {
  return table.rows.map((row) => Object.fromEntries(table.columns.map((name, place) => [name, row[place]])) as unknown as Task);
}
