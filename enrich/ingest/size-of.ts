/** About how many characters an object of strings and objects takes to keep. */
export function sizeOf(value: object): number {
  let size = 64;
  for (const part of Object.values(value)) {
    if (typeof part === 'string') size += part.length;
    else if (typeof part === 'object' && part !== null) size += sizeOf(part as object);
  }
  return size;
}
