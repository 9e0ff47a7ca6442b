/** How well a name fits what was typed: 0 not at all; whole words and beginnings weigh more than scattered letters. */
export function fit(typed: string, name: string): number {
  const wanted = typed.toLowerCase().replace(/\s+/g, "");
  const text = name.toLowerCase();
  if (!wanted) return 0;
  const whole = text.indexOf(wanted);
  if (whole === 0) return 100 - text.length * 0.01;
  if (whole > 0) return (/[^a-z0-9]/.test(text[whole - 1] ?? "") ? 80 : 60) - text.length * 0.01;
  let at = -1;
  let score = 30;
  for (const letter of wanted) {
    const next = text.indexOf(letter, at + 1);
    if (next < 0) return 0;
    score -= next - at - 1 === 0 ? 0 : /[^a-z0-9]/.test(text[next - 1] ?? "_") ? 0.5 : 1.5;
    at = next;
  }
  return Math.max(1, score - text.length * 0.01);
}
