import { describe, expect, test } from "vitest";
import { weightName } from "#report/graph/weightName";

describe("the name of a weight before it was quantized", () => {
  test.each([
    ["conv1.weight_quantized", ["conv1.weight_DequantizeLinear_Output"], "conv1.weight"],
    ["01_conv.weight.q", ["01_conv.weight.dq"], "01_conv.weight"],
    ["w_q_1", ["w_dq"], "w"],
    ["fc_Q4", ["fc_scales"], "fc"],
    ["bias_quantized", ["bias"], "bias"],
    ["/enc/MatMul_5_q", ["/enc/MatMul_5_mul"], "/enc/MatMul_5"],
  ])("%s beside %s was %s", (codes, others, name) => {
    expect(weightName(codes, others)).toBe(name);
  });

  test("parts of different weights share no name", () => {
    expect(weightName("layer1.weight_q", ["layer0.weight_scale"])).toBe("layer1.weight_q");
    expect(weightName("layer12_q", ["layer13_scale"])).toBe("layer12_q");
    expect(weightName("codes", ["table"])).toBe("codes");
  });

  test("known names settle it", () => {
    expect(weightName("a.b_q", ["x"], new Set(["a.b", "a"]))).toBe("a.b");
    expect(weightName("a.b_q", ["a.b_q"], new Set(["a.b_q", "a.b"]))).toBe("a.b_q");
    expect(weightName("a_b_c_d_q", [], new Set(["a"]))).toBe("a_b_c_d_q");
  });
});
