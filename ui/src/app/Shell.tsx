// The frame around every page: rail, top bar, banners, palette and help.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Outlet, useRouterState } from "@tanstack/react-router";
import { Bell, ChartGantt, CircleUser, Database, House, ListChecks, Moon, PanelLeft, Play, Puzzle, Search, Settings2, Sun, Workflow, MessageCircleQuestionMark } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { call, keepToken, onSignedOut } from "@api/http";
import { silence, useLive } from "@api/live";
import { apiQuery, homeQuery, meQuery, refresh, useFresh } from "@api/queries";
import { Crumbs } from "./Crumbs";
import { useKeys } from "@shared/keys";
import { A, useGo, usePath } from "@shared/nav";
import { prefs, usePrefs } from "@shared/prefs";
import { hm } from "@shared/time";
import { Button, Menu, Skeleton, tell, Toasts } from "@shared/ui";
import { t, useLanguage } from "@shared/words";

const Palette = lazy(() => import("./Palette").then((all) => ({ default: all.Palette })));
interface View { name: string; href: string; destination: string; url_route: string | null }

/** Views that plugins add to the rail: inside the app where they are ours, in a new tab where they are another host's. */
function PluginPlaces({ path }: { path: string }) {
  const found = useQuery({ ...apiQuery<{ plugins: { external_views: View[] }[] }>("/plugins", { limit: 100 }), staleTime: 600_000, retry: false });
  const views = (found.data?.plugins ?? []).flatMap((plugin) => plugin.external_views).filter((view) => view.destination === "nav");
  return views.map((view) => {
    const own = view.href.startsWith("/");
    const to = `/plugin/${encodeURIComponent(view.url_route ?? view.name)}`;
    return own ? <A key={view.name} className="item" to={to} aria-current={path === to ? "page" : undefined}><Puzzle aria-hidden /><span>{view.name}</span></A>
      : /^https?:/.test(view.href) ? <a key={view.name} className="item" href={view.href} target="_blank" rel="noopener noreferrer"><Puzzle aria-hidden /><span>{view.name}</span></a> : null;
  });
}

const Help = lazy(() => import("./Help").then((all) => ({ default: all.Help })));

export const PLACES: { to: string; name: string; icon: typeof House; keys: string; count?: "failing" | "live" | "waiting" }[] = [
  { to: "/", name: "Home", icon: House, keys: "g h", count: "failing" },
  { to: "/dags", name: "DAGs", icon: Workflow, keys: "g d" },
  { to: "/runs", name: "Runs", icon: Play, keys: "g r", count: "live" },
  { to: "/tasks", name: "Tasks", icon: ListChecks, keys: "g t" },
  { to: "/timeline", name: "Timeline", icon: ChartGantt, keys: "g l" },
  { to: "/assets", name: "Assets", icon: Database, keys: "g a" },
  { to: "/needs-input", name: "Needs you", icon: MessageCircleQuestionMark, keys: "g n", count: "waiting" },
  { to: "/admin", name: "Admin", icon: Settings2, keys: "g s" },
];

export function Shell() {
  const language = useLanguage();
  const path = usePath();
  const go = useGo();
  const client = useQueryClient();
  const bare = path.endsWith("/login");
  useEffect(() => onSignedOut(() => {
    if (location.pathname.endsWith("/login")) return;
    keepToken(null);
    silence();
    go("/login", { next: location.pathname + location.search }, true);
  }), [go]);
  if (bare) return <><Suspense fallback={null}><Outlet /></Suspense><Toasts /></>;
  // Words are looked up while drawing: another language draws everything anew.
  return <Frame key={language} signOut={() => {
    void call("POST", "/auth/logout", {}, { quiet: true }).catch(() => undefined).then(() => {
      keepToken(null);
      silence();
      client.clear();
      go("/login", undefined, true);
    });
  }} />;
}

function Frame({ signOut }: { signOut: () => void }) {
  const chosen = usePrefs();
  const go = useGo();
  const path = usePath();
  const [open, setOpen] = useState<"palette" | "help" | null>(null);
  const me = useQuery(meQuery());
  const fresh = useFresh(me.data ? "home" : null, homeQuery().queryKey, 2000);
  const home = useQuery({ ...homeQuery(), enabled: !!me.data, ...fresh });
  const busy = useRouterState({ select: (state) => state.isLoading });
  useKeys([
    ...PLACES.map((place) => ({ keys: place.keys, what: t(place.name), act: () => go(place.to) })),
    { keys: "mod+k", what: t("Search and acts"), act: () => setOpen("palette") },
    { keys: "?", what: t("Keys"), act: () => setOpen("help") },
    { keys: "/", what: t("Filter"), act: () => (document.querySelector<HTMLInputElement>("[data-filter]") ?? { focus: () => setOpen("palette") }).focus() },
  ]);
  const counts = {
    failing: home.data?.failing.length ?? 0,
    live: (home.data?.live.running ?? 0) + (home.data?.live.queued ?? 0),
    waiting: home.data?.waiting.length ?? 0,
  };
  const dark = document.documentElement.dataset.theme === "dark";
  const ill = home.data ? Object.entries(home.data.health.components).filter(([kind, found]) => found.status !== "healthy" && (found.at !== null || kind !== "triggerer")) : [];
  return (
    <div className="shell" data-rail={chosen.rail}>
      <a className="sr" href="#main">{t("To the content")}</a>
      <nav className="rail" aria-label={t("Places")}>
        <A className="brand" to="/" aria-label="Tradewind"><img src={new URL("favicon.svg", document.baseURI).toString()} alt="" width={22} height={22} /><span>Tradewind</span></A>
        {PLACES.map((place) => {
          const here = place.to === "/" ? path === "/" || path === "" : path.startsWith(place.to);
          const count = place.count ? counts[place.count] : 0;
          return (
            <A key={place.to} className="item" to={place.to} aria-current={here ? "page" : undefined} title={`${t(place.name)} (${place.keys})`}>
              <place.icon aria-hidden /><span>{t(place.name)}</span>
              {count > 0 && <span className={`count ${place.count === "failing" ? "bad" : place.count === "waiting" ? "ask" : ""}`}>{count}</span>}
            </A>
          );
        })}
        <PluginPlaces path={path} />
        <div className="foot">
          <button type="button" className="btn quiet icon" aria-label={t("Narrow or wide rail")} onClick={() => prefs.set({ rail: chosen.rail === "wide" ? "narrow" : "wide" })}><PanelLeft /></button>
        </div>
      </nav>
      <header className="top">
        <Crumbs />
        <span className="grow" />
        <button type="button" className="searchbox" onClick={() => setOpen("palette")} aria-label={t("Search and acts")}><Search size={14} /><span className="grow" style={{ textAlign: "start" }}>{t("Search")}</span><kbd>{navigator.platform.startsWith("Mac") ? "⌘" : "Ctrl"} K</kbd></button>
        <HealthMark problem={home.data?.health.problem ?? null} ill={ill.map(([kind]) => kind)} known={!!home.data} />
        <Button kind="quiet icon" aria-label={dark ? t("Light theme") : t("Dark theme")} title={dark ? t("Light theme") : t("Dark theme")} onClick={() => prefs.set({ theme: dark ? "light" : "dark" })}>{dark ? <Sun /> : <Moon />}</Button>
        <Menu label={t("You")} icon={<CircleUser />}>
          {(close) => (
            <>
              <div className="small faint" style={{ padding: "4px 10px" }}>{me.data?.username} · {me.data?.roles.join(", ")}</div>
              <button type="button" role="menuitem" onClick={() => { close(); go("/profile"); }}>{t("Profile and preferences")}</button>
              <button type="button" role="menuitem" onClick={() => { close(); setOpen("help"); }}>{t("Keys")}</button>
              <hr />
              <button type="button" role="menuitem" onClick={() => { close(); signOut(); }}>{t("Sign out")}</button>
            </>
          )}
        </Menu>
      </header>
      <main className="main" id="main" tabIndex={-1}>
        {busy && <div className="thin-load" />}
        <Stale />
        {me.data ? <Suspense fallback={<Skeleton />}><Outlet /></Suspense> : <Skeleton />}
      </main>
      <Toasts />
      <Suspense fallback={null}>
        {open === "palette" && <Palette onClose={() => setOpen(null)} />}
        {open === "help" && <Help onClose={() => setOpen(null)} />}
      </Suspense>
    </div>
  );
}

function HealthMark({ problem, ill, known }: { problem: string | null; ill: string[]; known: boolean }) {
  const go = useGo();
  if (!known) return null;
  const good = !problem && ill.length === 0;
  const text = problem ?? (good ? t("All components are healthy") : t("Not healthy: {names}", { names: ill.join(", ") }));
  return <Button kind="quiet tiny hide-narrow" title={text} onClick={() => go("/admin/components")}><i className={`dot st-${good ? "success" : "failed"}`} />{good ? t("Healthy") : t("{count} unhealthy", { count: problem ? 1 : ill.length })}</Button>;
}

/** Said when the stream is away for longer than a restart takes. */
function Stale() {
  const { live, since } = useLive();
  const client = useQueryClient();
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (live) {
      setShown((before) => {
        if (before) tell(t("Connected again"), "good");
        return false;
      });
      return;
    }
    const timer = setTimeout(() => setShown(true), 3000);
    return () => clearTimeout(timer);
  }, [live]);
  if (!shown) return null;
  return <div className="bar row" role="status"><Bell size={14} />{t("No live news since {time}; what you see is read again every 10 seconds.", { time: hm(since) })}<Button kind="tiny" onClick={() => refresh(client)}>{t("Read again")}</Button></div>;
}
