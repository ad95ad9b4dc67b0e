import { describe, expect, it } from 'vitest';
import { chooseSubnets, overlaps, parseRoutes, parseSubnet } from '../../src/host/subnet.ts';

const subnet = (text: string) => parseSubnet(text)!;

describe('subnets of a private engine', () => {
  it.each(['1.2.3/8', '1.2.3.400/8', '1.2.3.4/33', 'nonsense', ''])('takes "%s" for no network', (text) => {
    expect(parseSubnet(text)).toBeUndefined();
  });

  it('knows which networks share an address', () => {
    expect(overlaps(subnet('172.17.0.0/16'), subnet('172.17.9.0/24'))).toBe(true);
    expect(overlaps(subnet('0.0.0.0/0'), subnet('10.0.0.0/8'))).toBe(true);
    expect(overlaps(subnet('172.17.0.0/16'), subnet('172.18.0.0/16'))).toBe(false);
  });

  it('reads the routes of the host, without the default one', () => {
    const text = [
      'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
      'eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0',
      'docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0',
      '',
    ].join('\n');
    expect(parseRoutes(text)).toEqual([subnet('172.17.0.0/16')]);
  });

  it('chooses networks that the host does not reach', () => {
    expect(chooseSubnets([])).toEqual({ bridge: '172.17.0.1/16', pool: '172.18.0.0/16' });
    expect(chooseSubnets([subnet('172.17.0.0/16')])).toEqual({ bridge: '172.18.0.1/16', pool: '172.19.0.0/16' });
    expect(chooseSubnets([subnet('172.16.0.0/12')])?.bridge).toBe('10.200.0.1/16');
  });

  it('chooses none when all is taken', () => {
    expect(chooseSubnets([subnet('172.16.0.0/12'), subnet('10.0.0.0/8')])).toBeUndefined();
  });
});
