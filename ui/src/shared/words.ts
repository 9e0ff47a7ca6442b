// Words: the English sentence is the key. Another language is a table from sentences to sentences, loaded when chosen.
import { useSyncExternalStore } from "react";
import { prefs } from "./prefs";

let table: Record<string, string> = {};
let language = "en";
const watchers = new Set<() => void>();
const loaders: Record<string, () => Promise<{ default: Record<string, string> }>> = {
  de: () => import("./words.de"),
};
export const LANGUAGES: [string, string][] = [["en", "English"], ["de", "Deutsch"]];

export async function speak(wanted: string): Promise<void> {
  const load = loaders[wanted];
  table = load ? (await load()).default : {};
  language = load ? wanted : "en";
  document.documentElement.lang = language;
  for (const each of watchers) each();
}

export function t(sentence: string, values: Record<string, string | number> = {}): string {
  const said = table[sentence] ?? sentence;
  return said.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

export function plural(count: number, one: string, many: string): string {
  return `${count.toLocaleString(language)} ${t(count === 1 ? one : many)}`;
}

export function useLanguage(): string {
  return useSyncExternalStore(
    (changed) => {
      watchers.add(changed);
      return () => watchers.delete(changed);
    },
    () => language,
  );
}

if (prefs.get().language !== "en") void speak(prefs.get().language);
