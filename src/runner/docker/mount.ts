/** A mount as the Engine API has it; the volume is made with the first container that has it. */
export interface Mount {
  readonly Type: 'volume';
  readonly Source: string;
  readonly Target: string;
  readonly VolumeOptions: object;
}

/** A container that was created and not started. */
export interface FreshContainer {
  readonly id: string;
  /** Id of its image. */
  readonly image: string;
}
