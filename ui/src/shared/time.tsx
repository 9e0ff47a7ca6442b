// Instants and durations for people. Relative times carry the absolute one.
import { useSyncExternalStore } from "react";
import { prefs } from "./prefs";
import { t } from "./words";

let tick = Date.now();
const watchers = new Set<() => void>();
setInterval(() => {
  if (document.hidden) return;
  tick = Date.now();
  for (const each of watchers) each();
}, 5000);

export function useNow(): number {
  return useSyncExternalStore(
    (changed) => {
      watchers.add(changed);
      return () => watchers.delete(changed);
    },
    () => tick,
  );
}

function zone(): string | undefined {
  const chosen = prefs.get().zone;
  return chosen === "local" ? undefined : chosen;
}

const formats = new Map<string, Intl.DateTimeFormat>();
function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify(options) + (zone() ?? "");
  let found = formats.get(key);
  if (!found) formats.set(key, (found = new Intl.DateTimeFormat("en-GB", { timeZone: zone(), ...options })));
  return found;
}

export function absolute(ms: number): string {
  return format({ year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" }).format(ms);
}
export function clock(ms: number): string {
  return format({ hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(ms);
}
export function clockMs(ms: number): string {
  return format({ hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 }).format(ms);
}
export function hm(ms: number): string {
  return format({ hour: "2-digit", minute: "2-digit" }).format(ms);
}
export function day(ms: number): string {
  return format({ day: "numeric", month: "short" }).format(ms);
}
export function isoDay(ms: number): string {
  const parts = format({ year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(ms);
  const of = (kind: string) => parts.find((part) => part.type === kind)?.value ?? "";
  return `${of("year")}-${of("month")}-${of("day")}`;
}

export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 0.0995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
  return `${Math.floor(whole / 86_400)} d ${two(Math.floor((whole % 86_400) / 3600))} h`;
}

export function relative(ms: number, now = Date.now()): string {
  const seconds = Math.round((now - ms) / 1000);
  const far = Math.abs(seconds);
  const text = far < 5 ? "" : far < 60 ? `${far} s` : far < 3600 ? `${Math.round(far / 60)} min` : far < 172_800 ? `${Math.round(far / 3600)} h` : `${Math.round(far / 86_400)} d`;
  if (!text) return t("now");
  return seconds >= 0 ? t("{time} ago", { time: text }) : t("in {time}", { time: text });
}

export function Ago({ ms, className }: { ms: number | null | undefined; className?: string }) {
  const now = useNow();
  if (ms === null || ms === undefined) return <span className="faint">–</span>;
  return <time className={className} dateTime={new Date(ms).toISOString()} title={absolute(ms)}>{relative(ms, now)}</time>;
}

/** Time that goes on while something runs. */
export function Lasting({ start, end }: { start: number | null; end: number | null }) {
  const now = useNow();
  if (start === null) return null;
  return <>{duration(((end ?? Math.max(now, start)) - start) / 1000)}</>;
}
