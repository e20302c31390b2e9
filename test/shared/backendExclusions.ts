/**
 * What the reference runtime does not do of ONNX's backend tests, and why. The tests fail when a reason stops being
 * true.
 */

/** Cases that run, and give something else than onnx stored. */
export const differentCases: Readonly<Record<string, string>> = {
  test_dft_inverse: "the stored zeros are float32 noise of up to 2e-7, and the tolerance is 1e-7",
  test_dft_inverse_opset19: "as test_dft_inverse",
  test_maxunpool_export_with_output_shape:
    "onnx unpools into the shape without output_shape and then pads; ONNX Runtime and we read the indices in output_shape",
  test_training_dropout: "draws from NumPy's random numbers",
  test_training_dropout_default: "draws from NumPy's random numbers",
  test_training_dropout_default_mask: "draws from NumPy's random numbers",
  test_training_dropout_mask: "draws from NumPy's random numbers",
};

/** Cases of operators that we have, with values that are not tensors. */
export const otherValues: Readonly<Record<string, string>> = {
  test_identity_opt: "an optional",
  test_identity_sequence: "a sequence",
};

/** Operators, `domain:name`, that have no definition here. */
export const missingOperators: Readonly<Record<string, string>> = {
  ...reasonFor("values that are not tensors", [
    ":SequenceAt",
    ":SequenceConstruct",
    ":SequenceEmpty",
    ":SequenceErase",
    ":SequenceInsert",
    ":SequenceLength",
    ":SequenceMap",
    ":SplitToSequence",
    ":ConcatFromSequence",
    ":Optional",
    ":OptionalGetElement",
    ":OptionalHasElement",
  ]),
  ...reasonFor("text and files, which no network layer is made of", [
    ":StringConcat",
    ":StringNormalizer",
    ":StringSplit",
    ":RegexFullMatch",
    ":TfIdfVectorizer",
    ":ImageDecoder",
  ]),
  ...reasonFor("random", [":Bernoulli", ":RandomUniformLike"]),
  ...reasonFor("classical machine learning, which quantization leaves alone", [
    "ai.onnx.ml:ArrayFeatureExtractor",
    "ai.onnx.ml:Binarizer",
    "ai.onnx.ml:LabelEncoder",
    "ai.onnx.ml:TreeEnsemble",
  ]),
  ...reasonFor("training is done with gradient graphs of our own", [
    "ai.onnx.preview.training:Adagrad",
    "ai.onnx.preview.training:Adam",
    "ai.onnx.preview.training:Gradient",
    "ai.onnx.preview.training:Momentum",
  ]),
  ...reasonFor("newer than operator set 26", [
    ":CausalConvWithState",
    ":LinearAttention",
    "ai.onnx.preview:FlexAttention",
  ]),
};

function reasonFor(reason: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, reason]));
}
