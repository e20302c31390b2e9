/**
 * The domain ai.onnx.ml, as far as graphs of networks meet it: types and shapes of trees, linear models and encoders,
 * so that shapes flow through them. Their arithmetic is not ours to quantize; they have no forward.
 */
import { floatsAttribute, intAttribute, intsAttribute, stringsAttribute } from "#model/attributes";
import type { Dim, Node } from "#model/model";
import type { InferContext, Known, Op } from "#model/ops/types";
import { unknown } from "#model/ops/types";

function learned(name: string, infer: (context: InferContext) => readonly Known[]): Op {
  return { domain: "ai.onnx.ml", name, infer };
}

/** Labels [N], scores [N, classes]. */
function classifier({ node, inputs: [x] }: InferContext): Known[] {
  const samples = x?.shape?.[0] ?? null;
  const names = stringsAttribute(node, "classlabels_strings");
  const numbers = intsAttribute(node, "classlabels_int64s") ?? intsAttribute(node, "classlabels_ints");
  const classes: Dim = (names?.length || numbers?.length) ?? null;
  return [
    { element: names !== undefined && names.length > 0 ? "string" : "int64", shape: [samples] },
    { element: "float32", shape: [samples, classes] },
  ];
}

/** One number per sample and target. */
function regressor(targets: (node: Node) => number): (context: InferContext) => Known[] {
  return ({ node, inputs: [x] }) => [{ element: "float32", shape: [x?.shape?.[0] ?? null, targets(node)] }];
}

const sameShapeFloats = ({ inputs: [x] }: InferContext): Known[] => [{ element: "float32", shape: x?.shape }];
const same = ({ inputs: [x] }: InferContext): Known[] => [{ element: x?.element, shape: x?.shape }];

/** The type of the values that the keys are mapped to. */
function encoded({ node, inputs: [x] }: InferContext): Known[] {
  const fromStrings = x?.element === "string";
  const element =
    stringsAttribute(node, "values_strings") !== undefined
      ? "string"
      : floatsAttribute(node, "values_floats") !== undefined
        ? "float32"
        : intsAttribute(node, "values_int64s") !== undefined
          ? "int64"
          : stringsAttribute(node, "classes_strings") === undefined
            ? undefined
            : fromStrings
              ? "int64"
              : "string";
  return [{ element, shape: x?.shape }];
}

export const classicalLearningOps: readonly Op[] = [
  learned("TreeEnsembleClassifier", classifier),
  learned("LinearClassifier", classifier),
  learned("SVMClassifier", classifier),
  learned(
    "TreeEnsembleRegressor",
    regressor((node) => intAttribute(node, "n_targets", 1)),
  ),
  learned(
    "LinearRegressor",
    regressor((node) => intAttribute(node, "targets", 1)),
  ),
  learned(
    "SVMRegressor",
    regressor(() => 1),
  ),
  learned("TreeEnsemble", ({ node, inputs: [x] }) => [
    { element: x?.element, shape: [x?.shape?.[0] ?? null, intAttribute(node, "n_targets", 1)] },
  ]),
  learned("Scaler", sameShapeFloats),
  learned("Normalizer", sameShapeFloats),
  learned("Imputer", same),
  learned("Binarizer", same),
  learned("LabelEncoder", encoded),
  learned("ArrayFeatureExtractor", ({ inputs: [x, indices] }) => {
    const count = indices?.shape?.at(-1) ?? null;
    return [{ element: x?.element, shape: x?.shape && [...(x.shape.length > 1 ? x.shape.slice(0, -1) : [1]), count] }];
  }),
  // a sequence of maps, not a tensor
  learned("ZipMap", () => [unknown]),
];
