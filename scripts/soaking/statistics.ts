/** Upper end of the one-sided 95 % confidence interval of the rate of bad outcomes (Clopper-Pearson). */
export function upperBound(trials: number, bad: number): number {
  if (bad >= trials) return 1
  let [low, high] = [0, 1]
  for (let i = 0; i < 60; i++) {
    const rate = (low + high) / 2
    if (atMost(bad, trials, rate) > 0.05) low = rate
    else high = rate
  }
  return high
}

/** Chance of at most `bad` bad outcomes. */
function atMost(bad: number, trials: number, rate: number): number {
  let term = (1 - rate) ** trials
  let sum = term
  for (let k = 1; k <= bad; k++) {
    term *= ((trials - k + 1) / k) * (rate / (1 - rate))
    sum += term
  }
  return sum
}
