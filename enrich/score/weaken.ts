/** LR_eff = q·LR + (1 − q): evidence about a process is worth what the attribution is. */
export function weaken(db: number, q: number): number {
  return 10 * Math.log10(q * 10 ** (db / 10) + (1 - q));
}
