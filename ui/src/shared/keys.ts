// Keys of the screens: single keys, and `g x` in a row. Never in fields, and not when a person switched them off.
import { useEffect, useRef } from "react";
import { prefs } from "./prefs";

type Act = (event: KeyboardEvent) => void;
export interface Bound { keys: string; what: string; act: Act }

const stack: { current: Bound[] }[] = [];
let first = "";
let firstAt = 0;

function typing(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return !!element && (element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName) || !!element.closest(".cm-editor"));
}

addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.altKey) return;
  const mod = event.ctrlKey || event.metaKey;
  const name = `${mod ? "mod+" : ""}${event.key.length === 1 && !mod ? event.key : event.key.toLowerCase()}`;
  if (!mod && (typing(event.target) || !prefs.get().keys)) return;
  if (document.querySelector("dialog[open]") && name !== "mod+k") return;
  const now = Date.now();
  const both = first && now - firstAt < 1200 ? `${first} ${name}` : "";
  for (const wanted of [both, name]) {
    if (!wanted) continue;
    for (let place = stack.length - 1; place >= 0; place -= 1) {
      const found = stack[place]?.current.find((each) => each.keys.split("|").includes(wanted));
      if (found) {
        first = "";
        event.preventDefault();
        found.act(event);
        return;
      }
    }
  }
  first = name === "g" ? "g" : "";
  firstAt = now;
});

/** Bind keys while the component is there; what was bound last is asked first. */
export function useKeys(bound: Bound[]): void {
  const latest = useRef(bound);
  latest.current = bound;
  useEffect(() => {
    stack.push(latest);
    return () => {
      stack.splice(stack.indexOf(latest), 1);
    };
  }, []);
}

/** Everything that is bound now, for the help. */
export function boundKeys(): Bound[] {
  const seen = new Set<string>();
  return stack.flatMap((each) => each.current).filter((each) => each.what && !seen.has(each.keys) && seen.add(each.keys));
}
