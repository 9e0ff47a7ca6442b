import { BackfillList } from "@shared/backfills";

export function BackfillsPage() {
  return <div className="page"><BackfillList /></div>;
}
