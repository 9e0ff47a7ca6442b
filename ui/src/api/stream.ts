// The event stream itself: read with fetch, so that it carries the session's proof; connects again by itself.

export interface StreamEvent {
  kind: "news" | "reset" | "log" | "state";
  data?: unknown;
  live?: boolean;
}

const SILENCE_MS = 40_000;

export class EventStream {
  live = false;
  private topics = "";
  private base = "";
  private headers: Record<string, string> = {};
  private last: string | null = null;
  private control: AbortController | null = null;
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly tell: (event: StreamEvent) => void) {}

  /** What is wanted now; no topics end the stream. */
  want(topics: string[], base: string, headers: Record<string, string>): void {
    const wanted = [...topics].sort().join(",");
    const same = wanted === this.topics && headers.Authorization === this.headers.Authorization;
    this.base = base;
    this.headers = headers;
    if (same && (this.control !== null || wanted === "")) return;
    this.topics = wanted;
    clearTimeout(this.timer);
    // Screens change their topics in bursts while one is left and the next is opened.
    this.timer = setTimeout(() => void this.connect(), 30);
  }

  private async connect(): Promise<void> {
    this.control?.abort();
    if (this.topics === "") {
      this.control = null;
      return;
    }
    const control = new AbortController();
    this.control = control;
    try {
      const given: Record<string, string> = { ...this.headers, Accept: "text/event-stream" };
      if (this.last) given["Last-Event-ID"] = this.last;
      const address = new URL(`ui/stream?topics=${encodeURIComponent(this.topics)}`, this.base);
      const response = await fetch(address, { headers: given, signal: control.signal, credentials: "same-origin" });
      if (!response.ok || !response.body) throw new Error(String(response.status));
      this.become(true);
      this.failures = 0;
      await this.read(response.body, control);
    } catch {
      // Gone or refused: said below.
    }
    if (this.control !== control) return;
    this.become(false);
    this.failures += 1;
    this.timer = setTimeout(() => void this.connect(), Math.min(10_000, 500 * 2 ** Math.min(this.failures, 5)));
  }

  private async read(body: ReadableStream<Uint8Array>, control: AbortController): Promise<void> {
    const reader = body.pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>).getReader();
    let rest = "";
    for (;;) {
      const watch = setTimeout(() => control.abort(), SILENCE_MS);
      const { done, value } = await reader.read().finally(() => clearTimeout(watch));
      if (done) return;
      const parts = (rest + value).split("\n\n");
      rest = parts.pop() ?? "";
      for (const part of parts) this.take(part);
    }
  }

  private take(text: string): void {
    let kind = "";
    let data = "";
    for (const line of text.split("\n")) {
      if (line.startsWith("id: ")) this.last = line.slice(4);
      else if (line.startsWith("event: ")) kind = line.slice(7);
      else if (line.startsWith("data: ")) data += line.slice(6);
    }
    if (kind === "news" || kind === "reset" || kind === "log") this.tell({ kind, data: data ? JSON.parse(data) : null });
  }

  private become(live: boolean): void {
    if (this.live !== live) {
      const back = live;
      this.live = live;
      this.tell({ kind: "state", live });
      if (back && this.last === null) this.tell({ kind: "reset" });
    }
  }
}
