import { A } from "@shared/nav";
import { Empty } from "@shared/ui";
import { t } from "@shared/words";

export function NotFound() {
  return (
    <div className="page">
      <Empty title={t("There is no such page")}>
        <p>{t("The address may be mistyped, or the thing it names is gone.")}</p>
        <A className="btn" to="/">{t("Home")}</A>
      </Empty>
    </div>
  );
}
