import { Fault } from "@shared/ui";
import { t } from "@shared/words";

/** A page that broke: the rest of the app goes on. */
export function PageFault({ error, reset }: { error: unknown; reset?: () => void }) {
  const stale = error instanceof Error && /dynamically imported module|module script/i.test(error.message);
  return (
    <div className="page">
      <Fault error={stale ? t("The app was updated meanwhile. Load the page again.") : error} what={t("This page could not be shown")} retry={stale ? () => location.reload() : reset} />
    </div>
  );
}
