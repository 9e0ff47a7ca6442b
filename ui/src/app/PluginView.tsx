import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { url } from "@api/http";
import { apiQuery } from "@api/queries";
import { Empty, Fault, Loaded } from "@shared/ui";
import { t } from "@shared/words";

/** A page of a plugin, in a frame of its own: it comes from this server and cannot reach into the app. */
export function PluginView() {
  const { name } = useParams({ strict: false }) as { name: string };
  const found = useQuery(apiQuery<{ plugins: { external_views: { name: string; href: string; url_route: string | null }[] }[] }>("/plugins", { limit: 100 }));
  if (found.error) return <div className="page"><Fault error={found.error} /></div>;
  return <Loaded query={found}>{(data) => {
    const view = data.plugins.flatMap((plugin) => plugin.external_views).find((each) => (each.url_route ?? each.name) === name);
    if (!view || !view.href.startsWith("/")) return <Empty title={t("There is no such page")} />;
    return <iframe title={view.name} src={url(view.href)} sandbox="allow-scripts allow-forms allow-popups" style={{ flex: 1, border: 0, width: "100%", minHeight: 400 }} />;
  }}</Loaded>;
}
