import type { Dag } from "@api/types";
import { BackfillForm, BackfillList } from "@shared/backfills";

export function BackfillsView({ dag }: { dag: Dag }) {
  return <div className="page"><BackfillForm dag={dag} /><BackfillList dag={dag.dag_id} /></div>;
}
