/** `os/architecture[/variant]` in its parts; a missing one is empty. */
function partsOf(platform: string): readonly [string, string, string] {
  const [os = '', architecture = '', variant = ''] = platform.split('/');
  return [os, architecture, variant];
}

function argumentsOf(prefix: 'BUILD' | 'TARGET', platform: string): readonly (readonly [string, string])[] {
  const [os, architecture, variant] = partsOf(platform);
  return [
    [`${prefix}PLATFORM`, platform],
    [`${prefix}OS`, os],
    [`${prefix}OSVERSION`, ''],
    [`${prefix}ARCH`, architecture],
    [`${prefix}VARIANT`, variant],
  ];
}

/** The arguments that a file has without declaring them (Dockerfile reference, "Automatic platform ARGs in the global scope"). */
export function platformArguments(
  platform: string,
  buildPlatform: string,
  target: string | undefined,
): ReadonlyMap<string, string> {
  return new Map([
    ...argumentsOf('BUILD', buildPlatform),
    ...argumentsOf('TARGET', platform),
    ['TARGETSTAGE', target ?? 'default'],
  ]);
}
