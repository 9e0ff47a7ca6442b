import { describe, expect, it } from "vitest";
import { paramsOf, parse, shown } from "./params";

const one = (schema: Record<string, unknown>, value: unknown = null) => paramsOf({ it: { schema, default: value } })[0]!;

describe("fields of params", () => {
  it("know their kind from schema and value", () => {
    expect(one({ type: "integer" }).kind).toBe("integer");
    expect(one({ type: "string", format: "date-time" }).kind).toBe("date-time");
    expect(one({ type: "string", format: "multiline" }).kind).toBe("text");
    expect(one({ enum: ["a", "b"], values_display: { a: "A!" } })).toMatchObject({ kind: "enum", options: [["a", "A!"], ["b", "b"]] });
    expect(one({ type: "array", examples: ["x", "y"] }).kind).toBe("multi");
    expect(one({ type: "array" }, ["x"]).kind).toBe("strings");
    expect(one({ type: "array", items: { type: "object" } }).kind).toBe("json");
    expect(one({ type: ["object", "null"] })).toMatchObject({ kind: "json", nullable: true });
    expect(one({}, true).kind).toBe("boolean");
    expect(one({ type: "string", examples: ["p", "q"] })).toMatchObject({ kind: "string", suggestions: ["p", "q"] });
  });
  it("refuse what does not fit", () => {
    expect(() => parse(one({ type: "integer", maximum: 10 }, 1), "11")).toThrow("at most 10");
    expect(() => parse(one({ type: "integer" }, 1), "1.5")).toThrow("whole");
    expect(() => parse(one({ type: "string" }), "")).toThrow("needed");
    expect(parse(one({ type: ["string", "null"] }), "")).toBeNull();
    expect(parse(one({ type: "array" }, []), "a\nb")).toEqual(["a", "b"]);
    expect(() => parse(one({ type: "object" }, {}), "{")).toThrow();
  });
  it("stand in their fields as text", () => {
    expect(shown(one({ type: "object" }), { a: 1 })).toContain('"a": 1');
    expect(shown(one({ type: "array" }, ["a"]), ["a", "b"])).toBe("a\nb");
  });
});
