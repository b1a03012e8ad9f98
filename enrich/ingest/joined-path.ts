/** A file by its directory and its name, which some products repeat at the end of the one or write whole in the other. */
export function joinedPath(directory: string | undefined, name: string | undefined): string | undefined {
  if (directory === undefined || name === undefined) return directory ?? name;
  const isWhole = directory.toLowerCase().endsWith(name.toLowerCase());
  if (isWhole || /[\\/]/.test(name)) return isWhole ? directory : name;
  if (/[\\/]$/.test(directory)) return directory + name;
  return directory + (directory.includes('/') && !directory.includes('\\') ? '/' : '\\') + name;
}
