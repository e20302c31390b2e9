/** Gradients of matrix products: dA = dY·Bᵀ, dB = Aᵀ·dY, summed over batches that were repeated. */
import { LowbitError } from "#base/errors";
import { floatAttribute, intAttribute } from "#model/attributes";
import type { GradientRule, GradientWriter } from "#model/ops/gradient";
import { placeOf } from "#model/ops/operand";

/** The matrices with their last two axes swapped. */
function transposed(w: GradientWriter, x: string): string {
  const axes = w.shapeOf(x).map((_, axis) => axis);
  const [rows, columns] = axes.splice(-2);
  return w.node("Transpose", [x], { perm: [...axes, columns, rows] });
}

/** Vectors become matrices of one row (left) or one column (right), as NumPy's matmul reads them. */
export const matMulGradient: GradientRule = ({ node, gradients: [dy], wanted, write: w }) => {
  if (dy === undefined) return [];
  const [a, b] = node.inputs;
  const [aShape, bShape] = [w.shapeOf(a), w.shapeOf(b)];
  const shaped = (x: string, shape: readonly number[]): string => w.node("Reshape", [x, w.integers(shape)]);
  const left = aShape.length === 1 ? shaped(a, [1, ...aShape]) : a;
  const right = bShape.length === 1 ? shaped(b, [...bShape, 1]) : b;
  const matrix = [...w.shapeOf(dy)];
  if (aShape.length === 1) matrix.splice(bShape.length === 1 ? matrix.length : matrix.length - 1, 0, 1);
  if (bShape.length === 1) matrix.push(1);
  const d = aShape.length === 1 || bShape.length === 1 ? shaped(dy, matrix) : dy;
  const back = (product: string, of: string, shape: readonly number[]): string => {
    const summed = w.sumTo(product, w.shapeOf(of));
    return of === a || of === b ? summed : shaped(summed, shape);
  };
  return [
    wanted[0] ? back(w.node("MatMul", [d, transposed(w, right)]), left, aShape) : undefined,
    wanted[1] ? back(weightProduct(w, left, d, bShape.length <= 2), right, bShape) : undefined,
  ];
};

/** Aᵀ·dY. Where B is one matrix for a whole batch, rows of all of them are one long sum. */
function weightProduct(w: GradientWriter, a: string, dy: string, oneMatrix: boolean): string {
  const [aShape, dShape] = [w.shapeOf(a), w.shapeOf(dy)];
  const batched = oneMatrix && aShape.length > 2 && aShape.slice(0, -1).join() === dShape.slice(0, -1).join();
  if (!batched) return w.node("MatMul", [transposed(w, a), dy]);
  const rows = aShape.slice(0, -1).reduce((product, dim) => product * dim, 1);
  const flat = (x: string, columns: number): string => w.node("Reshape", [x, w.integers([rows, columns])]);
  // as Gemm: in ONNX Runtime a transposed MatMul that an optimizer adds to loses the fusion of its transposition, 5 % of a transformer
  return w.node("Gemm", [flat(a, aShape[aShape.length - 1]), flat(dy, dShape[dShape.length - 1])], { transA: 1 });
}

/** Y = α·A′B′ + β·C, each of A and B transposed first if so told. */
export const gemmGradient: GradientRule = ({ node, gradients: [dy], wanted, write: w }) => {
  if (dy === undefined) return [];
  const [a, b, c] = node.inputs;
  const transA = intAttribute(node, "transA", 0) !== 0;
  const transB = intAttribute(node, "transB", 0) !== 0;
  const alpha = floatAttribute(node, "alpha", 1);
  const beta = floatAttribute(node, "beta", 1);
  const gemm = (x: string, y: string, tx: boolean, ty: boolean): string =>
    w.node("Gemm", [x, y], { alpha: { float: alpha }, transA: tx ? 1 : 0, transB: ty ? 1 : 0 });
  const scaled = beta === 1 ? dy : w.node("Mul", [dy, w.scalar(beta)]);
  return [
    wanted[0] ? (transA ? gemm(b, dy, transB, true) : gemm(dy, b, false, !transB)) : undefined,
    wanted[1] ? (transB ? gemm(dy, a, true, transA) : gemm(a, dy, !transA, false)) : undefined,
    wanted[2] ? w.sumTo(scaled, w.shapeOf(c)) : undefined,
  ];
};

/** α·A′B′ with the last two axes of each exchanged first if so told; whole batches moved about have no rule. */
export const fusedMatMulGradient: GradientRule = ({ node, gradients: [dy], wanted, write: w }) => {
  if (dy === undefined) return [];
  const [a, b] = node.inputs;
  const flag = (name: string): boolean => intAttribute(node, name, 0) !== 0;
  const [transA, transB] = [flag("transA"), flag("transB")];
  if (flag("transBatchA") || flag("transBatchB") || w.shapeOf(a).length < 2 || w.shapeOf(b).length < 2)
    throw new LowbitError(
      "model/unsupported-operator",
      "no gradient is known of FusedMatMul of vectors or moved batches",
      {
        at: placeOf(node),
      },
    );
  const alpha = { float: floatAttribute(node, "alpha", 1) };
  const product = (x: string, y: string, tx: boolean, ty: boolean): string =>
    w.node("FusedMatMul", [x, y], { alpha, transA: tx ? 1 : 0, transB: ty ? 1 : 0 }, { domain: node.domain });
  const da = (): string => (transA ? product(b, dy, transB, true) : product(dy, b, false, !transB));
  const db = (): string => (transB ? product(dy, a, true, transA) : product(a, dy, !transA, false));
  return [wanted[0] ? w.sumTo(da(), w.shapeOf(a)) : undefined, wanted[1] ? w.sumTo(db(), w.shapeOf(b)) : undefined];
};
