// One stream for all tabs of a browser: over HTTP/1.1 a stream per tab would use up the connections a browser allows.
// A tab says which topics it wants; the worker keeps one connection with all of them and passes everything on.
import { EventStream, type StreamEvent } from "./stream";

interface Tab {
  port: MessagePort;
  topics: string[];
  alive: number;
}

const tabs = new Set<Tab>();
const stream = new EventStream((event) => {
  for (const tab of tabs) tab.port.postMessage(event);
});

function settle(base: string, headers: Record<string, string>): void {
  stream.want([...new Set([...tabs].flatMap((tab) => tab.topics))], base, headers);
}

(self as unknown as { onconnect: (event: MessageEvent) => void }).onconnect = (event) => {
  const port = event.ports[0];
  if (!port) return;
  const tab: Tab = { port, topics: [], alive: Date.now() };
  tabs.add(tab);
  port.onmessage = (told: MessageEvent<{ topics?: string[]; base: string; headers: Record<string, string>; bye?: boolean }>) => {
    tab.alive = Date.now();
    if (told.data.bye) tabs.delete(tab);
    else tab.topics = told.data.topics ?? tab.topics;
    settle(told.data.base, told.data.headers);
  };
  const state: StreamEvent = { kind: "state", live: stream.live };
  port.postMessage(state);
};
