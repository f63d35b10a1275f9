import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Those that need Kubernetes come last: on a new machine it is still being built when the first ones begin. */
class KubernetesLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const needsKubernetes = ({ moduleId }: TestSpecification): boolean => /\/kubernetes[./]/.test(moduleId)
    return [...sorted.filter((file) => !needsKubernetes(file)), ...sorted.filter(needsKubernetes)]
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: KubernetesLast },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/lab/**'],
          // a loaded machine is slow, and no test waits for a clock
          testTimeout: 240_000,
          hookTimeout: 240_000,
          expect: { poll: { timeout: 60_000 } },
          // by default one core is left alone, which is half of a machine of two
          maxWorkers: '100%',
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts', 'test/lab/**/*.test.ts'],
          globalSetup: ['test/lab/global-setup.ts'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          pool: 'forks',
          maxWorkers: 4,
        },
      },
    ],
  },
})
