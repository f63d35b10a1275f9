import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readRows, readSessions, readStatus } from '../../../agent/core/bird/read-view.ts'
import { checkGreeting, checkSwitched, ReplyReader, replyLines } from '../../../agent/core/bird/replies.ts'
import { AgentError } from '../../../agent/core/errors.ts'

/** Captured from BIRD 1.6.8 in Calico's shape of config: greeting, `show status`, `show protocols all`. */
function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/bird/${name}.txt`, import.meta.url), 'utf8')
}

/** As they came, one after the other. */
function replies(text: string): string[] {
  return text.match(/^(?:\d{4}-.*\n(?: .*\n)*)*\d{4} .*\n/gm) ?? []
}

function viewOf(name: string) {
  const [greeting = '', status = '', protocols = ''] = replies(fixture(name))
  checkGreeting(greeting)
  return { ...readStatus(status), sessions: readSessions(protocols) }
}

describe('a look with details', () => {
  it('reads a recovery that waits for a dead peer', () => {
    const live = {
      name: 'Mesh_192_0_2_2',
      neighbor: '192.0.2.2',
      established: true,
      info: 'Established',
      imported: 1,
      restartAware: true,
      disabled: false,
      since: '10:50:51',
      restarting: null,
    }
    const dead = {
      name: 'Mesh_192_0_2_9',
      neighbor: '192.0.2.9',
      established: false,
      info: 'Connect (Socket: No route to host)',
      imported: 0,
      restartAware: false,
      disabled: false,
      since: '10:50:50',
      restarting: null,
    }
    expect(viewOf('recovering-dead-peer')).toEqual({
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

  it('counts the stale routes of a peer that restarts, and tells how long they are kept', () => {
    expect(viewOf('peer-restarting').sessions[0]).toMatchObject({
      established: false,
      imported: 1,
      restarting: { secondsLeft: 118 },
    })
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
    const status = readStatus(fixture('birdcl-status-recovering'))
    const sessions = readSessions(fixture('birdcl-protocols'))
    expect(status).toMatchObject({
      recovering: true,
      waitTimer: '162/240',
      lastReboot: '2026-11-23 10:50:50',
    })
    expect(sessions.map((session) => session.established)).toEqual([true, false])
  })

  it('refuses a status that was cut off', () => {
    const [, status = ''] = replies(fixture('disabled'))
    expect(() => readStatus(status.slice(0, status.indexOf('0013')))).toThrow(/status is incomplete/)
  })

  it('refuses a session whose details were cut off', () => {
    const [, , protocols = ''] = replies(fixture('disabled'))
    const cut = protocols.indexOf('Neighbor address')
    expect(() => readSessions(protocols.slice(0, cut))).toThrow(/details of Mesh_192_0_2_2/)
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
      fc.property(fc.array(line), fc.constantFrom(readRows, readSessions, readStatus), (lines, read) => {
        try {
          read(lines.join('\n'))
        } catch (error) {
          expect(error).toBeInstanceOf(AgentError)
        }
      }),
    )
  })

  it('says what BIRD refused', () => {
    expect(() => readSessions('8003 no protocols match\n')).toThrow(
      'cannot run "show protocols all" in BIRD: no protocols match',
    )
    expect(() => readRows('8003 no protocols match\n')).toThrow('cannot run "show protocols" in BIRD')
  })
})

describe('a look at the rows alone', () => {
  /** What `show protocols` prints of the same moment: the rows, the first alone with its code. */
  function rowsOf(name: string) {
    const [, , protocols = ''] = replies(fixture(name))
    const rows = replyLines(protocols).filter(({ code }) => code === 1002)
    const text = rows.map((row) => row.text).join('\n ')
    return readRows(`2002-name proto table state since info\n1002-${text}\n0000 \n`)
  }

  it.each([
    'active-no-route',
    'disabled',
    'disabled-recovering',
    'ipv6',
    'no-listening-socket',
    'no-peers',
    'peer-restarting',
    'recovering-dead-peer',
    'restart-aware-long-time',
    'wrong-as',
  ])('tells the same as the details, as far as it goes: %s', (file) => {
    const expected = viewOf(file).sessions.map(({ name, established, info, since, disabled }) => {
      return { name, established, info, since, disabled, imported: null }
    })
    expect(rowsOf(file)).toEqual(expected)
  })

  it('takes a session for Established whose protocol waits for the end of the recovery', () => {
    const row = '1002-Mesh_192_0_2_2 BGP      master   wait   10:51:24    Established   \n0000 \n'
    expect(readRows(row)).toMatchObject([{ established: true, info: 'Established' }])
  })

  it('reads a date and a time in the since column', () => {
    const row = '1002-Mesh_192_0_2_2 BGP      master   start  2026-11-23 10:51:24  Active        \n'
    expect(readRows(row)).toMatchObject([{ since: '2026-11-23 10:51:24', info: 'Active' }])
  })
})

describe('replies to disable and enable', () => {
  const [, unknown = '', ...switched] = replies(fixture('commands'))

  it('takes both "disabled" and "already disabled"', () => {
    const actions = ['disable', 'disable', 'enable', 'enable'] as const
    actions.forEach((action, index) => {
      checkSwitched(action, switched[index] ?? '')
    })
  })

  it('does not take the answer to the other command', () => {
    expect(() => {
      checkSwitched('enable', switched[0] ?? '')
    }).toThrow(/does not confirm/)
  })

  it('says why BIRD refused', () => {
    expect(() => {
      checkSwitched('disable', unknown)
    }).toThrow('cannot run "disable" in BIRD: nosuch is not a protocol')
    expect(() => {
      checkSwitched('disable', '9001 syntax error\n')
    }).toThrow(/syntax error/)
  })
})

describe('the line protocol', () => {
  it('is silent about a reply that has not ended', () => {
    expect(new ReplyReader().push('1000-BIRD 1.6.8\n1011-Router ID is 192.0.2.1\n')).toBeUndefined()
    expect(new ReplyReader().push('0013 Daemon is up and')).toBeUndefined()
  })

  it('is the same however it is cut', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 })
    fc.assert(
      fc.property(sizes, (cuts) => {
        const reader = new ReplyReader()
        for (const reply of replies(fixture('recovering-dead-peer'))) {
          const found: (string | undefined)[] = []
          for (let at = 0, i = 0; at < reply.length; i++) {
            const end = at + (cuts[i % cuts.length] ?? 1)
            found.push(reader.push(reply.slice(at, end)))
            at = end
          }
          expect(found.filter((one) => one !== undefined)).toEqual([reply])
          expect(found.at(-1)).toBe(reply)
        }
      }),
      { numRuns: 50 },
    )
  })

  it.each([
    '220 mail.example.org ESMTP\n',
    'HTTP/1.1 400 Bad Request\n',
    ' before any code\n',
    '\u0000\u0001\n',
  ])('knows that %j is not BIRD', (text) => {
    expect(() => replyLines(text)).toThrow(expect.objectContaining({ code: 'bird-reply-invalid' }))
  })

  it('wants the greeting first', () => {
    expect(() => {
      checkGreeting('0013 Daemon is up and running\n')
    }).toThrow(/its greeting is not/)
  })
})
