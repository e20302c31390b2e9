import type { Diagnostic } from "#base/errors";
import { nodeMatcher } from "#methods/plan/nodePattern";
import type { Recipe, RecipeRule } from "#methods/types";
import type { Model, Node } from "#model/model";

export interface Wish {
  readonly weights: string;
  readonly activations: string;
  readonly why: string;
}

export type WishOf = (node: Node) => Wish;

/** What the recipe says of a node: its own schemes, overridden by the last rule that matches. */
export function wishes(recipe: Recipe): WishOf {
  const rules = recipe.rules.map((rule) => ({ rule, matches: nodeMatcher(rule.match) }));
  return (node) => {
    let wish: Wish = { weights: recipe.weights, activations: recipe.activations, why: `recipe ${recipe.name}` };
    for (const { rule, matches } of rules) {
      if (matches(node))
        wish = {
          weights: rule.weights ?? wish.weights,
          activations: rule.activations ?? wish.activations,
          why: `rule ${rule.match}`,
        };
    }
    return wish;
  };
}

/** A warning for each rule that no node matches. */
export function unmatched(model: Model, recipe: Recipe): Diagnostic[] {
  return recipe.rules
    .filter((rule: RecipeRule) => !model.graph.nodes.some(nodeMatcher(rule.match)))
    .map((rule) => ({
      code: "plan/unmatched-rule",
      level: "warning",
      message: `no node matches the rule "${rule.match}"`,
      hint: "lowbit inspect lists the names of nodes",
    }));
}
