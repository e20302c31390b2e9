/** What a recipe is called, when it is a name or has one. */
export function recipeName(recipe: unknown): string | undefined {
  if (typeof recipe === "string") return recipe;
  if (recipe === null || typeof recipe !== "object" || !("name" in recipe)) return undefined;
  return typeof recipe.name === "string" ? recipe.name : undefined;
}
