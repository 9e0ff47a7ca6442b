// Terminal colours in a log line as pieces of text with a class; everything else of a terminal is dropped.
export interface Piece { text: string; className: string }

// oxlint-disable-next-line no-control-regex
const CODE = /\u001b\[([0-9;]*)([A-Za-z])/g;
const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

export function ansi(text: string): Piece[] {
  if (!text.includes("\u001b")) return [{ text, className: "" }];
  const pieces: Piece[] = [];
  let colour = "";
  let bold = false;
  let from = 0;
  const put = (until: number) => {
    if (until > from) pieces.push({ text: text.slice(from, until), className: `${colour}${bold ? " ansi-bold" : ""}`.trim() });
  };
  for (const found of text.matchAll(CODE)) {
    put(found.index);
    from = found.index + found[0].length;
    if (found[2] !== "m") continue;
    for (const code of (found[1] || "0").split(";").map(Number)) {
      if (code === 0) [colour, bold] = ["", false];
      else if (code === 1) bold = true;
      else if (code === 22) bold = false;
      else if (code === 39) colour = "";
      else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) colour = `ansi-${COLOURS[code % 10]}`;
    }
  }
  put(text.length);
  return pieces;
}
