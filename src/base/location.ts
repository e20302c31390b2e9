/** Why a location is refused before anything is opened; undefined when it is a plain relative path. */
export function locationProblem(location: string): string | undefined {
  if (location === "") return "is empty";
  if (/\p{Cc}/u.test(location)) return "has a control character";
  if (/[\\:*]/.test(location)) return "has one of \\ : *";
  if (location.startsWith("/")) return "is absolute";
  if (location.split("/").some((part) => part === "" || part === "." || part === ".."))
    return "has an empty, `.` or `..` component";
  return undefined;
}
