import { expect, it } from "vitest";
import { ansi } from "./ansi";

it("turns colours into classes and drops the rest", () => {
  expect(ansi("plain")).toEqual([{ text: "plain", className: "" }]);
  expect(ansi("\u001b[31mbad\u001b[0m ok\u001b[2K")).toEqual([{ text: "bad", className: "ansi-red" }, { text: " ok", className: "" }]);
});
