// Params as form fields: what a field is follows from its JSON schema and the incumbent's extensions of it.
import type { ParamSpec } from "@api/types";

export type Kind = "string" | "text" | "integer" | "number" | "boolean" | "enum" | "multi" | "date" | "time" | "date-time" | "strings" | "json";

export interface Param {
  name: string;
  kind: Kind;
  title: string;
  description: string;
  section: string;
  required: boolean;
  nullable: boolean;
  value: unknown;
  options: [unknown, string][];
  suggestions: string[];
  schema: Record<string, unknown>;
}

function typesOf(schema: Record<string, unknown>): string[] {
  const type = schema.type;
  return Array.isArray(type) ? type.map(String) : type ? [String(type)] : [];
}

/** Fields in the order they were written. */
export function paramsOf(specs: Record<string, ParamSpec>): Param[] {
  return Object.entries(specs).map(([name, spec]) => {
    const schema = spec.schema ?? {};
    const types = typesOf(schema).filter((type) => type !== "null");
    const display = (schema.values_display ?? {}) as Record<string, string>;
    const listed = Array.isArray(schema.enum) ? (schema.enum as unknown[]) : null;
    const examples = Array.isArray(schema.examples) ? (schema.examples as unknown[]) : [];
    const options = (listed ?? (types.includes("array") ? examples : [])).filter((each) => each !== null).map((each): [unknown, string] => [each, display[String(each)] ?? String(each)]);
    return {
      name,
      kind: kindOf(schema, types, options, spec.default),
      title: String(schema.title ?? name),
      description: String(schema.description_md ?? spec.description ?? schema.description ?? ""),
      section: String(schema.section ?? ""),
      required: spec.required === true || (spec.default === null && !typesOf(schema).includes("null") && types.length > 0),
      nullable: typesOf(schema).includes("null"),
      value: spec.default ?? null,
      options,
      suggestions: listed ? [] : examples.map(String),
      schema,
    };
  });
}

function kindOf(schema: Record<string, unknown>, types: string[], options: [unknown, string][], value: unknown): Kind {
  const type = types[0] ?? guess(value);
  if (type === "array") {
    if (options.length) return "multi";
    const items = schema.items as Record<string, unknown> | undefined;
    return items?.type === "string" || (!items && (value === null || value === undefined || (Array.isArray(value) && value.every((each) => typeof each === "string")))) ? "strings" : "json";
  }
  if (options.length) return "enum";
  if (type === "boolean") return "boolean";
  if (type === "integer") return "integer";
  if (type === "number") return "number";
  if (type === "object") return "json";
  if (schema.format === "date" || schema.format === "time" || schema.format === "date-time") return schema.format;
  if (schema.format === "multiline") return "text";
  return "string";
}

function guess(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (value !== null && typeof value === "object") return "object";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

/** What a person typed as the value of a field; an Error where it is none. */
export function parse(param: Param, typed: unknown): unknown {
  if (typed === "" || typed === null || typed === undefined) {
    if (param.nullable || !param.required) return param.kind === "string" && !param.nullable ? "" : null;
    throw new Error("a value is needed");
  }
  if (param.kind === "integer" || param.kind === "number") {
    const number = Number(typed);
    if (!Number.isFinite(number) || (param.kind === "integer" && !Number.isInteger(number))) throw new Error(`${param.kind === "integer" ? "a whole number" : "a number"} is needed`);
    const { minimum, maximum } = param.schema as { minimum?: number; maximum?: number };
    if (minimum !== undefined && number < minimum) throw new Error(`at least ${minimum}`);
    if (maximum !== undefined && number > maximum) throw new Error(`at most ${maximum}`);
    return number;
  }
  if (param.kind === "json") return typeof typed === "string" ? (JSON.parse(typed) as unknown) : typed;
  if (param.kind === "strings") return Array.isArray(typed) ? typed : String(typed).split("\n").filter(Boolean);
  if (typeof typed === "string") {
    const { minLength, maxLength, pattern } = param.schema as { minLength?: number; maxLength?: number; pattern?: string };
    if (minLength !== undefined && typed.length < minLength) throw new Error(`at least ${minLength} characters`);
    if (maxLength !== undefined && typed.length > maxLength) throw new Error(`at most ${maxLength} characters`);
    if (pattern && !new RegExp(pattern).test(typed)) throw new Error(`it must match ${pattern}`);
    if (param.kind === "date-time" && !/(Z|[+-]\d\d:?\d\d)$/.test(typed)) return new Date(typed).toISOString();
  }
  return typed;
}

/** How a value stands in its field. */
export function shown(param: Param, value: unknown): unknown {
  if (param.kind === "json") return value === null || value === undefined ? "" : JSON.stringify(value, null, 2);
  if (param.kind === "strings") return Array.isArray(value) ? value.join("\n") : (value ?? "");
  if (param.kind === "date-time" && typeof value === "string" && value) {
    const at = new Date(value);
    if (!Number.isNaN(at.getTime())) return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  }
  return value ?? "";
}
