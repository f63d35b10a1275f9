import { describe, expect, it } from 'vitest'
import { type BgpNeighbor, bgpListenPort, bgpNeighbors } from '../../../agent/core/bird/neighbors.ts'

const TEMPLATE = `# Template for all BGP clients
template bgp bgp_template {
  debug { states };
  description "Connection to BGP peer";
  local as 64512;
  multihop;
  gateway recursive; # This should be the default, but just in case.
  import all;        # Import all routes, since we don't know what the upstream
                     # topology is and therefore have to trust the ToR/RR.
  export filter calico_pools;  # Only want to export routes for workloads.
  source address 192.0.2.1;  # The local address we use for the TCP connection
  add paths on;
  graceful restart;
}
`

/** `name address port`, with `passive` where it is. */
const lines = (text: string): string[] => bgpNeighbors(text).map(line)

function line({ name, address, port, passive }: BgpNeighbor): string {
  return `${name} ${address} ${port}${passive ? ' passive' : ''}`
}

describe('bgpNeighbors', () => {
  it('reads a mesh of Calico v2.6', () => {
    const text = `${TEMPLATE}
      # ------------- Node-to-node mesh -------------
      # For peer /host/host2/ip_addr_v4
      protocol bgp Mesh_192_0_2_2 from bgp_template {
        neighbor 192.0.2.2 as 64512;
      }
      # For peer /host/host1/ip_addr_v4
      # Skipping ourselves (192.0.2.1)
      # ------------- Global peers -------------
      # No global peers configured.
      protocol bgp Node_192_0_2_9 from bgp_template {
        neighbor 192.0.2.9 as 64513;
        rr client;
        rr cluster id 192.0.2.1;
      }`
    expect(lines(text)).toEqual(['Mesh_192_0_2_2 192.0.2.2 179', 'Node_192_0_2_9 192.0.2.9 179'])
  })

  it('reads a mesh of Calico v3.20, one way and with ports', () => {
    const text = `${TEMPLATE}
      protocol bgp Mesh_192_0_2_3 from bgp_template {
        neighbor 192.0.2.3 port 1790 as 64512;
        source address 192.0.2.1;  # The local address we use for the TCP connection
        passive on; # Mesh is unidirectional, peer will connect to us.
      }
      protocol bgp Global_192_0_2_9_port_1791 from bgp_template {
        neighbor 192.0.2.9 port 1791 as 64513;
        password "neighbor 1.1.1.1 as 1; } passive on; # {";
        next hop keep;
      }`
    expect(lines(text)).toEqual([
      'Mesh_192_0_2_3 192.0.2.3 1790 passive',
      'Global_192_0_2_9_port_1791 192.0.2.9 1791',
    ])
  })

  const one = (statements: string, from = ''): string => `protocol bgp one ${from} { ${statements} }`
  it.each([
    ['passive alone', one('neighbor 192.0.2.2 as 1; passive;'), ['one 192.0.2.2 179 passive']],
    ['passive off', one('neighbor 192.0.2.2 as 1; passive off;'), ['one 192.0.2.2 179']],
    ['the last word', one('passive yes; passive no; neighbor 192.0.2.2 as 1;'), ['one 192.0.2.2 179']],
    [
      'passive in a comment',
      one('neighbor 192.0.2.2 as 1; /* passive; */ # passive;'),
      ['one 192.0.2.2 179'],
    ],
    ['passive in inner braces', one('neighbor 192.0.2.2 as 1; x { passive; };'), ['one 192.0.2.2 179']],
    ['the port last', one('neighbor 192.0.2.2 as 1 port 1790;'), ['one 192.0.2.2 1790']],
    ['no semicolon at the end', one('neighbor 192.0.2.2 as 1; passive'), ['one 192.0.2.2 179 passive']],
    ['IPv6', one('neighbor 2001:db8::2 as 1;'), ['one 2001:db8::2 179']],
    ['link-local', one('neighbor fe80::2%eth0 as 1;'), ['one fe80::2%eth0 179']],
    ['link-local, quoted', one("neighbor fe80::2 % 'eth0.1' as 1;"), ['one fe80::2%eth0.1 179']],
    ['a quoted name', "protocol bgp 'my-peer' { neighbor 192.0.2.2 as 1; }", ['my-peer 192.0.2.2 179']],
    ['capitals', 'PROTOCOL BGP one { NEIGHBOR 192.0.2.2 AS 1; PASSIVE; }', ['one 192.0.2.2 179 passive']],
    ['no end', 'protocol bgp one { neighbor 192.0.2.2 as 1; passive on;', ['one 192.0.2.2 179 passive']],
    [
      'a template’s passive',
      `template bgp t { passive; } ${one('neighbor 192.0.2.2 as 1;', 'from t')}`,
      ['one 192.0.2.2 179 passive'],
    ],
    [
      'a chain of templates',
      `template bgp a { passive; } template bgp b from a { multihop; } ${one('neighbor 192.0.2.2 as 1;', 'from b')}`,
      ['one 192.0.2.2 179 passive'],
    ],
    [
      'a template that is overruled',
      `template bgp a { passive; neighbor 192.0.2.9 port 5 as 1; } ${one('passive off;', 'from a')}`,
      ['one 192.0.2.9 5'],
    ],
    ['a template that is not there', one('neighbor 192.0.2.2 as 1;', 'from nobody'), ['one 192.0.2.2 179']],
    ['a template alone', 'template bgp t { neighbor 192.0.2.2 as 1; }', []],
    ['another protocol', 'protocol kernel { passive; } protocol static s { }', []],
    ['a port that is a symbol', one('neighbor 192.0.2.2 port BGP_PORT as 1;'), []],
    ['no neighbor', one('passive;'), []],
    ['an address that is a symbol', one('neighbor PEER as 1;'), []],
    ['a name that is not given', 'protocol bgp { neighbor 192.0.2.2 as 1; }', []],
    ['odd text', '}}}{ protocol bgp "x" { protocol bgp from from { neighbor', []],
    ['nothing', '', []],
  ])('reads %s', (_, text, expected) => {
    expect(lines(text)).toEqual(expected)
  })
})

describe('bgpListenPort', () => {
  it.each([
    ['none', TEMPLATE, 179],
    ['a port', '# Set node listen_port\nlisten bgp port 1790;', 1790],
    ['an address and a port', 'listen bgp address 192.0.2.1 port 1791 dual;', 1791],
    ['no port', 'listen bgp v6only;', 179],
    ['a symbol', 'listen bgp port LISTEN;', 179],
    ['a comment', '# listen bgp port 1790;', 179],
  ])('reads %s', (_, text, expected) => {
    expect(bgpListenPort(text)).toBe(expected)
  })
})
