import type { Report } from '../diagnostic.ts';
import { networkKeys } from '../keys.ts';
import type { Network } from '../../domain/step.ts';
import { isOn, readFields, readList, readMap, textOf } from '../yaml/fields.ts';
import type { YamlNode } from '../yaml/tree.ts';

/** The network that a run has when its task declares none. */
export const defaultNetworkName = 'acb_default_network';

/** A task's networks, and the one for steps that name none: undefined when a task declares networks and makes none of them the default. */
export interface Networks {
  readonly networks: readonly Network[];
  readonly defaultNetwork: string | undefined;
}

function readNetwork(node: YamlNode, report: Report): readonly Network[] {
  const map = readMap(node, 'a network', report);
  if (map === undefined) return [];
  const { name, driver, ipv6, skipCreation, isDefault } = readFields(
    map,
    { table: networkKeys, of: 'a network' },
    report,
  );
  if (name === undefined || !/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name.value)) {
    report.error(name?.at ?? map.at, 'network', 'a network needs a name of letters, digits, "_", "." and "-"');
    return [];
  }
  const label = textOf(driver);
  return [
    {
      name: name.value,
      ...(label !== undefined && { driver: label }),
      ipv6: isOn(ipv6),
      skipCreation: isOn(skipCreation),
      isDefault: isOn(isDefault),
    },
  ];
}

/** Reads `networks`; `external` is a network that exists already and becomes the default (acr-tasks.md §1.5). */
export function readNetworks(node: YamlNode | undefined, external: string | undefined, report: Report): Networks {
  const items = node === undefined ? [] : (readList(node, 'networks', report)?.items ?? []);
  const declared = items.flatMap((item) => readNetwork(item, report));
  const names = new Set<string>();
  declared.forEach(({ name }, index) => {
    const at = items[index]?.at ?? 0;
    if (names.has(name)) report.error(at, 'network', `there is a network "${name}" already`);
    names.add(name);
  });
  const given = external === undefined ? [] : [outside(external)];
  const networks = [...declared, ...given];
  if (networks.length === 0) return { networks: [standard], defaultNetwork: defaultNetworkName };
  return { networks, defaultNetwork: networks.findLast(({ isDefault }) => isDefault)?.name };
}

const standard: Network = {
  name: defaultNetworkName,
  driver: 'bridge',
  ipv6: false,
  skipCreation: false,
  isDefault: true,
};

function outside(name: string): Network {
  return { name, driver: 'external', ipv6: false, skipCreation: true, isDefault: true };
}
