import { describe, expect, test } from "vitest";
import { type ErrorCode, errorCodes, LowbitError, withPlace } from "#base/errors";

const codes = Object.keys(errorCodes) as ErrorCode[];

describe("an error", () => {
  test.each(codes)("of the code %s says what to do next and how a process should end", (code) => {
    const error = new LowbitError(code, "what happened");
    expect(error.hint).toMatch(/^\S.{12}/);
    expect([1, 2, 3, 4, 130]).toContain(error.exitCode);
  });

  test("keeps the hint it was given, and every part of it crosses JSON", () => {
    const error = new LowbitError("io/read", "no", { at: { file: "a.onnx", byte: 7 }, hint: "try again" });
    expect(JSON.parse(JSON.stringify(error))).toEqual({
      code: "io/read",
      message: "no",
      at: { file: "a.onnx", byte: 7 },
      hint: "try again",
    });
  });

  test("learns its place on the way up, but the innermost place stays", () => {
    const inner = new LowbitError("quant/non-finite", "NaN", { at: { tensor: "w" }, hint: "repair it" });
    const placed = withPlace(withPlace(inner, { tensor: "model", file: "a.onnx" }), { file: "b.onnx" }) as LowbitError;
    expect(placed.at).toEqual({ tensor: "w", file: "a.onnx" });
    expect([placed.code, placed.message, placed.hint]).toEqual(["quant/non-finite", "NaN", "repair it"]);
    expect(placed.stack).toBe(inner.stack);
  });

  test("that is not ours goes up as it is", () => {
    const bug = new TypeError("x is undefined");
    expect(withPlace(bug, { file: "a.onnx" })).toBe(bug);
  });
});
