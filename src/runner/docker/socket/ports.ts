import { isEmpty, isObject, readFields, show, text, type Fields, type Rule } from './fields.ts';
import { refuse, wrong } from './refusal.ts';

function readBinding(given: unknown, field: string): Fields {
  const binding = readFields(given, { HostIp: text, HostPort: text }, field);
  const address = (binding['HostIp'] ?? '') as string;
  const isAnywhere = ['', '0.0.0.0', '::'].includes(address);
  if (!isAnywhere && !/^(?:127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/.test(address)) {
    throw refuse(`a port on the address ${show(address)}`, 'ports are published on the loopback of the machine alone');
  }
  return { HostIp: isAnywhere ? '127.0.0.1' : address, HostPort: binding['HostPort'] ?? '' };
}

/** Published ports, on the loopback of the engine's machine as those of steps are. */
export const portBindings: Rule = (value, field) => {
  if (isEmpty(value)) return undefined;
  if (!isObject(value)) throw wrong(`${field} must be an object`);
  const read = Object.entries(value).map(([port, bindings]) => {
    if (!/^\d{1,5}(?:-\d{1,5})?(?:\/(?:tcp|udp|sctp))?$/.test(port)) throw wrong(`"${show(port)}" is no port`);
    const list = Array.isArray(bindings) && bindings.length > 0 ? (bindings as unknown[]) : [{}];
    return [port, list.map((binding) => readBinding(binding, field))];
  });
  return Object.fromEntries(read) as unknown;
};
