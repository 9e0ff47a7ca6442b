// What is selected, in the address: every view of a DAG shows the same selection.
import { useMemo } from "react";
import { useSearchState } from "@shared/nav";

export interface Selection {
  run?: string;
  task?: string;
  map?: string;
  tab?: string;
  before?: string;
  set: (change: { run?: string; task?: string; map?: string; tab?: string; before?: string }) => void;
}

export function useSelection(): Selection {
  const [search, change] = useSearchState();
  return useMemo(() => ({ run: search.run, task: search.task, map: search.map, tab: search.tab, before: search.before, set: (given) => change(given) }), [search, change]);
}
