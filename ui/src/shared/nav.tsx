// Going somewhere: links that are real links, and the search part of the address as the state of a screen.
import { useRouter, useRouterState } from "@tanstack/react-router";
import { useCallback, useMemo, type AnchorHTMLAttributes, type MouseEvent } from "react";
import { at } from "@api/http";

export const BASE = new URL(document.baseURI).pathname.replace(/\/$/, "");
export type Search = Record<string, string | undefined>;

export function withSearch(path: string, search?: Search): string {
  const given = new URLSearchParams(Object.entries(search ?? {}).filter((pair): pair is [string, string] => !!pair[1])).toString();
  return given ? `${path}?${given}` : path;
}

export function useGo(): (path: string, search?: Search, replace?: boolean) => void {
  const router = useRouter();
  return useCallback(
    (path, search, replace) => {
      const href = BASE + withSearch(path, search);
      if (replace) router.history.replace(href);
      else router.history.push(href);
    },
    [router],
  );
}

/** A link inside the app. */
export function A({ to, search, onClick, replace, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { to: string; search?: Search; replace?: boolean }) {
  const go = useGo();
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to, search, replace);
  };
  return <a {...rest} href={BASE + withSearch(to, search)} onClick={follow} />;
}

export function usePath(): string {
  return useRouterState({ select: (state) => state.location.pathname });
}

/** The search part of the address, and how to change a few of its values. */
export function useSearchState(): [Search, (change: Search, push?: boolean) => void] {
  const router = useRouter();
  const text = useRouterState({ select: (state) => state.location.searchStr });
  const search = useMemo(() => Object.fromEntries(new URLSearchParams(text)) as Search, [text]);
  const change = useCallback(
    (given: Search, push = false) => {
      const now = Object.fromEntries(new URLSearchParams(router.state.location.searchStr)) as Search;
      const href = BASE + withSearch(router.state.location.pathname.slice(0), { ...now, ...given });
      const clean = router.state.location.pathname.startsWith(BASE) && BASE ? href.slice(BASE.length) : href;
      if (push) router.history.push(clean);
      else router.history.replace(clean);
    },
    [router],
  );
  return [search, change];
}

export const dagPath = (dag: string, view?: string): string => `/dags/${at(dag)}${view ? `/${view}` : ""}`;
export const runPath = (dag: string, run: string, tab?: string): string => `/dags/${at(dag)}/runs/${at(run)}${tab ? `/${tab}` : ""}`;
export const taskPath = (dag: string, run: string, task: string, map = ""): string =>
  `/dags/${at(dag)}/runs/${at(run)}/tasks/${at(task)}${map ? `/${at(map)}` : ""}`;
