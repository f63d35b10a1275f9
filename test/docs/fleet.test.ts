import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { parseConfig } from '../../agent/config/parse.ts'
import { blocks, section, textOf } from './markdown.ts'

const { groups } = parse(textOf('monitoring/alerts.yaml')) as { groups: { rules: { alert: string }[] }[] }
const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert))

it.each([
  ['docs/fleet.md', '## When the service may start'],
  ['docs/configuration.md', '## A full example'],
])('%s blocks on alerts that end when their host is well, and on no others of ours', (document, heading) => {
  const [example = ''] = blocks(section(textOf(document), heading), 'yaml').filter((text) =>
    text.includes('blockOn'),
  )
  const { fleet } = parseConfig(Buffer.from(example), 'example.yaml')
  const blocking = new RegExp(fleet?.blockOn?.alerts ?? '')
  expect(alerts.filter((alert) => blocking.test(alert)).toSorted()).toEqual([
    'CalicoAgentStuck',
    'CalicoBirdDown',
    'CalicoBirdSessionDown',
  ])
})
