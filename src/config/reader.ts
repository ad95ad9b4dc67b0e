/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Bytes. */
export const mebibyte = 1024 * 1024;
const units: Readonly<Record<string, number>> = { '': 1, k: 1024, m: mebibyte, g: 1024 * mebibyte, t: 1024 ** 4 };

/** A reader of one environment that collects what is wrong with it. */
export function createReader(env: Environment) {
  const faults: string[] = [];
  const text = (name: string): string | undefined => {
    const value = env[name]?.trim();
    return value === undefined || value === '' ? undefined : value;
  };
  const integer = (name: string, fallback: number, range: readonly [number, number]): number => {
    const value = text(name);
    if (value === undefined) return fallback;
    const number = Number(value);
    if (Number.isInteger(number) && number >= range[0] && number <= range[1]) return number;
    faults.push(`${name} must be a whole number from ${range[0]} to ${range[1]}, not "${value}"`);
    return fallback;
  };
  const size = (name: string, fallback: number): number => {
    const value = text(name);
    if (value === undefined) return fallback;
    const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(value);
    if (match) return Math.floor(Number(match[1]) * (units[match[2]?.toLowerCase() ?? ''] ?? 1));
    faults.push(`${name} must be a size like 500MiB or 2GiB, not "${value}"`);
    return fallback;
  };
  const flag = (name: string, fallback: boolean): boolean => {
    const value = text(name)?.toLowerCase();
    if (value === undefined) return fallback;
    if (['1', 'true', 'yes', 'on'].includes(value)) return true;
    if (['0', 'false', 'no', 'off'].includes(value)) return false;
    faults.push(`${name} must be true or false, not "${value}"`);
    return fallback;
  };
  const choice = <T extends string>(name: string, fallback: T, choices: readonly T[]): T => {
    const value = text(name);
    if (value === undefined) return fallback;
    const found = choices.find((one) => one === value.toLowerCase());
    if (found === undefined) faults.push(`${name} must be one of ${choices.join(', ')}, not "${value}"`);
    return found ?? fallback;
  };
  const list = (name: string): readonly string[] => (text(name) ?? '').split(/[\s,]+/).filter((one) => one !== '');
  return { faults, text, integer, size, flag, choice, list };
}

/** What reads the variables of one environment. */
export type Reader = ReturnType<typeof createReader>;
