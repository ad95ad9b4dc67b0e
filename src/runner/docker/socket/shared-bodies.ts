import { emptyBecause, flag, oneOf, passedOver, readFields, text, type Fields, type Rules } from './fields.ts';
import { joinLabels } from './labels.ts';
import { reachesHost, wrong } from './refusal.ts';

const ownRange = 'a range of its own could take addresses away from the machine; leave it to the engine';

/** Settings of a bridge that stay inside it. */
const bridgeOptions: Rules = {
  'com.docker.network.driver.mtu': text,
  'com.docker.network.bridge.enable_icc': text,
  'com.docker.network.bridge.enable_ip_masquerade': text,
};

const ipamRules: Rules = {
  Driver: oneOf('', 'default'),
  Config: emptyBecause(ownRange),
  Options: emptyBecause(ownRange),
};

const networkRules: Rules = {
  Name: text,
  Driver: oneOf('', 'bridge'),
  CheckDuplicate: passedOver,
  Internal: flag,
  Attachable: flag,
  EnableIPv6: flag,
  EnableIPv4: flag,
  Scope: oneOf('', 'local'),
  Ingress: emptyBecause(reachesHost),
  ConfigOnly: emptyBecause(reachesHost),
  ConfigFrom: (value, field) => emptyBecause(reachesHost)((value as Fields | null)?.['Network'], field),
  IPAM: (value, field) => void readFields(value, ipamRules, field),
  Options: (value, field) => readFields(value, bridgeOptions, field),
  Labels: passedOver,
};

/** What a network or volume is made with: the engine's name for it, and the run's labels. */
export interface MadeThing {
  readonly toEngine: (name: string) => string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Makes the body of `POST /networks/create` anew: a bridge of the run, with addresses that the engine chooses.
 * @throws `forbidden`, `invalid-request`
 */
export function rewriteNetwork({ toEngine, labels }: MadeThing, given: unknown): Fields {
  const read = readFields(given, networkRules, '');
  const { Name: name } = read;
  if (typeof name !== 'string' || name === '') throw wrong('a network needs a name');
  return {
    ...read,
    Name: toEngine(name),
    Labels: joinLabels((given as Fields)['Labels'], labels),
    CheckDuplicate: true,
  };
}

const volumeRules: Rules = {
  Name: text,
  Driver: oneOf('', 'local'),
  DriverOpts: emptyBecause('it can name folders of the machine'),
  Labels: passedOver,
};

/**
 * Makes the body of `POST /volumes/create` anew: a plain volume of the run. `makeName` names one that has none.
 * @throws `forbidden`, `invalid-request`
 */
export function rewriteVolume({ toEngine, labels }: MadeThing, given: unknown, makeName: () => string): Fields {
  const read = readFields(given, volumeRules, '');
  const { Name: name } = read;
  const written = typeof name === 'string' && name !== '' ? name : makeName();
  const known = typeof given === 'object' && given !== null ? (given as Fields)['Labels'] : undefined;
  return { ...read, Name: toEngine(written), Labels: joinLabels(known ?? {}, labels) };
}
