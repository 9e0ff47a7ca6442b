// What administrators look after; one list of parts, each a page.
import { useParams } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { A } from "@shared/nav";
import { Empty, Skeleton } from "@shared/ui";
import { t } from "@shared/words";
import { AuditLog } from "@shared/audit";
import { Components, ImportErrors } from "./Running";
import { Connections, Pools, Variables } from "./Stored";

const People = lazy(() => import("./People"));
const System = lazy(() => import("./System"));

const PARTS: [string, string][] = [["connections", "Connections"], ["variables", "Variables"], ["pools", "Pools"], ["users", "Users"], ["roles", "Roles"], ["tokens", "Tokens"], ["import-errors", "Import errors"], ["components", "Components"], ["audit", "Audit log"], ["config", "Configuration"], ["plugins", "Plugins"], ["providers", "Providers"]];

export function AdminPage() {
  const { part } = useParams({ strict: false }) as { part?: string };
  const now = part ?? "connections";
  return (
    <div className="page fill">
      <nav className="tabs" aria-label={t("Admin")}>{PARTS.map(([name, word]) => <A key={name} to={`/admin/${name}`} aria-current={name === now ? "page" : undefined}>{t(word)}</A>)}</nav>
      <div style={{ overflow: "auto", flex: 1 }}>
        <Suspense fallback={<Skeleton />}>
          {now === "connections" ? <Connections /> : now === "variables" ? <Variables /> : now === "pools" ? <Pools /> : now === "import-errors" ? <ImportErrors /> : now === "components" ? <Components /> : now === "audit" ? <AuditLog />
            : now === "users" || now === "roles" || now === "tokens" ? <People part={now} /> : now === "config" || now === "plugins" || now === "providers" ? <System part={now} /> : <Empty title={t("There is no such page")} />}
        </Suspense>
      </div>
    </div>
  );
}
