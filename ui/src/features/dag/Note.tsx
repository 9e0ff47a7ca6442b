import { Markdown } from "@shared/markdown";

export function Note({ note }: { note: string }) {
  return <div className="small" style={{ borderInlineStart: "3px solid var(--line-strong)", paddingInlineStart: 8, maxHeight: 90, overflow: "auto" }}><Markdown text={note} /></div>;
}
