import { runAgent } from '../../agent/composition.ts'

// The control: the agent as it is, but that its neighbors may dial.
void runAgent((outside) => ({
  ...outside,
  dialGuard: {
    check: () => Promise.resolve(),
    close: () => Promise.resolve(),
    open: () => Promise.resolve([]),
  },
}))
