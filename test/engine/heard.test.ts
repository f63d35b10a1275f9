import { expect, it } from 'vitest'
import type { AgentEvent } from '../../agent/core/events.ts'
import { Heard } from '../../agent/engine/heard.ts'
import type { StepContext } from '../../agent/steps/step.ts'
import { problem } from '../journal/sample.ts'
import { pull } from '../report/samples.ts'

function heard(...events: AgentEvent[]): { heard: Heard; passedOn: AgentEvent[] } {
  const passedOn: AgentEvent[] = []
  const emit = (event: AgentEvent): void => void passedOn.push(event)
  const one = new Heard({ emit } as unknown as StepContext)
  for (const event of events) one.context.emit(event)
  return { heard: one, passedOn }
}

it('counts what each try of a pull brings, and passes on what it hears', () => {
  const events = [10, 40, 20, 30].map((megabytes) => pull(megabytes))
  const { heard: one, passedOn } = heard(...events)
  expect(one.with({})).toEqual({ pulledBytes: 50e6 })
  expect(passedOn).toEqual(events)
})

it('keeps warnings before what the step itself reports, and adds nothing that was not said', () => {
  const warning = { ...problem, severity: 'warning' as const }
  const { heard: one } = heard({ type: 'problem', problem: warning })
  expect(one.with({ problems: [problem] })).toEqual({ problems: [warning, problem] })
  expect(heard().heard.with({ downMs: 3 })).toEqual({ downMs: 3 })
})
