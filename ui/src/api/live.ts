// News on the side of a tab: screens say what they look at and hear of it; while the stream is away everything is asked
// for again every ten seconds.
import { useEffect, useRef, useSyncExternalStore } from "react";
import { headers } from "./http";
import { EventStream, type StreamEvent } from "./stream";
import type { Run } from "./types";

/** [dag_id, run_key, run_id, task_id, map_path, state, try, start, end, queued, ti_id] */
export type TaskNews = [string, string, string, string, string, string | null, number, number | null, number | null, number | null, string];
export interface News { runs: Run[]; tasks: TaskNews[] }
type Listener = (event: StreamEvent) => void;

const topics = new Map<string, number>();
const listeners = new Set<Listener>();
const watchers = new Set<() => void>();
let live = true;
let send: ((wanted: string[]) => void) | null = null;
let since = Date.now();

function hear(event: StreamEvent): void {
  if (event.kind === "state") {
    const was = live;
    live = event.live === true;
    if (was !== live) since = Date.now();
    for (const each of watchers) each();
    if (live && !was) for (const each of listeners) each({ kind: "reset" });
    return;
  }
  for (const each of listeners) each(event);
}

function open(): void {
  if (send) return;
  const base = document.baseURI;
  if (typeof SharedWorker === "function") {
    try {
      const worker = new SharedWorker(new URL("./live.worker.ts", import.meta.url), { type: "module", name: "tradewind" });
      worker.port.onmessage = (event: MessageEvent<StreamEvent>) => hear(event.data);
      addEventListener("pagehide", () => worker.port.postMessage({ bye: true, base, headers: headers() }));
      addEventListener("pageshow", () => send?.([...topics.keys()]));
      send = (wanted) => worker.port.postMessage({ topics: wanted, base, headers: headers() });
      return;
    } catch {
      // No worker: the tab streams by itself.
    }
  }
  const stream = new EventStream(hear);
  send = (wanted) => stream.want(wanted, base, headers());
}

/** End the stream: nobody is signed in. */
export function silence(): void {
  topics.clear();
  send?.([]);
}

function want(topic: string, change: 1 | -1): void {
  const count = (topics.get(topic) ?? 0) + change;
  if (count > 0) topics.set(topic, count);
  else topics.delete(topic);
  open();
  send?.([...topics.keys()]);
}

/** Hear the news of a topic while the component is there. */
export function useNews(topic: string | null, listener: Listener): void {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => {
    if (topic === null) return;
    const each: Listener = (event) => latest.current(event);
    listeners.add(each);
    want(topic, 1);
    return () => {
      listeners.delete(each);
      want(topic, -1);
    };
  }, [topic]);
}

/** Whether the stream lives, and since when that is so. */
export function useLive(): { live: boolean; since: number } {
  const now = useSyncExternalStore(
    (changed) => {
      watchers.add(changed);
      return () => watchers.delete(changed);
    },
    () => live,
  );
  return { live: now, since };
}

/** At most one call of `act` per `ms`, the last one never lost. */
export function throttled(act: () => void, ms: number): () => void {
  let waiting: ReturnType<typeof setTimeout> | undefined;
  let last = 0;
  return () => {
    if (waiting !== undefined) return;
    const rest = Math.max(0, last + ms - Date.now());
    waiting = setTimeout(() => {
      waiting = undefined;
      last = Date.now();
      act();
    }, rest);
  };
}
