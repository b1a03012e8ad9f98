/** A key that is being written somewhere is no command. */
export function isTyping({ target }: KeyboardEvent): boolean {
  return target instanceof HTMLElement && ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName);
}
