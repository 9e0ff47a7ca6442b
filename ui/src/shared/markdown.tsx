// Markdown, sanitised, without images of other hosts; the parser is loaded when there is something to show.
import { useEffect, useState } from "react";

let load: Promise<(text: string) => string> | null = null;
function renderer(): Promise<(text: string) => string> {
  load ??= Promise.all([import("marked"), import("dompurify")]).then(([{ marked }, purify]) => {
    const clean = purify.default;
    clean.addHook("afterSanitizeAttributes", (node) => {
      if (node.tagName === "IMG" && !/^data:/.test(node.getAttribute("src") ?? "")) node.remove();
      if (node.tagName === "A") {
        node.setAttribute("target", "_blank");
        node.setAttribute("rel", "noopener noreferrer");
      }
    });
    return (text: string) => clean.sanitize(marked.parse(text, { async: false, gfm: true }), { FORBID_TAGS: ["style", "form", "input", "iframe"], FORBID_ATTR: ["style"] });
  });
  return load;
}

export function Markdown({ text }: { text: string }) {
  const plain = !/[*_`#[\]<>\n|]/.test(text);
  const [made, setMade] = useState<string | null>(null);
  useEffect(() => {
    if (plain) return;
    let there = true;
    void renderer().then((render) => there && setMade(render(text)));
    return () => {
      there = false;
    };
  }, [text, plain]);
  if (plain || made === null) return <span className="prose">{text}</span>;
  // oxlint-disable-next-line react/no-danger
  return <div className="prose" dangerouslySetInnerHTML={{ __html: made }} />;
}
