// The code of a version, and what changed between two. The editor is loaded when it is first needed.
import { python } from "@codemirror/lang-python";
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { MergeView, unifiedMergeView } from "@codemirror/merge";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { codeQuery, versionsQuery } from "@api/queries";
import { useSearchState } from "@shared/nav";
import { usePrefs } from "@shared/prefs";
import { Ago } from "@shared/time";
import { CopyButton, Loaded } from "@shared/ui";
import { t } from "@shared/words";

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.controlKeyword, tags.definitionKeyword], color: "var(--deferred-ink)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--success-ink)" },
  { tag: [tags.comment, tags.docString], color: "var(--fg-3)", fontStyle: "italic" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--upstream_failed-ink)" },
  { tag: [tags.function(tags.variableName), tags.function(tags.definition(tags.variableName)), tags.className], color: "var(--running-ink)" },
  { tag: [tags.meta, tags.modifier], color: "var(--awaiting_input-ink)" },
]);
const look = EditorView.theme({
  "&": { height: "100%", fontSize: "12.5px", backgroundColor: "var(--surface)", color: "var(--fg)" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "18px" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--fg-3)", border: "0" },
  ".cm-activeLine, .cm-found": { backgroundColor: "var(--selected)" },
  "&.cm-focused": { outline: "none" },
  ".cm-changedLine, .cm-inlineChangedLine": { backgroundColor: "var(--success-tint) !important" },
  ".cm-deletedChunk, .cm-deletedLine": { backgroundColor: "var(--failed-tint) !important" },
  ".cm-changedText": { background: "color-mix(in srgb, var(--success-fill) 35%, transparent) !important" },
  ".cm-deletedText": { background: "color-mix(in srgb, var(--failed-fill) 25%, transparent) !important" },
  ".cm-panels": { backgroundColor: "var(--raised)", color: "var(--fg)" },
});

function base(wrap: boolean): Extension[] {
  const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
  return [EditorView.cspNonce.of(nonce), lineNumbers(), python(), syntaxHighlighting(colours), look, EditorState.readOnly.of(true), EditorView.contentAttributes.of({ tabindex: "0", "aria-label": t("Code of the DAG file") }), search({ top: true }), highlightSelectionMatches(), keymap.of(searchKeymap), ...(wrap ? [EditorView.lineWrapping] : [])];
}

/** Where the function of a task begins, as far as it can be told from the text. */
export function lineOf(source: string, task: string): number {
  const name = (task.split(".").at(-1) ?? task).replace(/__\d+$/, "").replace(/[^\w]/g, "");
  const lines = source.split("\n");
  const quoted = lines.findIndex((line) => new RegExp(`task_id\\s*=\\s*["']${name}["']`).test(line));
  if (quoted >= 0) return quoted + 1;
  return lines.findIndex((line) => new RegExp(`^\\s*(async\\s+)?def\\s+${name}\\b`).test(line)) + 1;
}

function Editor({ text, line, before, wrap }: { text: string; line?: number; before?: string; wrap: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const parent = box.current;
    if (!parent) return;
    const side = before !== undefined && parent.clientWidth > 1000;
    let destroy: () => void;
    if (side) {
      const merge = new MergeView({ a: { doc: before, extensions: base(wrap) }, b: { doc: text, extensions: base(wrap) }, parent, collapseUnchanged: { margin: 4, minSize: 6 }, gutter: true });
      merge.dom.style.height = "100%";
      merge.dom.style.overflow = "auto";
      destroy = () => merge.destroy();
    } else {
      const view = new EditorView({ state: EditorState.create({ doc: text, extensions: [...base(wrap), ...(before === undefined ? [] : [unifiedMergeView({ original: before, mergeControls: false, collapseUnchanged: { margin: 4, minSize: 6 } })])] }), parent });
      if (line && line <= view.state.doc.lines) {
        const at = view.state.doc.line(line);
        view.dispatch({ selection: { anchor: at.from, head: at.to }, effects: EditorView.scrollIntoView(at.from, { y: "center" }) });
      }
      destroy = () => view.destroy();
    }
    return () => destroy();
  }, [text, line, before, wrap]);
  return <div ref={box} style={{ flex: 1, minHeight: 0, overflow: "hidden", background: "var(--surface)" }} />;
}

export function CodeView({ dag, number, find }: { dag: string; number?: number; find?: string }) {
  const { wrap } = usePrefs();
  const found = useQuery(codeQuery(dag, number));
  return <Loaded query={found}>{(data) => <Editor text={data.source} line={find ? lineOf(data.source, find) : undefined} wrap={wrap} />}</Loaded>;
}

export function VersionsView({ dag }: { dag: string }) {
  const { wrap } = usePrefs();
  const [searched, change] = useSearchState();
  const versions = useQuery(versionsQuery(dag));
  const number = searched.version ? Number(searched.version) : versions.data?.versions[0]?.number;
  const against = searched.diff ? Number(searched.diff) : undefined;
  const code = useQuery({ ...codeQuery(dag, number), enabled: number !== undefined });
  const other = useQuery({ ...codeQuery(dag, against), enabled: against !== undefined });
  const [copied] = useState(t("Copy the code"));
  return (
    <div style={{ flex: 1, display: "flex", flexDirection: "column", minWidth: 0 }}>
      <Loaded query={versions}>{(data) => (
        <div className="toolbar">
          <label className="small" htmlFor="version">{t("Version")}</label>
          <select id="version" className="input" value={number} onChange={(event) => change({ version: event.target.value })}>{data.versions.map((each) => <option key={each.number} value={each.number}>v{each.number} · {new Date(each.at).toLocaleString()}</option>)}</select>
          <label className="small" htmlFor="against">{t("compared with")}</label>
          <select id="against" className="input" value={against ?? ""} onChange={(event) => change({ diff: event.target.value || undefined })}><option value="">{t("nothing")}</option>{data.versions.filter((each) => each.number !== number).map((each) => <option key={each.number} value={each.number}>v{each.number}</option>)}</select>
          <span className="grow" />
          {code.data && <span className="small muted mono">{code.data.file}</span>}
          {code.data && <span className="small faint">{t("seen")} <Ago ms={code.data.at} /></span>}
          {code.data && <CopyButton text={code.data.source} label={copied} />}
        </div>
      )}</Loaded>
      <Loaded query={code}>{(data) => <Editor text={data.source} before={against === undefined ? undefined : other.data?.source} wrap={wrap} />}</Loaded>
    </div>
  );
}
