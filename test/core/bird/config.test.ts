import { describe, expect, it } from 'vitest'
import { gracefulRestartSeconds } from '../../../agent/core/bird/config.ts'

describe('gracefulRestartSeconds', () => {
  it.each([
    ['nothing set', 'template bgp t { graceful restart; add paths on; }', 120],
    ['a time', 'template bgp t {\n  graceful restart;\n  graceful restart time 60;\n}', 60],
    ['odd blanks', 'graceful  restart\n\ttime 45 ;', 45],
    ['the smallest of several', 'graceful restart time 300; graceful restart time 75;', 75],
    ['no semicolon before the brace', '{ graceful restart time 30 }', 30],
    ['a line comment', '# graceful restart time 5;\n', 120],
    ['a block comment', '/* graceful restart time 5; */ graceful restart time 80;', 80],
    ['a comment without an end', '/* graceful restart time 5;', 120],
    ['a hash in a string', 'description "a # b"; graceful restart time 70;', 70],
    ['a statement in a string', 'description "graceful restart time 5;";', 120],
    ['the wait, which is another thing', 'graceful restart wait 30;', 120],
    ['an empty file', '', 120],
  ])('%s', (_, text, expected) => {
    expect(gracefulRestartSeconds(text)).toBe(expected)
  })

  it('does not guess what an expression means', () => {
    expect(() => gracefulRestartSeconds('graceful restart time (60 * 2);')).toThrow(
      /"graceful restart time \(60 \* 2\)" is not a number/,
    )
  })
})
