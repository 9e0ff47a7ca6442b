// The tasks of a DAG as they are written.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { graphQuery } from "@api/queries";
import { A } from "@shared/nav";
import { Loaded } from "@shared/ui";
import { t } from "@shared/words";

export function TasksView({ dag }: { dag: string }) {
  const found = useQuery(graphQuery(dag));
  const [text, setText] = useState("");
  return <Loaded query={found}>{(data) => <Shown {...{ dag, data, text, setText }} />}</Loaded>;
}

function Shown({ dag, data, text, setText }: { dag: string; data: import("@api/types").Graph; text: string; setText: (text: string) => void }) {
  const { ups, downs } = useMemo(() => {
    const before = data.tasks.map(() => [] as number[]);
    const after = data.tasks.map(() => [] as number[]);
    for (let at = 0; at < data.edges.length; at += 2) {
      before[data.edges[at + 1] as number]?.push(data.edges[at] as number);
      after[data.edges[at] as number]?.push(data.edges[at + 1] as number);
    }
    return { ups: before, downs: after };
  }, [data]);
  const rows = data.tasks.map((id, place) => ({ id, place })).filter((each) => each.id.toLowerCase().includes(text.toLowerCase()));
  return (
    <div style={{ flex: 1, display: "flex", flexDirection: "column", minWidth: 0 }}>
      <div className="toolbar"><input data-filter type="search" className="input" placeholder={t("Filter tasks")} aria-label={t("Filter tasks")} value={text} onChange={(event) => setText(event.target.value)} /><span className="grow" /><span className="small faint">{rows.length} / {data.tasks.length}</span></div>
      <div className="table-wrap" style={{ flex: 1, background: "var(--surface)" }}><table className="table">
        <thead><tr><th>{t("Task")}</th><th>{t("Operator")}</th><th>{t("After")}</th><th>{t("Before")}</th></tr></thead>
        <tbody>{rows.slice(0, 3000).map(({ id, place }) => (
          <tr key={id} style={{ contentVisibility: "auto" }}><td><A className="name" style={{ fontWeight: 500 }} to={`/dags/${encodeURIComponent(dag)}/tasks/${encodeURIComponent(id)}`}>{data.labels[place] ?? id}</A>{data.mapped.includes(place) && <span className="chip" style={{ marginInlineStart: 6 }}>{t("mapped")}</span>}{data.setups.includes(place) && <span className="chip" style={{ marginInlineStart: 6 }}>{t("setup")}</span>}{data.teardowns.includes(place) && <span className="chip" style={{ marginInlineStart: 6 }}>{t("teardown")}</span>}</td>
            <td className="muted">{data.operators[place]}</td><td className="small muted">{names(data.tasks, ups[place])}</td><td className="small muted">{names(data.tasks, downs[place])}</td></tr>
        ))}</tbody>
      </table></div>
    </div>
  );
}

function names(tasks: string[], places: number[] | undefined): string {
  const all = places ?? [];
  return all.slice(0, 4).map((place) => tasks[place]).join(", ") + (all.length > 4 ? ` +${all.length - 4}` : "");
}
