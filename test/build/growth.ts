/** How running time grows with the size of the input: the exponent k of time ~ size^k. */

/** Slope of the least-squares line through the logarithms. */
export function exponent(sizes: readonly number[], times: readonly number[]): number {
  const x = sizes.map(Math.log);
  const y = times.map(Math.log);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  const covariance = x.reduce((sum, value, i) => sum + (value - mx) * (y[i]! - my), 0);
  return covariance / x.reduce((sum, value) => sum + (value - mx) ** 2, 0);
}

/**
 * The exponent of `run` over inputs that `prepare` makes. Each size is run several times in turn, and its best time counts:
 * whatever else the machine does only adds to it.
 */
export function growthOf<Input>(
  sizes: readonly number[],
  prepare: (size: number) => Input,
  run: (input: Input) => void,
  rounds = 5,
): number {
  const inputs = sizes.map(prepare);
  const best = sizes.map(() => Number.POSITIVE_INFINITY);
  for (let round = 0; round < rounds; round++) {
    for (const [i, input] of inputs.entries()) {
      const start = process.hrtime.bigint();
      run(input);
      best[i] = Math.min(best[i]!, Number(process.hrtime.bigint() - start));
    }
  }
  return exponent(sizes, best);
}
