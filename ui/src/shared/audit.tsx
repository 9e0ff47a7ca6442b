// The audit log as sentences: who did what, when.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { apiQuery } from "@api/queries";
import { A, dagPath, runPath } from "./nav";
import { Ago } from "./time";
import { Button, Empty, Fault, Loaded } from "./ui";
import { t } from "./words";

interface Event { event_log_id: number; when: string; dag_id: string | null; task_id: string | null; run_id: string | null; map_index: number | null; event: string; owner: string | null; extra: string | null }

export function AuditLog({ dag }: { dag?: string }) {
  const [offset, setOffset] = useState(0);
  const [event, setEvent] = useState("");
  const found = useQuery(apiQuery<{ event_logs: Event[]; total_entries: number }>("/eventLogs", { dag_id: dag, event: event || undefined, limit: 50, offset, order_by: "-when" }));
  return (
    <div className="page">
      <div className="row"><input data-filter type="search" className="input" style={{ maxWidth: 240 }} aria-label={t("Event")} placeholder={t("Event, for example trigger")} onChange={(change) => { setEvent(change.target.value); setOffset(0); }} /></div>
      {found.error ? <Fault error={found.error} retry={() => void found.refetch()} /> : (
        <Loaded query={found}>{(data) => data.event_logs.length === 0 ? <Empty title={t("Nothing was written down")}><p>{t("What people change stands here.")}</p></Empty> : (
          <>
            <div className="card table-wrap"><table className="table"><thead><tr><th>{t("When")}</th><th>{t("Who did what")}</th><th>{t("Details")}</th></tr></thead>
              <tbody>{data.event_logs.map((each) => (
                <tr key={each.event_log_id}><td className="nowrap"><Ago ms={Date.parse(each.when)} /></td>
                  <td><strong>{each.owner ?? t("somebody")}</strong> <span className="muted">{each.event.replaceAll("_", " ").replaceAll(".", " ")}</span> {each.dag_id && <A className="link" to={dagPath(each.dag_id)}>{each.dag_id}</A>}{each.dag_id && each.run_id && <> › <A className="link" to={runPath(each.dag_id, each.run_id)}>{each.run_id}</A></>}{each.task_id && <> › {each.task_id}</>}</td>
                  <td className="mono small clip" style={{ maxWidth: 380 }} title={each.extra ?? ""}>{each.extra}</td></tr>
              ))}</tbody></table></div>
            <div className="row"><Button kind="tiny" disabled={offset === 0} onClick={() => setOffset(Math.max(0, offset - 50))}>{t("Newer")}</Button><span className="small faint">{offset + 1}–{offset + data.event_logs.length} / {data.total_entries}</span><Button kind="tiny" disabled={offset + 50 >= data.total_entries} onClick={() => setOffset(offset + 50)}>{t("Older")}</Button></div>
          </>
        )}</Loaded>
      )}
    </div>
  );
}
