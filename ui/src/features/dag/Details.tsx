// Everything that is known of a DAG.
import type { Dag } from "@api/types";
import { Markdown } from "@shared/markdown";
import { A } from "@shared/nav";
import { Badge } from "@shared/state";
import { absolute } from "@shared/time";
import { t } from "@shared/words";

export function DetailsView({ dag }: { dag: Dag }) {
  const doc = dag.document;
  const facts: [string, React.ReactNode][] = [
    [t("Id"), <span key="id" className="mono">{dag.dag_id}</span>], [t("File"), <span key="f" className="mono">{dag.file}</span>], [t("Bundle"), dag.bundle],
    [t("Schedule"), dag.schedule || t("by hand")], [t("Time zone"), dag.timezone], [t("Next run"), dag.next ? absolute(dag.next) : "–"], [t("Catchup"), doc.catchup ? t("yes") : t("no")],
    [t("Start date"), doc.start_date ? absolute(Date.parse(String(doc.start_date))) : "–"], [t("End date"), doc.end_date ? absolute(Date.parse(String(doc.end_date))) : "–"],
    [t("Owners"), dag.owners.join(", ") || "–"], [t("Tags"), <span key="t" className="row wrap" style={{ gap: 4 }}>{dag.tags.map((tag) => <A key={tag} className="chip" to="/dags" search={{ tag }}>{tag}</A>)}</span>],
    [t("Active runs"), `${dag.active} / ${dag.max_active_runs}`], [t("Tasks at once"), String(doc.max_active_tasks ?? 16)], [t("Isolation"), String(doc.isolation ?? "fork")],
    [t("Version"), `v${dag.number}`], [t("Last parsed"), dag.parsed ? absolute(dag.parsed) : "–"], [t("Paused"), dag.paused ? (dag.pause_reason ?? t("yes")) : t("no")],
    [t("Last 50 runs"), <span key="s" className="row wrap" style={{ gap: 4 }}>{Object.entries(dag.states).map(([state, count]) => <span key={state} className="row" style={{ gap: 4 }}><Badge state={state} />{count}</span>)}</span>],
  ];
  return (
    <div className="page">
      {typeof doc.doc_md === "string" && doc.doc_md && <section className="card"><header><h2>{t("Documentation")}</h2></header><div className="body"><Markdown text={doc.doc_md} /></div></section>}
      <section className="card"><header><h2>{t("Facts")}</h2></header><div className="body"><dl className="facts">{facts.map(([name, value]) => <div key={name} style={{ display: "contents" }}><dt>{name}</dt><dd>{value}</dd></div>)}</dl></div></section>
      {Object.keys(dag.params).length > 0 && <section className="card"><header><h2>{t("Params")}</h2></header><div className="table-wrap"><table className="table"><thead><tr><th>{t("Name")}</th><th>{t("Type")}</th><th>{t("Default")}</th><th>{t("Description")}</th></tr></thead><tbody>{Object.entries(dag.params).map(([name, param]) => <tr key={name}><td className="mono">{name}</td><td className="muted">{String(param.schema?.type ?? "any")}</td><td className="mono">{JSON.stringify(param.default ?? null)}</td><td>{param.description}</td></tr>)}</tbody></table></div></section>}
      {Array.isArray(doc.warnings) && doc.warnings.length > 0 && <section className="card"><header><h2>{t("Warnings")}</h2></header><ul className="body stack">{(doc.warnings as string[]).map((each) => <li key={each}>{each}</li>)}</ul></section>}
      <details><summary className="muted small">{t("The document as stored, without tasks")}</summary><pre className="block">{JSON.stringify(doc, null, 2)}</pre></details>
    </div>
  );
}
