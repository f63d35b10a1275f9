import { expect, it } from 'vitest'
import { SERVICE_STATES } from '../../agent/service/loop.ts'
import { codeRows, section, textOf } from './markdown.ts'

it('docs/service.md has each state of the service, and no other', () => {
  const documented = codeRows(section(textOf('docs/service.md'), '## What it does'))
  expect(documented.toSorted()).toEqual(SERVICE_STATES.toSorted())
})
