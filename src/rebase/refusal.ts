/** Why an image cannot be rebased, for people; thrown inside this room alone. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** Says that an image cannot be rebased. `why` reads well behind "not rebased:". */
export function refuse(why: string): never {
  throw new Refusal(why);
}
