import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')

interface Cruise {
  summary: { violations: { from: string; to: string; rule: { name: string } }[] }
}

/** Lays out the imports as files, each importing the given paths, and returns those that the rules refuse. */
function refused(imports: Record<string, string[]>): string[] {
  const dir = mkdtempSync(join(tmpdir(), 'layers-'))
  try {
    for (const file of Object.values(imports).flat()) if (file.endsWith('.ts')) write(dir, file, [])
    for (const [file, targets] of Object.entries(imports)) write(dir, file, targets)
    const { stdout } = spawnSync(
      process.execPath,
      [
        join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
        ...['--config', join(root, '.dependency-cruiser.cjs'), '--output-type', 'json', '.'],
      ],
      { cwd: dir, encoding: 'utf8' },
    )
    const { violations } = (JSON.parse(stdout) as Cruise).summary
    return violations.map(({ from, to, rule }) => `${from} -> ${to}: ${rule.name}`).sort()
  } finally {
    rmSync(dir, { recursive: true })
  }
}

function write(dir: string, file: string, targets: string[]): void {
  const lines = targets.map((target) => {
    const path = target.endsWith('.ts') ? relative(dirname(file), target) : target
    return `import '${path.startsWith('.') || !target.endsWith('.ts') ? path : `./${path}`}'\n`
  })
  mkdirSync(dirname(join(dir, file)), { recursive: true })
  writeFileSync(join(dir, file), lines.join(''))
}

test('every layer may import what the architecture gives it', () => {
  expect(
    refused({
      'agent/core/plan.ts': ['agent/core/model.ts'],
      'agent/ports/docker.ts': ['agent/core/model.ts'],
      'agent/observe/observe.ts': ['agent/core/plan.ts', 'agent/ports/docker.ts', 'agent/observe/node.ts'],
      'agent/steps/pull.ts': ['agent/core/plan.ts', 'agent/ports/docker.ts', 'agent/steps/step.ts'],
      'agent/engine/execute.ts': ['agent/journal/journal.ts', 'agent/steps/step.ts', 'agent/ports/clock.ts'],
      'agent/journal/journal.ts': ['agent/core/plan.ts', 'agent/adapters/atomic-file.ts', 'node:fs'],
      'agent/adapters/docker.ts': ['agent/ports/docker.ts', 'agent/adapters/docker/pull.ts', 'node:net'],
      'agent/adapters/docker/wire.ts': ['agent/adapters/docker/pull.ts', 'agent/adapters/http.ts'],
      'agent/config/load.ts': ['agent/core/model.ts', 'agent/config/schema.ts', 'node:fs'],
      'agent/report/json.ts': ['agent/core/plan.ts', 'node:tty'],
      'agent/stories/upgrade.ts': [
        'agent/engine/execute.ts',
        'agent/observe/observe.ts',
        'agent/stories/resume.ts',
      ],
      'agent/commands/upgrade.ts': [
        'agent/stories/upgrade.ts',
        'agent/report/json.ts',
        'agent/ports/docker.ts',
      ],
      'agent/main.ts': ['agent/commands/upgrade.ts', 'agent/adapters/docker.ts', 'node:process'],
      'test/steps/pull.test.ts': ['agent/steps/pull.ts', 'agent/adapters/docker.ts', 'scripts/build.ts'],
    }),
  ).toEqual([])
})

test('every layer is refused what the architecture does not give it', () => {
  expect(
    refused({
      'agent/core/plan.ts': ['node:fs', 'agent/ports/clock.ts'],
      'agent/ports/clock.ts': ['node:process'],
      'agent/observe/observe.ts': ['agent/adapters/bird.ts'],
      'agent/steps/pull.ts': ['agent/journal/journal.ts'],
      'agent/engine/execute.ts': ['agent/adapters/clock.ts'],
      'agent/journal/journal.ts': ['agent/adapters/docker.ts'],
      'agent/adapters/docker.ts': ['agent/adapters/bird.ts'],
      'agent/adapters/docker/pull.ts': ['agent/adapters/bird.ts'],
      'agent/config/load.ts': ['agent/adapters/cni-files.ts'],
      'agent/report/json.ts': ['agent/engine/resume.ts'],
      'agent/stories/upgrade.ts': ['agent/adapters/kubernetes.ts'],
      'agent/commands/upgrade.ts': ['agent/engine/resume.ts', 'agent/main.ts'],
      'agent/service/daemon.ts': ['agent/commands/plan.ts', 'test/fakes/clock.ts', 'scripts/build.ts'],
      'test/main.test.ts': ['agent/main.ts'],
    }),
  ).toMatchInlineSnapshot(`
    [
      "agent/adapters/docker.ts -> agent/adapters/bird.ts: layer-adapters",
      "agent/adapters/docker/pull.ts -> agent/adapters/bird.ts: layer-adapters",
      "agent/commands/upgrade.ts -> agent/engine/resume.ts: layer-commands",
      "agent/commands/upgrade.ts -> agent/main.ts: layer-commands",
      "agent/commands/upgrade.ts -> agent/main.ts: main-is-the-root",
      "agent/config/load.ts -> agent/adapters/cni-files.ts: layer-config",
      "agent/core/plan.ts -> agent/ports/clock.ts: layer-core",
      "agent/core/plan.ts -> fs: layer-core",
      "agent/engine/execute.ts -> agent/adapters/clock.ts: layer-engine",
      "agent/journal/journal.ts -> agent/adapters/docker.ts: layer-journal",
      "agent/observe/observe.ts -> agent/adapters/bird.ts: layer-observe",
      "agent/ports/clock.ts -> process: layer-ports",
      "agent/report/json.ts -> agent/engine/resume.ts: layer-report",
      "agent/service/daemon.ts -> agent/commands/plan.ts: layer-service",
      "agent/service/daemon.ts -> scripts/build.ts: agent-ships-alone",
      "agent/service/daemon.ts -> test/fakes/clock.ts: agent-ships-alone",
      "agent/steps/pull.ts -> agent/journal/journal.ts: layer-steps",
      "agent/stories/upgrade.ts -> agent/adapters/kubernetes.ts: layer-stories",
      "test/main.test.ts -> agent/main.ts: main-is-the-root",
    ]
  `)
})

test('a circle is refused', () => {
  expect(
    refused({ 'agent/core/plan.ts': ['agent/core/model.ts'], 'agent/core/model.ts': ['agent/core/plan.ts'] }),
  ).toMatchInlineSnapshot(`
    [
      "agent/core/model.ts -> agent/core/plan.ts: no-circle",
    ]
  `)
})
