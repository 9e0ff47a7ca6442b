// Questions that tasks ask of people, oldest first, answered in place; then backfills.
import { useQuery } from "@tanstack/react-query";
import { apiQuery, useFresh } from "@api/queries";
import { BackfillList } from "@shared/backfills";
import { InputForm, type Question } from "@shared/inputform";
import { A, taskPath } from "@shared/nav";
import { Ago } from "@shared/time";
import { Empty, Fault, Loaded } from "@shared/ui";
import { t } from "@shared/words";

interface Asked extends Question { task_instance: { dag_id: string; dag_run_id: string; task_id: string; map_index: number; id: string }; created_at?: string }

export function NeedsPage() {
  const options = apiQuery<{ hitl_details: Asked[]; total_entries: number }>("/dags/~/dagRuns/~/hitlDetails", { response_received: false, limit: 50, order_by: "created_at" });
  const found = useQuery({ ...options, ...useFresh("home", options.queryKey, 2000) });
  return (
    <div className="page">
      <h2>{t("Questions")}</h2>
      {found.error ? <Fault error={found.error} retry={() => void found.refetch()} /> : (
        <Loaded query={found} lines={4}>{(data) => data.hitl_details.length === 0 ? <Empty title={t("Nobody needs an answer")}><p>{t("Tasks that ask a person something wait here.")}</p></Empty> : (
          <div className="stack">{data.hitl_details.map((each) => {
            const { dag_id: dag, dag_run_id: run, task_id: task, map_index: index, id } = each.task_instance;
            const map = index >= 0 ? String(index) : "";
            return <div key={id} className="stack" style={{ gap: 4 }}><div className="row small"><A className="link" to={taskPath(dag, run, task, map)}>{dag} › {task}{map ? `[${map}]` : ""}</A>{each.created_at && <Ago ms={Date.parse(each.created_at)} className="faint" />}</div><InputForm dag={dag} run={run} task={task} map={map} known={each} /></div>;
          })}</div>
        )}</Loaded>
      )}
      <h2>{t("Backfills")}</h2>
      <BackfillList />
    </div>
  );
}
