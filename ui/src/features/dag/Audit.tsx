import { AuditLog } from "@shared/audit";

export function AuditView({ dag }: { dag: string }) {
  return <AuditLog dag={dag} />;
}
