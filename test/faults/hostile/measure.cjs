// Preloaded into the agent: what it took, as the last line on stderr.
process.on('exit', () => {
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage()
  const took = { megabytes: maxRSS / 1000, seconds: (userCPUTime + systemCPUTime) / 1e6 }
  process.stderr.write(`\n${JSON.stringify(took)}\n`)
})
