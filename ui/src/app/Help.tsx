import { boundKeys } from "@shared/keys";
import { Dialog } from "@shared/ui";
import { t } from "@shared/words";

export function Help({ onClose }: { onClose: () => void }) {
  const mac = navigator.platform.startsWith("Mac");
  return (
    <Dialog title={t("Keys")} onClose={onClose} wide>
      <p className="muted">{t("What works on this page. Single keys can be switched off in your profile.")}</p>
      <dl className="facts" style={{ gridTemplateColumns: "repeat(2, max-content 1fr)" }}>
        {boundKeys().map((each) => (
          <div key={each.keys} style={{ display: "contents" }}>
            <dt>{each.keys.split("|").map((one) => <kbd key={one} style={{ marginInlineEnd: 4 }}>{one.replace("mod", mac ? "⌘" : "Ctrl").replace("arrow", "")}</kbd>)}</dt>
            <dd>{each.what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
