import { layout, type Input } from "./layout";

self.onmessage = (event: MessageEvent<{ id: number; input: Input }>) => {
  const started = performance.now();
  const made = layout(event.data.input);
  (self as unknown as { postMessage: (message: unknown) => void }).postMessage({ id: event.data.id, layout: made, milliseconds: performance.now() - started });
};
