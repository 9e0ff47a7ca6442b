// What a person chose on this browser.
import { useSyncExternalStore } from "react";

export interface Prefs {
  theme: "system" | "light" | "dark";
  density: "comfortable" | "compact";
  zone: string;
  language: string;
  keys: boolean;
  rail: "wide" | "narrow";
  favourites: string[];
  dismissed: string[];
  wrap: boolean;
  times: boolean;
  runs: number;
  panel: number;
  last: Record<string, unknown>;
}

const NAME = "tw:prefs";
const initial: Prefs = {
  theme: "system", density: "comfortable", zone: "local", language: "en", keys: true, rail: "wide", favourites: [],
  dismissed: [], wrap: true, times: true, runs: 25, panel: 460, last: {},
};
const watchers = new Set<() => void>();

function read(): Prefs {
  try {
    return { ...initial, ...(JSON.parse(localStorage.getItem(NAME) ?? "{}") as Partial<Prefs>) };
  } catch {
    return initial;
  }
}

let now = read();

function show(): void {
  const root = document.documentElement;
  const dark = now.theme === "dark" || (now.theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "dark" : "light";
  root.dataset.density = now.density;
}

export const prefs = {
  get: (): Prefs => now,
  set(change: Partial<Prefs>): void {
    now = { ...now, ...change };
    try {
      localStorage.setItem(NAME, JSON.stringify(now));
    } catch {
      // A full or closed store: the choice holds until the page is left.
    }
    show();
    for (const each of watchers) each();
  },
};

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  show();
  for (const each of watchers) each();
});
addEventListener("storage", (event) => {
  if (event.key === NAME) {
    now = read();
    show();
    for (const each of watchers) each();
  }
});

export function usePrefs(): Prefs {
  return useSyncExternalStore(
    (changed) => {
      watchers.add(changed);
      return () => watchers.delete(changed);
    },
    () => now,
  );
}

export function toggled(list: string[], value: string): string[] {
  return list.includes(value) ? list.filter((each) => each !== value) : [...list, value].slice(-500);
}
