import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  checkGreeting,
  checkSwitched,
  firstReply,
  parseReply,
  parseView,
} from '../../../agent/core/bird/replies.ts'
import { AgentError } from '../../../agent/core/errors.ts'

/** Captured from BIRD 1.6.8 in Calico's shape of config: greeting, `show status`, `show protocols all`. */
function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/bird/${name}.txt`, import.meta.url), 'utf8')
}

function replies(text: string): string[] {
  const found: string[] = []
  for (let rest = text; rest !== ''; rest = rest.slice(found.at(-1)?.length)) {
    const reply = firstReply(rest)
    if (reply === undefined) throw new Error(`not a whole reply: ${rest}`)
    found.push(reply)
  }
  return found
}

function viewOf(name: string) {
  const [greeting = '', status = '', protocols = ''] = replies(fixture(name))
  checkGreeting(parseReply(greeting))
  return parseView(parseReply(status), parseReply(protocols))
}

describe('parseView', () => {
  it('reads a recovery that waits for a dead peer', () => {
    const live = {
      name: 'Mesh_192_0_2_2',
      neighbor: '192.0.2.2',
      established: true,
      info: 'Established',
      imported: 1,
      restartAware: true,
      disabled: false,
    }
    const dead = {
      name: 'Mesh_192_0_2_9',
      neighbor: '192.0.2.9',
      established: false,
      info: 'Connect (Socket: No route to host)',
      imported: 0,
      restartAware: false,
      disabled: false,
    }
    expect(viewOf('recovering-dead-peer')).toEqual({
      state: 'up',
      lastReboot: '2026-11-23 10:50:50',
      recovering: true,
      waitTimer: '222/240',
      sessions: [live, dead],
    })
  })

  it('reads the end of the recovery, and who was disabled for it', () => {
    const view = viewOf('disabled')
    expect(view).toMatchObject({ recovering: false, waitTimer: null })
    expect(view.sessions[1]).toMatchObject({ name: 'Mesh_192_0_2_9', info: 'Down', disabled: true })
    expect(view.sessions[0]).toMatchObject({ established: true, disabled: false })
  })

  it.each([
    ['active-no-route', 'Mesh_192_0_2_9', 'Active (Socket: No route to host)'],
    ['peer-restarting', 'Mesh_192_0_2_1', 'Active (Socket: Connection refused)'],
    ['wrong-as', 'Mesh_192_0_2_2', 'Idle (BGP Error: Bad peer AS)'],
    ['no-listening-socket', 'Mesh_192_0_2_9', 'Down (Error: No listening socket)'],
    ['restart-aware-long-time', 'Global_192_0_2_2', 'Passive'],
  ])('keeps what BIRD says about a peer that is away: %s', (file, name, info) => {
    const session = viewOf(file).sessions.find((candidate) => candidate.name === name)
    expect(session).toMatchObject({ info, established: false, disabled: false, restartAware: false })
  })

  it('counts the stale routes of a peer that restarts', () => {
    expect(viewOf('peer-restarting').sessions[0]).toMatchObject({ established: false, imported: 1 })
  })

  it('knows a restart-aware peer, with dates in the since column', () => {
    expect(viewOf('restart-aware-long-time').sessions.find((session) => session.established)).toMatchObject({
      name: 'Mesh_192_0_2_2',
      restartAware: true,
    })
  })

  it('reads IPv6 neighbors', () => {
    expect(viewOf('ipv6').sessions).toMatchObject([
      { name: 'Mesh_2001_db8__2', neighbor: '2001:db8::2', established: true, imported: 1 },
    ])
  })

  it('shows no session where only other protocols run', () => {
    expect(viewOf('no-peers').sessions).toEqual([])
  })

  it('reads what birdcl -v prints, which leaves out the final 0000', () => {
    const view = parseView(
      parseReply(fixture('birdcl-status-recovering')),
      parseReply(fixture('birdcl-protocols')),
    )
    expect(view).toMatchObject({ recovering: true, waitTimer: '162/240', lastReboot: '2026-11-23 10:50:50' })
    expect(view.sessions.map((session) => session.established)).toEqual([true, false])
  })

  it('refuses a status that was cut off', () => {
    const [, status = '', protocols = ''] = replies(fixture('disabled'))
    const torn = status.slice(0, status.indexOf('0013'))
    expect(() => parseView(parseReply(torn), parseReply(protocols))).toThrow(/status is incomplete/)
  })

  it('refuses a session whose details were cut off', () => {
    const [, status = '', protocols = ''] = replies(fixture('disabled'))
    const torn = protocols.slice(0, protocols.indexOf('Neighbor address'))
    expect(() => parseView(parseReply(status), parseReply(torn))).toThrow(/details of Mesh_192_0_2_2/)
  })

  it('throws nothing but AgentError, whatever it is given', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '1002-A BGP t up 1 x',
        '1006- BGP state: Idle',
        ' x',
        '0013 up',
        '0000 ',
        '9001 syntax error',
      ),
    )
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        try {
          const parsed = parseReply(lines.join('\n'))
          parseView(parsed, parsed)
        } catch (error) {
          expect(error).toBeInstanceOf(AgentError)
        }
      }),
    )
  })
})

describe('replies to disable and enable', () => {
  const [, unknown = '', ...switched] = replies(fixture('commands'))

  it('takes both "disabled" and "already disabled"', () => {
    const actions = ['disable', 'disable', 'enable', 'enable'] as const
    actions.forEach((action, index) => {
      checkSwitched(action, parseReply(switched[index] ?? ''))
    })
  })

  it('does not take the answer to the other command', () => {
    expect(() => {
      checkSwitched('enable', parseReply(switched[0] ?? ''))
    }).toThrow(/does not confirm/)
  })

  it('says why BIRD refused', () => {
    expect(() => {
      checkSwitched('disable', parseReply(unknown))
    }).toThrow('cannot run "disable" in BIRD: nosuch is not a protocol')
    expect(() => {
      checkSwitched('disable', parseReply('9001 syntax error\n'))
    }).toThrow(/syntax error/)
  })
})

describe('the line protocol', () => {
  it('is silent about a reply that has not ended', () => {
    expect(firstReply('1000-BIRD 1.6.8\n1011-Router ID is 192.0.2.1\n')).toBeUndefined()
    expect(firstReply('0013 Daemon is up and')).toBeUndefined()
  })

  it.each([
    '220 mail.example.org ESMTP\n',
    'HTTP/1.1 400 Bad Request\n',
    ' before any code\n',
    '\u0000\u0001\n',
  ])('knows that %j is not BIRD', (text) => {
    expect(() => parseReply(text)).toThrow(expect.objectContaining({ code: 'bird-reply-invalid' }))
  })

  it('wants the greeting first', () => {
    expect(() => {
      checkGreeting(parseReply('0013 Daemon is up and running\n'))
    }).toThrow(/does not greet/)
  })
})
