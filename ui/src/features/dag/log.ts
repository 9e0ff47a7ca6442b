// A log as lines by number: pages are read as they come into sight, in the order they were written.
import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from "react";
import { at, get, query } from "@api/http";
import { throttled, useNews } from "@api/live";
import type { LogRange } from "@api/types";

export interface Frame { file: string; line: number; function: string; text?: string }
export interface Raised { type: string; message: string; frames: Frame[]; relation?: string; notes?: string[] }
export interface Line { number: number; at: number | null; level: string; source: string; name: string; text: string; raised: Raised[] | null }

export function parseLine(raw: string, number: number): Line {
  try {
    const told = JSON.parse(raw) as { t?: string; l?: string; s?: string; n?: string; m?: string; e?: Raised[] };
    const when = told.t ? Date.parse(told.t) : Number.NaN;
    return { number, at: Number.isNaN(when) ? null : when, level: told.l ?? "info", source: told.s ?? "", name: told.n ?? "", text: told.m ?? "", raised: told.e ?? null };
  } catch {
    return { number, at: null, level: "info", source: "", name: "", text: raw, raised: null };
  }
}

/** Whether a frame is the author's own: not of a library, not of ours. */
export function isOwn(frame: Frame): boolean {
  return !/(site-packages|dist-packages|\/lib\/python3|\/tradewind\/(sdk|runtime|standard)\/|<frozen)/.test(frame.file);
}

const PAGE = 500;

export interface Log {
  ready: boolean;
  there: boolean;
  total: number;
  errors: number[];
  open: number | null;
  found: number[];
  fault: unknown;
  line: (number: number) => Line | undefined;
  want: (first: number, last: number) => void;
  search: (text: string) => Promise<number[]>;
  all: () => Promise<void>;
  complete: boolean;
}

export function useLog(where: { dag: string; run: string; task: string; map: string; tiId: string; number: number; running: boolean }, start: number | null): Log {
  const { dag, run, task, map, tiId, number, running } = where;
  const lines = useRef(new Map<number, Line>());
  const asked = useRef(new Set<number>());
  const [, redraw] = useReducer((value: number) => value + 1, 0);
  const [head, setHead] = useState<LogRange | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  const path = `/ui/dags/${at(dag)}/runs/${at(run)}/tasks/${at(task)}/log/${number}`;
  const life = useRef(0);
  const take = useCallback((range: LogRange) => {
    range.lines.forEach((raw, offset) => lines.current.set(range.from + offset, parseLine(raw, range.from + offset)));
    setHead((before) => (before && before.total > range.total ? before : range));
    redraw();
  }, []);
  const read = useCallback(
    async (from: number | undefined, count = PAGE) => {
      const mine = life.current;
      try {
        const range = await get<LogRange>(`${path}${query({ map, from, count })}`);
        if (mine === life.current) take(range);
        setFault(null);
      } catch (error) {
        if (mine === life.current) setFault(error);
      }
    },
    [path, map, take],
  );
  useEffect(() => {
    life.current += 1;
    lines.current = new Map();
    asked.current = new Set();
    setHead(null);
    void read(start === null ? undefined : Math.max(0, start - PAGE / 2));
    // The line of the address matters when the log is opened only.
    // oxlint-disable-next-line react/exhaustive-deps
  }, [read]);
  const total = head?.total ?? 0;
  const known = useRef(0);
  known.current = total;
  const tail = useMemo(() => throttled(() => void read(known.current, 2000), 250), [read]);
  useNews(running ? `log:${tiId}:${number}` : null, (event) => {
    if (event.kind === "reset" || (event.kind === "log" && (event.data as { topic: string }).topic === `log:${tiId}:${number}`)) tail();
  });
  const was = useRef(running);
  useEffect(() => {
    // The last lines come with the end.
    if (was.current && !running) tail();
    was.current = running;
  }, [running, tail]);
  const want = useCallback(
    (first: number, last: number) => {
      for (let page = Math.floor(first / PAGE); page <= Math.floor(last / PAGE); page += 1) {
        if (asked.current.has(page)) continue;
        const from = page * PAGE;
        const end = Math.min(known.current, from + PAGE);
        let missing = false;
        for (let each = from; each < end && !missing; each += 1) missing = !lines.current.has(each);
        if (!missing) continue;
        asked.current.add(page);
        void read(from).finally(() => asked.current.delete(page));
      }
    },
    [read],
  );
  const search = useCallback(async (text: string) => (await get<LogRange>(`${path}${query({ map, from: 0, count: 1, q: text })}`)).found ?? [], [path, map]);
  const all = useCallback(async () => {
    for (let from = 0; from < Math.min(known.current, 50_000); from += 2000) if (!lines.current.has(from) || !lines.current.has(Math.min(known.current - 1, from + 1999))) await read(from, 2000);
  }, [read]);
  return { ready: head !== null, there: head?.there ?? false, total, errors: head?.errors ?? [], open: head?.open ?? null, found: [], fault, line: (place) => lines.current.get(place), want, search, all, complete: lines.current.size >= total };
}
